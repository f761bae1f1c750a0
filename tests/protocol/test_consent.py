"""When consent is asked, and what it makes of the connection and of earlier grants."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grantway.protocol.authorize import AskConsent, SendBack, TellSuspended, allow, deny
from grantway.protocol.lifecycle import suspend, suspend_by_user
from grantway.protocol.model import Connection, Grant, Notice
from tests.helpers.stage import ISSUER, REDIRECT_URI, Integration, Stage, Tokens, refused

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


# A part of it


def ask(stage: Stage, by: Integration, user: Any = None, **changes: Any) -> tuple[str, Any, AskConsent]:
    visitor = stage.browser(user or stage.ada)
    pending_id = stage.open(by, visitor, **({"prompt": ("consent",)} | changes))
    return pending_id, visitor, stage.ask(pending_id, visitor)


def choose(stage: Stage, by: Integration, *chosen: str, **changes: Any) -> Any:
    """The decision on Allow with only these boxes left checked."""
    pending_id, visitor, page = ask(stage, by, **changes)
    return stage.decide(allow, pending_id, visitor, page.shown, ISSUER, chosen)


def test_what_the_client_cannot_do_without_cannot_be_left_out(stage: Stage) -> None:
    by = stage.integration(required_scopes=("read",))
    assert ask(stage, by)[2].optional == {"write", "admin"}
    tokens = stage.minted(stage.exchange(by, choose(stage, by, "admin").answer.answer.code))
    assert tokens.scope == stage.grant_of(tokens).scope == stage.connection_of(tokens).scope == ("read", "admin")
    assert stage.mint.token_answer(tokens.issued).scope == ("read", "admin")  # RFC 6749 §5.1
    assert stage.refreshed(by, tokens.refresh).scope == ("read", "admin")
    refused(stage.refresh(by, tokens.refresh, scope=("write",)), "invalid_scope", "scope_exceeds_grant")


def test_boxes_that_the_page_did_not_have_are_refused(stage: Stage) -> None:
    by = stage.integration(required_scopes=("read",))
    refused(choose(stage, by, "read"), "access_denied", "consent_differs")
    refused(choose(stage, by, "nonsense"), "access_denied", "consent_differs")
    refused(choose(stage, by, "admin", scope=("read", "write")), "access_denied", "consent_differs")


def test_who_leaves_out_everything_has_allowed_nothing(stage: Stage) -> None:
    by = stage.integration()
    refused(choose(stage, by), "access_denied", "nothing_chosen")
    assert stage.all(Connection) == []


def test_a_single_scope_is_all_or_nothing(stage: Stage) -> None:
    assert ask(stage, stage.integration(), scope=("read",))[2].optional == frozenset()


def test_where_requests_name_no_scopes_only_what_the_client_declared_can_be_left_out(stage: Stage) -> None:
    asked = {"scopes": ("a", "b"), "default_scopes": ("a", "b")}
    assert ask(stage, stage.sunshine(**asked))[2].optional == frozenset()
    declared = stage.sunshine(**asked, required_scopes=("a",))
    assert ask(stage, declared)[2].optional == {"b"}
    code = choose(stage, declared).answer.answer.code
    assert stage.scope_of(stage.minted(stage.exchange(declared, code)).access) == ("a",)


def test_what_was_left_out_is_asked_for_again_and_what_was_allowed_is_not(stage: Stage) -> None:
    by = stage.integration(required_scopes=("read",))
    choose(stage, by, "admin")
    assert is_asked(stage, by)
    assert not is_asked(stage, by, scope=("read", "admin"))


def test_who_unchecks_what_was_allowed_before_takes_it_back_and_leaves_what_was_not_asked(stage: Stage) -> None:
    by = stage.integration()
    wide = stage.connect(by, scope=("read", "write"))
    choose(stage, by, "admin", scope=("read", "admin"))
    assert stage.connection_of(wide).scope == ("write", "admin")
    assert stage.scope_of(wide.access) == ("write",)


def test_a_client_that_changes_what_it_needs_while_the_page_is_open_has_to_ask_anew(stage: Stage) -> None:
    by = stage.integration(required_scopes=("read",))
    pending_id, visitor, page = ask(stage, by)
    stage.amend(by.client, required_scopes=("read", "write"))
    refused(stage.decide(allow, pending_id, visitor, page.shown, ISSUER, ()), "access_denied", "consent_differs")


def test_the_platform_hears_of_other_scopes_once_the_connection_works() -> None:
    stage = Stage(platform_events_url="https://platform.example/hooks")
    by = stage.integration()
    stage.code(by, scope=("read",))
    stage.code(by, scope=("read", "write"))
    assert stage.all(Notice) == []
    stage.connect(by)
    stage.connect(by)
    stage.code(by, scope=("read",))
    told = [json.loads(notice.body) for notice in stage.all(Notice)]
    assert [each["type"] for each in told] == ["connection.created", "connection.changed"]
    assert [each["data"]["scope"] for each in told] == [["read", "write", "admin"], ["read"]]


# Suspended


def test_allow_takes_back_what_the_customer_or_a_leaving_member_caused_and_the_page_says_so(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    stage.decide(suspend_by_user, stage.connection_of(tokens).id, stage.browser(stage.ada).session)
    pending_id, visitor, page = ask(stage, by)
    assert page.resumes
    stage.allow(pending_id, visitor, page.shown)
    assert stage.connection_of(tokens).suspensions == ()
    assert stage.is_active(tokens.access)
    entry = next(each for each in stage.audited() if each.action == "connection_resumed")
    assert (entry.reason, entry.detail) == ("customer", {"taken_back": ["customer"]})


def test_who_was_not_told_that_allow_resumes_does_not_resume(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    pending_id, visitor, page = ask(stage, by)
    stage.decide(suspend_by_user, stage.connection_of(tokens).id, stage.browser(stage.ada).session)
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", "consent_differs")
    assert not stage.is_active(tokens.access)


def test_what_an_operator_suspended_gets_no_code_and_the_customer_is_told(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    pending_id, visitor, page = ask(stage, by)
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", "consent_differs")
    assert isinstance(stage.step(pending_id, visitor).answer, TellSuspended)
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", "consent_differs")
    back: Any = stage.decide(deny, pending_id, visitor, ISSUER).answer
    assert (back.answer.code, back.answer.error.code) == (None, "access_denied")


def test_while_an_operator_and_the_customer_have_suspended_it_a_page_of_before_allows_nothing(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    stage.decide(suspend_by_user, connection.id, stage.browser(stage.ada).session)
    pending_id, visitor, page = ask(stage, by)
    stage.decide(suspend, connection.id, "operator")
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", "suspended_by_operator")


def test_prompt_none_is_told_that_it_is_denied(stage: Stage) -> None:
    by = stage.integration()
    stage.decide(suspend, stage.connection_of(stage.connect(by)).id, "operator")
    visitor = stage.browser(stage.ada)
    sent = stage.step(stage.open(by, visitor, prompt=("none",)), visitor).answer
    assert sent.answer.error.code == "access_denied"


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
