"""Every fact that a rule may ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from grantway.protocol.decision import RemoveConnection, Replace, TouchUse
from grantway.protocol.facts import ConnectionInView, GrantInUse
from grantway.protocol.model import EndedToken
from tests.storage.asking import (
    DAY,
    ENDED,
    HOUR,
    ICON,
    MINUTE,
    NOON,
    account,
    add,
    an_id,
    ask,
    audit_entry,
    bucket,
    client,
    connection,
    connection_key,
    do,
    grant,
    membership,
    notice,
    pending,
    scope,
    session,
    signing_key,
    the_world,
    user,
)

VIEW = ConnectionInView(connection(), client(), account(), user())


@pytest.mark.parametrize(
    ("question", "nothing"),
    [
        (lambda facts: facts.user(b"?"), None),
        (lambda facts: facts.user_by_email("?"), None),
        (lambda facts: facts.users(), ()),
        (lambda facts: facts.account(b"?"), None),
        (lambda facts: facts.account_by_external_id("sunshine", "?"), None),
        (lambda facts: facts.accounts(), ()),
        (lambda facts: facts.membership(b"?", b"?"), None),
        (lambda facts: facts.memberships(b"?"), ()),
        (lambda facts: facts.members(b"?"), ()),
        (lambda facts: facts.session(b"?"), None),
        (lambda facts: facts.failures(b"?"), None),
        (lambda facts: facts.client("?"), None),
        (lambda facts: facts.client("\ud800"), None),
        (lambda facts: facts.client_by_row(b"?"), None),
        (lambda facts: facts.clients(), ()),
        (lambda facts: facts.icon(b"?"), None),
        (lambda facts: facts.scopes(), ()),
        (lambda facts: facts.connection(b"?"), None),
        (lambda facts: facts.connection_by_integration_id("?"), None),
        (lambda facts: facts.live_connection(b"?", b"?"), None),
        (lambda facts: facts.connections(), ()),
        (lambda facts: facts.connections_of_user(b"?"), ()),
        (lambda facts: facts.connection_key("?"), None),
        (lambda facts: facts.grant(b"?"), None),
        (lambda facts: facts.live_grants(b"?", b"?"), ()),
        (lambda facts: facts.has_live_grant_beside(b"?"), False),
        (lambda facts: facts.ended_token(b"?"), None),
        (lambda facts: facts.pending(b"?"), None),
        (lambda facts: facts.signing_keys(), ()),
        (lambda facts: facts.due_notices(NOON), ()),
        (lambda facts: facts.notices(b"?"), ()),
        (lambda facts: facts.audit(), ()),
    ],
)
def test_an_empty_storage_knows_nothing(storage: Any, question: Any, nothing: Any) -> None:
    assert ask(storage, question) == nothing


def test_what_was_added_is_found_by_its_key(storage: Any) -> None:
    add(storage, *the_world(), ICON, ENDED, pending(), session(), scope(), bucket(), connection_key(), notice())
    assert ask(storage, lambda facts: facts.user(an_id(1))) == user()
    assert ask(storage, lambda facts: facts.account(an_id(2))) == account()
    assert ask(storage, lambda facts: facts.membership(an_id(2), an_id(1))) == membership()
    assert ask(storage, lambda facts: facts.client("client3")) == client()
    assert ask(storage, lambda facts: facts.client_by_row(an_id(3))) == client()
    assert ask(storage, lambda facts: facts.icon(an_id(3))) == ICON
    assert ask(storage, lambda facts: facts.connection(an_id(4))) == VIEW
    assert ask(storage, lambda facts: facts.connection_by_integration_id(f"{4:024x}")) == VIEW
    assert ask(storage, lambda facts: facts.live_connection(an_id(3), an_id(2))) == connection()
    assert ask(storage, lambda facts: facts.grant(an_id(5))) == GrantInUse(
        grant(), connection(), account(), user(), client()
    )
    assert ask(storage, lambda facts: facts.ended_token(b"t" * 16)) == ENDED
    assert ask(storage, lambda facts: facts.pending(an_id(6))) == pending()
    assert ask(storage, lambda facts: facts.session(an_id(8))) == (session(), user())
    assert ask(storage, lambda facts: facts.scopes()) == (scope(),)
    assert ask(storage, lambda facts: facts.failures(an_id(10))) == bucket()
    assert ask(storage, lambda facts: facts.connection_key("act_1")) == (connection_key(), VIEW)
    assert ask(storage, lambda facts: facts.notices(an_id(4))) == (notice(),)


def test_every_field_of_a_grant_comes_back(storage: Any) -> None:
    full = grant(
        resource=("https://api.example/",), generation=7, moved_at=NOON + MINUTE, previous_moved_at=NOON, move_key=b"m",
        code_expires_at=NOON + HOUR, code_challenge="c", redirect_uri_digest=b"r" * 32, redirect_uri_was_sent=True,
        cnf="jkt", oidc={"nonce": "n", "amr": ["pwd", "otp"], "claims": {"é": None}}, refresh_expires_at=NOON + DAY,
        refresh_idle_expires_at=NOON + DAY, access_not_before=NOON, revoked_at=NOON, revoked_reason="r", revoked_by=b"b",
        last_used_day=NOON.date(),
    )  # fmt: skip
    add(storage, user(), account(), client(), connection(), full)
    assert ask(storage, lambda facts: facts.grant(an_id(5))).grant == full


def test_times_keep_their_zone_and_microseconds(storage: Any) -> None:
    in_india = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    long_ago, far_off = datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    add(storage, user(created_at=in_india), session(auth_time=long_ago, expires_at=far_off))
    found, person = ask(storage, lambda facts: facts.session(an_id(8)))
    assert person.created_at == in_india
    assert person.created_at.tzinfo is not None
    assert (found.auth_time, found.expires_at) == (long_ago, far_off)


def test_text_compares_binary(storage: Any) -> None:
    add(storage, user(1, email="ann@example.com"), user(2, email="ANN@example.com"), user(3, email="ann@example.com "))
    add(storage, client(4, client_id="é"), client(5, client_id="e\u0301"), client(6, client_id="nul\0l"))
    assert ask(storage, lambda facts: facts.user_by_email("ann@example.com")).id == an_id(1)
    assert ask(storage, lambda facts: facts.user_by_email("Ann@example.com")) is None
    assert ask(storage, lambda facts: facts.client("é")).id == an_id(4)
    assert ask(storage, lambda facts: facts.client("nul\0l")).id == an_id(6)
    assert ask(storage, lambda facts: facts.client("nul")) is None


def test_people_and_accounts_are_listed_oldest_first_and_bounded(storage: Any) -> None:
    people = [user(1, created_at=NOON + HOUR), user(2), user(3), user(4, created_at=NOON - HOUR)]
    add(storage, *people, account(11, created_at=NOON + HOUR), account(12, removed_at=NOON), client(21), client(22))
    add(storage, client(23, ended_at=NOON, created_at=NOON - HOUR), client(24, created_at=NOON - HOUR))
    assert [each.id for each in ask(storage, lambda facts: facts.users())] == [an_id(n) for n in (4, 2, 3, 1)]
    assert len(ask(storage, lambda facts: facts.users(limit=2))) == 2
    assert [each.id for each in ask(storage, lambda facts: facts.accounts())] == [an_id(12), an_id(11)]
    assert [each.id for each in ask(storage, lambda facts: facts.clients())] == [an_id(24), an_id(21), an_id(22)]


def test_memberships_are_told_from_both_ends(storage: Any) -> None:
    accounts = [account(11, name="b"), account(12, name="a"), account(13, name="0", removed_at=NOON)]
    people = [user(1), user(2)]
    add(storage, *accounts, *people)
    mine = [membership(account_id=each.id, user_id=an_id(1)) for each in accounts]
    hers = membership(account_id=an_id(11), user_id=an_id(2), role="member", created_at=NOON - HOUR)
    add(storage, *mine, hers)
    assert ask(storage, lambda facts: facts.memberships(an_id(1))) == ((mine[1], accounts[1]), (mine[0], accounts[0]))
    assert ask(storage, lambda facts: facts.members(an_id(11))) == ((hers, people[1]), (mine[0], people[0]))


def test_an_account_is_found_by_its_external_id_in_one_dialect(storage: Any) -> None:
    add(storage, account(external_ids={"sunshine": "x", "square": "y"}))
    assert ask(storage, lambda facts: facts.account_by_external_id("sunshine", "x")).id == an_id(2)
    assert ask(storage, lambda facts: facts.account_by_external_id("square", "x")) is None
    do(storage, Replace(account(external_ids={"sunshine": "z"}, version=2)))
    assert ask(storage, lambda facts: facts.account_by_external_id("sunshine", "z")).version == 2
    assert ask(storage, lambda facts: facts.account_by_external_id("sunshine", "x")) is None
    assert ask(storage, lambda facts: facts.account_by_external_id("square", "y")) is None


def test_connections_are_listed_newest_first_by_account_client_and_life(storage: Any) -> None:
    add(storage, user(), account(2), account(12), client(3), client(13))
    add(
        storage,
        connection(41),
        connection(42, client_id=an_id(13), created_at=NOON + HOUR),
        connection(43, account_id=an_id(12), approved_by=None, created_at=NOON - HOUR),
        connection(44, removed_at=NOON, created_at=NOON + DAY),
    )

    def listed(**criteria: Any) -> list[int]:
        views = ask(storage, lambda facts: facts.connections(**criteria))
        return [int.from_bytes(view.connection.id, "big") for view in views]

    assert listed() == [42, 41, 43]
    assert listed(live=False) == [44, 42, 41, 43]
    assert listed(account_id=an_id(2)) == [42, 41]
    assert listed(client_row_id=an_id(3)) == [41, 43]
    assert listed(client_row_id=an_id(3), account_id=an_id(2), live=False) == [44, 41]
    assert listed(limit=1) == [42]
    assert ask(storage, lambda facts: facts.connection(an_id(43))).approved_by is None


def test_a_user_sees_the_live_connections_of_all_accounts(storage: Any) -> None:
    add(storage, user(), account(2, name="b"), account(12, name="a"), account(13), client(3), client(13))
    add(storage, membership(account_id=an_id(2)), membership(account_id=an_id(12), role="member"))
    add(
        storage,
        connection(41),
        connection(42, client_id=an_id(13), created_at=NOON + HOUR),
        connection(43, account_id=an_id(12)),
        connection(44, account_id=an_id(12), client_id=an_id(13), removed_at=NOON),
        connection(45, account_id=an_id(13)),
    )
    views = ask(storage, lambda facts: facts.connections_of_user(an_id(1)))
    assert [view.connection.id for view in views] == [an_id(43), an_id(42), an_id(41)]


def test_a_grant_is_seen_with_the_newest_of_all_that_it_hangs_from(storage: Any) -> None:
    add(storage, *the_world())
    assert ask(storage, lambda facts: facts.grant(an_id(5))).client.name == "C"
    do(storage, Replace(client(name="Renamed", version=2)), Replace(user(disabled_at=NOON, version=2)))
    do(storage, Replace(account(suspended_at=NOON, version=2)))
    do(storage, TouchUse(an_id(5), an_id(4), NOON.date()))
    held = ask(storage, lambda facts: facts.grant(an_id(5)))
    assert (held.client.name, held.user.disabled_at, held.account.suspended_at) == ("Renamed", NOON, NOON)
    assert held.connection.last_used_day == held.grant.last_used_day == NOON.date()
    assert ask(storage, lambda facts: facts.client("client3")).name == "Renamed"
    do(storage, RemoveConnection(an_id(4), NOON, "user_removed"))
    assert ask(storage, lambda facts: facts.grant(an_id(5))).connection.removed_at == NOON


def test_a_grant_without_a_user_has_none_and_one_without_its_rows_is_not_found(storage: Any) -> None:
    add(storage, account(), client(), connection(), grant(5, user_id=None), grant(6, connection_id=an_id(99)))
    assert ask(storage, lambda facts: facts.grant(an_id(5))).user is None
    assert ask(storage, lambda facts: facts.grant(an_id(6))) is None


def test_live_grants_come_least_recently_used_first(storage: Any) -> None:
    today = NOON.date()
    add(
        storage,
        grant(51, last_used_day=today + DAY),
        grant(52, created_at=NOON - 3 * DAY, last_used_day=today),
        grant(53, created_at=NOON - HOUR),
        grant(54, created_at=NOON - 2 * DAY),
        grant(55, revoked_at=NOON),
        grant(56, user_id=None),
        grant(57, connection_id=an_id(44)),
    )
    mine = ask(storage, lambda facts: facts.live_grants(an_id(4), an_id(1)))
    assert [each.id for each in mine] == [an_id(n) for n in (54, 52, 53, 51)]
    assert [each.id for each in ask(storage, lambda facts: facts.live_grants(an_id(4), None))] == [an_id(56)]


def test_whether_a_connection_has_a_live_grant_beside(storage: Any) -> None:
    add(storage, grant(51), grant(52, revoked_at=NOON), grant(53, user_id=None, connection_id=an_id(44)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4)))
    assert not ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), grant_id=an_id(51)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), grant_id=an_id(52)))
    assert not ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), user_id=an_id(1)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), user_id=an_id(2)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(44), user_id=an_id(1)))


def test_a_code_that_nobody_can_exchange_any_more_is_no_live_grant_beside(storage: Any) -> None:
    """It kept a connection alive whose last working grant had been revoked, and nobody was told."""
    add(
        storage,
        grant(51, code_expires_at=NOON),
        grant(52, connection_id=an_id(44), code_expires_at=NOON + HOUR),
        grant(53, connection_id=an_id(45), code_expires_at=NOON, generation=1),
    )
    assert not ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(44)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(45)))


def test_signing_keys_are_those_in_force(storage: Any, clock: Any) -> None:
    later, first = signing_key("b", signs_from=NOON + HOUR), signing_key("a", retires_at=NOON + DAY)
    add(storage, later, first, signing_key("c", retires_at=NOON))
    assert ask(storage, lambda facts: facts.signing_keys()) == (first, later)
    do(storage, Replace(replace(later, retires_at=NOON + HOUR, version=2)))
    assert ask(storage, lambda facts: facts.signing_keys())[1].version == 2
    clock.now = NOON + DAY
    assert ask(storage, lambda facts: facts.signing_keys()) == ()


def test_a_due_notice_is_the_first_of_its_connection_that_nobody_holds(storage: Any) -> None:
    add(
        storage,
        notice(1, connection_id=b"a", delivered_at=NOON),
        notice(2, connection_id=b"a", created_at=NOON + MINUTE),
        notice(3, connection_id=b"a", created_at=NOON + HOUR),
        notice(4, connection_id=b"b", next_attempt_at=NOON + HOUR),
        notice(5, connection_id=b"b", created_at=NOON + MINUTE),
        notice(6, connection_id=b"c", lease=b"l", leased_until=NOON + HOUR),
        notice(7, connection_id=b"d", lease=b"l", leased_until=NOON),
        notice(8, connection_id=b"e", dead_at=NOON),
    )

    def due(at: datetime, limit: int = 100) -> list[int]:
        found = ask(storage, lambda facts: facts.due_notices(at, limit))
        return [int.from_bytes(each.id, "big") for each in found]

    assert due(NOON) == [7, 2]
    assert due(NOON, 1) == [7]
    assert due(NOON + HOUR) == [4, 6, 7, 2]
    assert due(NOON - HOUR) == []


def test_audit_is_told_newest_first(storage: Any) -> None:
    add(
        storage,
        audit_entry(1, connection_id=an_id(4), detail={"scopes": ["a"], "é": 1}),
        audit_entry(2),
        audit_entry(3, connection_id=an_id(4), at=NOON - HOUR),
    )
    entries = ask(storage, lambda facts: facts.audit())
    assert [each.id for each in entries] == [an_id(2), an_id(1), an_id(3)]
    assert entries[1].detail == {"scopes": ["a"], "é": 1}
    assert len(ask(storage, lambda facts: facts.audit(limit=1))) == 1
    of_one = ask(storage, lambda facts: facts.audit(connection_id=an_id(4)))
    assert [each.id for each in of_one] == [an_id(1), an_id(3)]


def test_what_a_rule_sees_is_what_the_rules_before_it_did(storage: Any) -> None:
    add(storage, EndedToken(b"1" * 16, NOON))
    assert ask(storage, lambda facts: facts.ended_token(b"1" * 16)) == EndedToken(b"1" * 16, NOON)
