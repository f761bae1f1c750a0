"""A code becomes tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.6)."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.decision import Add, EndGrant, MoveGeneration, TouchUse
from grantway.protocol.model import AuditEntry, Connection
from grantway.protocol.tokens import write_code
from tests.helpers.stage import CHALLENGE, REDIRECT_URI, VERIFIER, Stage, ending, refused

OTHER_URI = "https://client.example/other"
WRONG_VERIFIER = "x" * 43


@pytest.fixture
def stage() -> Stage:
    return Stage()


# What is given


def test_an_exchange_gives_tokens_for_what_was_allowed(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by, scope=("write", "read"))
    assert tokens.scope == ("write", "read")  # in the order of the request
    assert stage.scope_of(tokens.access) == ("write", "read")
    assert stage.is_active(tokens.refresh)
    assert tokens.issued.subject.startswith("us_")


def test_an_exchange_is_one_guarded_move_with_the_day_of_use_and_an_audit_entry(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by)
    move, touch, note = stage.exchange(by, stage.code(by)).changes
    assert isinstance(move, MoveGeneration)
    assert (move.from_generation, move.moved_at) == (0, stage.clock())
    assert isinstance(touch, TouchUse)
    assert isinstance(note, Add)
    assert isinstance(note.record, AuditEntry)
    assert (note.record.action, note.record.actor) == ("code_exchanged", f"client:{by.client.client_id}")


def test_a_connection_is_active_from_its_first_token_on(stage: Stage) -> None:
    by = stage.integration()
    code = stage.code(by)
    (connection,) = stage.all(Connection)
    assert connection.activated_at is None
    stage.exchange(by, code)
    first = stage.clock()
    stage.wait(seconds=1)
    stage.connect(by)
    assert stage.stored(Connection, connection.id).activated_at == first


def test_a_sunshine_client_gets_one_token_without_end_and_nothing_to_refresh(stage: Stage) -> None:
    by = stage.sunshine()
    tokens = stage.connect(by)
    assert tokens.issued.access.expires_at is None
    assert tokens.issued.refresh_token is None
    assert stage.scope_of(tokens.access) == ("integration",)
    stage.wait(days=3_000)
    assert stage.is_active(tokens.access)


def test_the_exchange_may_narrow_the_audience_but_not_widen_it(stage: Stage) -> None:
    by = stage.integration(resources=("https://a.example", "https://b.example", "https://c.example"))
    code = stage.code(by, resource=("https://a.example", "https://b.example"))
    wider = stage.exchange(by, code, resource=("https://a.example", "https://c.example"))
    refused(wider, "invalid_target", "resource_exceeds_grant")
    narrow = stage.minted(stage.exchange(by, code, resource=("https://b.example",)))
    assert narrow.issued.access.resource == ("https://b.example",)
    everything = stage.refreshed(by, narrow.refresh)
    assert everything.issued.access.resource == ("https://a.example", "https://b.example")


# What is refused, with nothing changed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code_verifier": WRONG_VERIFIER}, "code_verifier_wrong"),
        ({"code_verifier": CHALLENGE}, "code_verifier_wrong"),
        ({"code_verifier": VERIFIER[:42]}, "code_verifier_wrong"),
        ({"code_verifier": None}, "code_verifier_missing"),
        ({"redirect_uri": OTHER_URI}, "redirect_uri_differs"),
        ({"redirect_uri": REDIRECT_URI + "/"}, "redirect_uri_differs"),
        ({"redirect_uri": REDIRECT_URI.upper()}, "redirect_uri_differs"),
        ({"redirect_uri": None}, "redirect_uri_missing"),
    ],
)
def test_a_code_is_bound_to_verifier_and_redirect_uri(stage: Stage, changes: dict[str, Any], reason: str) -> None:
    by = stage.integration(redirect_uris=(REDIRECT_URI, OTHER_URI))
    code = stage.code(by)
    refused(stage.exchange(by, code, **changes), "invalid_grant", reason)
    assert stage.is_active(stage.minted(stage.exchange(by, code)).access)  # and was not spent


@pytest.mark.parametrize("changes", [{"code_verifier": WRONG_VERIFIER}, {"redirect_uri": OTHER_URI}])
def test_a_wrong_verifier_or_redirect_uri_never_ends_anything(stage: Stage, changes: dict[str, Any]) -> None:
    by = stage.integration()
    code = stage.code(by)
    tokens = stage.minted(stage.exchange(by, code))
    stage.wait(days=1)
    assert stage.exchange(by, code, **changes).changes == ()
    assert stage.is_active(tokens.refresh)


def test_a_verifier_without_a_challenge_is_a_downgrade(stage: Stage) -> None:
    """RFC 9700 §2.1.1: somebody took the challenge out of the authorization request."""
    by = stage.integration(policy={"pkce": "accepted"})
    code = stage.code(by, code_challenge=None, code_challenge_method=None)
    refused(stage.exchange(by, code), "invalid_grant", "code_verifier_unexpected")
    assert stage.minted(stage.exchange(by, code, code_verifier=None))


def test_where_pkce_is_only_accepted_a_challenge_still_binds(stage: Stage) -> None:
    by = stage.sunshine()
    code = stage.code(by, code_challenge=CHALLENGE, code_challenge_method="S256")
    refused(stage.exchange(by, code), "invalid_grant", "code_verifier_missing")
    assert stage.minted(stage.exchange(by, code, code_verifier=VERIFIER))


def test_a_redirect_uri_that_was_not_sent_need_not_be_repeated(stage: Stage) -> None:
    by = stage.integration()
    assert stage.minted(stage.exchange(by, stage.code(by, redirect_uri=None), redirect_uri=None))
    code = stage.code(by, redirect_uri=None)
    refused(stage.exchange(by, code, redirect_uri=OTHER_URI), "invalid_grant", "redirect_uri_differs")
    assert stage.minted(stage.exchange(by, code, redirect_uri=REDIRECT_URI))  # saying the right one does no harm


def test_a_sunshine_client_is_not_asked_for_its_redirect_uri_again(stage: Stage) -> None:
    by = stage.sunshine()
    assert stage.minted(stage.exchange(by, stage.code(by, redirect_uri=REDIRECT_URI)))
    assert stage.minted(stage.exchange(by, stage.code(by)))
    code = stage.code(by, redirect_uri=REDIRECT_URI)
    refused(stage.exchange(by, code, redirect_uri=OTHER_URI), "invalid_grant", "redirect_uri_differs")


def test_on_loopback_the_port_that_was_used_has_to_be_repeated(stage: Stage) -> None:
    by = stage.integration(redirect_uris=("http://127.0.0.1/cb",), public=True)
    code = stage.code(by, redirect_uri="http://127.0.0.1:5001/cb")
    refused(stage.exchange(by, code, redirect_uri="http://127.0.0.1:5002/cb"), "invalid_grant", "redirect_uri_differs")
    assert stage.minted(stage.exchange(by, code, redirect_uri="http://127.0.0.1:5001/cb"))


def test_a_code_lives_a_minute(stage: Stage) -> None:
    by = stage.integration()
    in_time, late = stage.code(by), stage.code(by)
    stage.wait(seconds=59.999)
    assert stage.minted(stage.exchange(by, in_time))
    stage.wait(seconds=0.001)
    refused(stage.exchange(by, late), "invalid_grant", "code_expired")


def test_who_may_not_use_a_code_gets_one_and_the_same_answer(stage: Stage) -> None:
    mine, other = stage.integration(), stage.integration("Other")
    code, others = stage.code(mine), stage.connect(other)
    tokens = stage.minted(stage.exchange(mine, code))
    grant_id = stage.grant_of(tokens).id
    stage.wait(hours=1)
    answers = [
        refused(stage.exchange(other, code), "invalid_grant", "code_of_another_client"),
        refused(stage.exchange(mine, write_code(others.issued.secret, grant_id)), "invalid_grant", "code_unknown"),
        refused(stage.exchange(mine, write_code(tokens.issued.secret, bytes(16))), "invalid_grant", "code_unknown"),
        refused(stage.exchange(mine, "gwc_nonsense"), "invalid_grant", "code_unknown"),
        refused(stage.exchange(mine, tokens.refresh), "invalid_grant", "code_unknown"),
        refused(stage.exchange(mine, code, code_verifier=WRONG_VERIFIER), "invalid_grant", "code_verifier_wrong"),
    ]
    assert len({decision.answer.error for decision in answers}) == 1
    assert stage.is_active(tokens.refresh)


def test_only_a_grant_that_began_with_a_code_has_one(stage: Stage) -> None:
    by = stage.integration()
    other = stage.grant_of(stage.connect(by))
    stage.amend(other, origin="permanent", generation=0)
    forged = write_code(stage.vault.open(other.key_id, other.secret, other.id), other.id)
    refused(stage.exchange(by, forged), "invalid_grant", "code_unknown")


def test_a_request_without_a_code_is_incomplete(stage: Stage) -> None:
    refused(stage.exchange(stage.integration(), None), "invalid_request", "code_missing")


# Twice


@pytest.mark.parametrize("later", [0, 10])
def test_a_second_presentation_within_ten_seconds_is_refused_and_changes_nothing(stage: Stage, later: int) -> None:
    by = stage.integration()
    code = stage.code(by)
    tokens = stage.minted(stage.exchange(by, code))
    stage.wait(seconds=later)
    refused(stage.exchange(by, code), "invalid_grant", "code_presented_twice")
    assert stage.is_active(tokens.access)
    again = stage.refreshed(by, tokens.refresh)
    assert stage.is_active(again.access)
    refused(stage.exchange(by, code), "invalid_grant", "code_presented_twice")  # the refresh moved no window


def test_a_later_and_fully_valid_second_presentation_ends_the_grant(stage: Stage) -> None:
    by = stage.integration()
    code = stage.code(by)
    tokens = stage.minted(stage.exchange(by, code))
    stage.wait(seconds=10.001)
    decision = ending(stage.exchange(by, code), "invalid_grant", "code_reused")
    assert EndGrant(stage.grant_of(tokens).id, stage.clock(), "reuse_detected") in decision.changes
    assert {(each.reason, each.actor) for each in stage.audited()[-2:]} == {("reuse_detected", "system")}
    assert not stage.is_active(tokens.access)
    assert not stage.is_active(tokens.refresh)
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "grant_ended")
    refused(stage.exchange(by, code), "invalid_grant", "grant_ended")


@pytest.mark.parametrize("refreshes", [1, 2, 5])
def test_a_code_is_still_known_as_spent_after_many_refreshes(stage: Stage, refreshes: int) -> None:
    """The time of the exchange is overwritten by later moves; the code's own expiry still bounds it."""
    by = stage.integration()
    code = stage.code(by)
    tokens = stage.minted(stage.exchange(by, code))
    for _ in range(refreshes):
        stage.wait(seconds=20)
        tokens = stage.refreshed(by, tokens.refresh)
    stage.wait(seconds=60)
    ending(stage.exchange(by, code), "invalid_grant", "code_reused")
    assert not stage.is_active(tokens.access)


# Who and what the code hangs from


@pytest.mark.parametrize(
    ("kind", "changed", "error", "reason"),
    [
        ("account", {"suspended_at": True}, "access_denied", "account_suspended"),
        ("connection", {"suspended_at": True}, "access_denied", "connection_suspended"),
        ("account", {"removed_at": True}, "invalid_grant", "account_removed"),
        ("connection", {"removed_at": True}, "invalid_grant", "connection_removed"),
        ("user", {"disabled_at": True}, "invalid_grant", "user_disabled"),
        ("grant", {"revoked_at": True}, "invalid_grant", "grant_ended"),
        ("client", {"disabled_at": True}, "invalid_client", "client_disabled"),
        ("client", {"ended_at": True}, "invalid_client", "client_ended"),
    ],
)
def test_a_code_is_good_for_nothing_when_what_it_hangs_from_is_gone(
    stage: Stage, kind: str, changed: dict[str, Any], error: str, reason: str
) -> None:
    by = stage.integration()
    first = stage.connect(by)
    code = stage.code(by)
    grant = next(each for each in stage.all(type(stage.grant_of(first))) if each.generation == 0)
    record = {
        "account": stage.acme,
        "user": stage.ada,
        "connection": stage.connection_of(first),
        "grant": grant,
        "client": by.client,
    }[kind]
    stage.amend(record, **dict.fromkeys(changed, stage.clock()))
    refused(stage.exchange(by, code), error, reason)
    if "suspended_at" in changed:
        stage.amend(record, suspended_at=None)
        assert stage.minted(stage.exchange(by, code))  # nothing was lost
