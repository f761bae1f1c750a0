"""When consent is asked, and what it makes of the connection and of earlier grants."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.authorize import AskConsent, SendBack
from grantway.protocol.model import Connection, Grant
from tests.helpers.stage import REDIRECT_URI, Integration, Stage, Tokens, refused

LOOPBACK, PRIVATE = "http://127.0.0.1/cb", "com.example.app:/cb"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def is_asked(stage: Stage, by: Integration, user: Any = None, **changes: Any) -> bool:
    """Whether the customer sees the page; if not, a code went back."""
    visitor = stage.browser(user or stage.ada)
    decision = stage.step(stage.open(by, visitor, **changes), visitor)
    if isinstance(decision.answer, AskConsent):
        return True
    assert isinstance(decision.answer, SendBack)
    assert decision.answer.answer.code is not None
    assert decision.reason == "consent_repeated"
    return False


# Asked or not


def test_the_first_time_it_is_asked(stage: Stage) -> None:
    assert is_asked(stage, stage.integration())


def test_a_confidential_client_is_not_asked_for_what_was_allowed_before(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by, scope=("read", "write"))
    assert not is_asked(stage, by, scope=("read", "write"))
    assert not is_asked(stage, by, scope=("write",))
    assert stage.audited()[-1].action == "consent_repeated"


def test_a_public_client_with_a_https_redirect_uri_is_not_asked_again_either(stage: Stage) -> None:
    by = stage.integration(public=True)
    stage.connect(by)
    assert not is_asked(stage, by)


@pytest.mark.parametrize("uri", [LOOPBACK, "http://127.0.0.1:7777/cb", PRIVATE, "http://localhost:3000/cb"])
def test_anybody_can_be_a_loopback_or_private_scheme_client_so_it_is_always_asked(stage: Stage, uri: str) -> None:
    """OAuth 2.1 §7.3.1, CVE-2023-34246."""
    by = stage.integration(public=True, redirect_uris=(LOOPBACK, PRIVATE, "http://localhost:3000/cb"))
    stage.code(by, redirect_uri=uri)
    assert is_asked(stage, by, redirect_uri=uri)


def test_such_a_client_gets_consent_required_when_nobody_may_be_asked(stage: Stage) -> None:
    by = stage.integration(public=True, redirect_uris=(LOOPBACK,))
    stage.code(by, redirect_uri=LOOPBACK)
    visitor = stage.browser(stage.ada)
    sent = stage.step(stage.open(by, visitor, redirect_uri=LOOPBACK, prompt=("none",)), visitor).answer
    assert sent.answer.error.code == "consent_required"


def test_prompt_none_goes_through_where_nothing_has_to_be_asked_and_is_refused_where_it_has(stage: Stage) -> None:
    by = stage.integration()
    visitor = stage.browser(stage.ada)
    sent = stage.step(stage.open(by, visitor, prompt=("none",)), visitor).answer
    assert sent.answer.error.code == "consent_required"
    stage.connect(by)
    sent = stage.step(stage.open(by, visitor, prompt=("none",)), visitor).answer
    assert sent.answer.code is not None


def test_prompt_consent_always_asks(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by)
    assert is_asked(stage, by, prompt=("consent",))


def test_anything_new_is_asked_for(stage: Stage) -> None:
    by = stage.integration(resources=("https://a.example", "https://b.example"))
    stage.connect(by, scope=("read",), resource=("https://a.example",))
    assert not is_asked(stage, by, scope=("read",), resource=("https://a.example",))
    assert is_asked(stage, by, scope=("read", "write"), resource=("https://a.example",))
    assert is_asked(stage, by, scope=("read",), resource=("https://b.example",))


def test_what_another_user_allowed_is_not_what_this_one_did(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by)
    assert is_asked(stage, by, stage.user("Bob"))


def test_what_was_allowed_for_another_account_is_asked_anew(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by)
    bolt = stage.house.account("Bolt")
    stage.house.member(bolt, stage.ada)
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    assert isinstance(stage.ask(pending_id, visitor, bolt), AskConsent)


def test_what_was_ended_removed_or_suspended_is_asked_anew(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    stage.amend(stage.connection_of(tokens), suspended_at=stage.clock())
    assert is_asked(stage, by)
    stage.amend(stage.connection_of(tokens), suspended_at=None)
    assert not is_asked(stage, by)
    stage.revoke(by, tokens.refresh)
    for grant in stage.all(Grant):
        stage.amend(grant, revoked_at=stage.clock())
    assert is_asked(stage, by)


def test_what_somebody_narrowed_meanwhile_is_asked_anew(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by)
    stage.connect(by, stage.user("Bob"), scope=("read",))
    assert is_asked(stage, by)
    assert not is_asked(stage, by, scope=("read",))


# The connection


def test_there_is_one_connection_for_client_and_account(stage: Stage) -> None:
    by = stage.integration()
    first, second = stage.connect(by), stage.connect(by, stage.user("Bob"))
    assert stage.connection_of(first).id == stage.connection_of(second).id
    assert stage.connection_of(stage.connect(stage.integration("Other"))).id != stage.connection_of(first).id


def test_after_a_removal_a_new_connection_begins(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    stage.revoke(by, first.refresh)
    second = stage.connect(by)
    assert stage.connection_of(second).integration_id != stage.connection_of(first).integration_id
    assert not stage.is_active(first.access)
    assert stage.is_active(second.access)


def test_a_narrower_consent_narrows_the_connection_and_all_its_tokens_at_once(stage: Stage) -> None:
    by = stage.integration()
    wide = stage.connect(by)
    narrow = stage.connect(by, scope=("read",))
    assert stage.connection_of(wide).scope == ("read",)
    assert stage.scope_of(wide.access) == ("read",)
    assert stage.scope_of(narrow.access) == ("read",)
    assert stage.refreshed(by, wide.refresh).scope == ("read",)
    assert stage.grant_of(wide).scope == ("read", "write", "admin")  # never changes


def test_a_wider_consent_makes_a_new_grant_and_leaves_older_ones_as_they_were(stage: Stage) -> None:
    by = stage.integration()
    narrow = stage.connect(by, scope=("read",))
    wide = stage.connect(by, scope=("write", "read"))
    assert stage.connection_of(narrow).scope == ("read", "write")
    assert stage.scope_of(narrow.access) == ("read",)
    assert stage.refreshed(by, narrow.refresh).scope == ("read",)
    assert stage.scope_of(wide.access) == ("write", "read")


def test_a_consent_to_other_scopes_adds_them(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by, scope=("read", "write"))
    stage.connect(by, scope=("admin",))
    assert stage.connection_of(first).scope == ("read", "write", "admin")
    assert stage.scope_of(first.access) == ("read", "write")


def test_a_consent_that_was_not_asked_narrows_nothing(stage: Stage) -> None:
    by = stage.integration()
    wide = stage.connect(by)
    assert not is_asked(stage, by, scope=("read",))
    assert stage.scope_of(wide.access) == ("read", "write", "admin")


# Bounded


def one_after_another(stage: Stage, by: Integration, count: int) -> list[Tokens]:
    made = []
    for _ in range(count):
        made.append(stage.connect(by))
        stage.wait(seconds=1)
    return made


def test_the_fifty_first_grant_ends_the_least_recently_used_one(stage: Stage) -> None:
    by = stage.integration()
    tokens = one_after_another(stage, by, 50)
    stage.wait(days=1)
    tokens[0] = stage.refreshed(by, tokens[0].refresh)  # used today: no longer the first to go
    assert stage.is_active(stage.connect(by).access)
    gone = [each for each in tokens if not stage.is_active(each.refresh)]
    assert gone == [tokens[1]]
    assert stage.grant_of(tokens[1]).revoked_reason == "superseded"
    refused(stage.refresh(by, tokens[1].refresh), "invalid_grant", "grant_ended")
    stage.connect(by)
    assert stage.grant_of(tokens[2]).revoked_reason == "superseded"


def test_everybody_has_their_own_fifty(stage: Stage) -> None:
    by = stage.integration(policy={"live_grants": 2})
    bobs = stage.connect(by, stage.user("Bob"))
    mine = one_after_another(stage, by, 3)
    assert [stage.is_active(each.refresh) for each in (bobs, *mine)] == [True, False, True, True]


def test_a_lower_bound_is_kept_from_the_next_consent_on(stage: Stage) -> None:
    by = stage.integration()
    for _ in range(4):
        stage.connect(by)
    stage.amend(by.client, overrides=(("live_grants", 2),))
    stage.connect(by)
    assert sum(grant.revoked_at is None for grant in stage.all(Grant)) == 2


@pytest.mark.parametrize("pause", [1, 120])
def test_codes_that_nobody_exchanged_go_before_grants_that_work(stage: Stage, pause: int) -> None:
    """Fifty clicks within an hour ended the connection that worked: unexchanged codes counted as younger grants."""
    by = stage.integration(policy={"live_grants": 3})
    working: Tokens = stage.connect(by)
    for _ in range(5):
        stage.wait(seconds=pause)
        latest = stage.code(by)
    assert stage.is_active(stage.refreshed(by, working.refresh).access)
    assert sum(grant.revoked_at is None for grant in stage.all(Grant)) == 3
    assert stage.minted(stage.exchange(by, latest))


def test_the_one_connection_keeps_its_id_through_all_this(stage: Stage) -> None:
    by = stage.integration(policy={"live_grants": 2})
    for _ in range(5):
        stage.connect(by, redirect_uri=REDIRECT_URI)
    assert len(stage.all(Connection)) == 1
