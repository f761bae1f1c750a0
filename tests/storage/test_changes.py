"""Every change, and its guard."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from grantway.protocol.decision import (
    Add,
    EndGrant,
    EndUserGrants,
    Forget,
    MoveGeneration,
    Put,
    RemoveConnection,
    Replace,
)
from grantway.server.storage.port import Contended
from tests.storage.asking import (
    DAY,
    ENDED,
    HOUR,
    ICON,
    NOON,
    account,
    add,
    an_id,
    ask,
    attempt,
    audit_entry,
    bucket,
    client,
    connection,
    connection_key,
    developer,
    do,
    event,
    foreign_token,
    grant,
    idempotent_answer,
    link,
    membership,
    notice,
    operator,
    operator_key,
    pending,
    refused_authorization,
    resource,
    restoration,
    scope,
    session,
    sign_in_request,
    signing_key,
    tally,
    the_world,
    user,
    webhook,
)


def refuses(storage: Any, *changes: Any) -> bool:
    with pytest.raises(Contended):
        do(storage, *changes)
    return True


def the_grant(storage: Any, number: int = 5) -> Any:
    return ask(storage, lambda facts: facts.grant(an_id(number))).grant


@pytest.mark.parametrize(
    "record",
    [
        user(), account(), membership(), client(), ICON, connection(), grant(), ENDED, pending(), session(),
        connection_key(), signing_key(), scope(), notice(), audit_entry(), bucket(), operator(), link(), sign_in_request(),
        developer(), refused_authorization(), webhook(), resource(), event(), attempt(), operator_key(),
        idempotent_answer(), tally(), foreign_token(), restoration(),
    ],
    ids=lambda record: type(record).__name__,
)  # fmt: skip
def test_nothing_can_be_added_twice(storage: Any, record: Any) -> None:
    add(storage, record)
    assert refuses(storage, Add(record))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (user(1, email="a"), user(2, email="a")),
        (account(1, external_ids={"square": "m"}), account(2, external_ids={"square": "m", "sunshine": "x"})),
        (client(1, client_id="c"), client(2, client_id="c")),
        (connection(1, client_id=b"1", integration_id="i"), connection(2, client_id=b"2", integration_id="i")),
        (connection(1), connection(2)),
        (user(1, email=None, external_id="p"), user(2, email=None, external_id="p")),
        (resource(1, reference="r"), resource(2, reference="r")),
    ],
    ids=["email", "external id", "client_id", "integration_id", "live connection", "platform's id", "resource"],
)
def test_what_is_unique_cannot_be_taken(storage: Any, first: Any, second: Any) -> None:
    add(storage, first)
    assert refuses(storage, Add(second))


def test_unique_ids_are_held_for_ever_but_a_removed_connection_makes_room(storage: Any) -> None:
    add(storage, connection(41), client(ended_at=NOON))
    do(storage, RemoveConnection(an_id(41), NOON, "user_removed"))
    add(storage, connection(42))
    assert ask(storage, lambda facts: facts.live_connection(an_id(3), an_id(2))).id == an_id(42)
    assert refuses(storage, Add(client(99, client_id="client3")))
    assert refuses(storage, Replace(connection(41, version=3)))


def test_what_is_unique_is_so_only_where_it_is_said(storage: Any) -> None:
    add(storage, user(1, email=None), user(2, email=None), resource(11, reference="r"))
    others: Any = (
        {"kind": "webhook"},
        {"connection_id": an_id(44)},
        {"cancelled_at": NOON, "cancelled_reason": "customer"},
    )
    add(storage, *[resource(12 + n, reference="r", **fields) for n, fields in enumerate(others)])
    do(storage, Replace(resource(11, reference="r", cancelled_at=NOON, cancelled_reason="customer", version=2)))
    add(storage, resource(21, reference="r"))
    assert refuses(storage, Replace(resource(11, reference="r", version=3)))
    assert ask(storage, lambda facts: facts.resource_by_reference(an_id(4), "subscription", "r")).id == an_id(21)


@pytest.mark.parametrize(
    "record",
    [
        user(), account(), client(), connection(), pending(), signing_key(), webhook(), resource(), sign_in_request(),
        operator_key(),
    ],
    ids=lambda record: type(record).__name__,
)  # fmt: skip
def test_a_replacement_needs_the_version_before_it(storage: Any, record: Any) -> None:
    assert refuses(storage, Replace(replace(record, version=2)))
    add(storage, record)
    assert refuses(storage, Replace(record))
    assert refuses(storage, Replace(replace(record, version=3)))
    do(storage, Replace(replace(record, version=2)))
    assert refuses(storage, Replace(replace(record, version=2)))
    do(storage, Replace(replace(record, version=3)))


def test_a_replacement_changes_every_field(storage: Any) -> None:
    add(storage, pending())
    changed = pending(
        browser_digest=b"c", client_id=b"d", created_at=NOON + DAY, expires_at=NOON, redirect_uri="u",
        redirect_uri_was_sent=False, scope=(), resource=("r",), state=None, code_challenge="c", prompt=(), refusal=None,
        user_id=b"e", account_id=b"f", version=2,
    )  # fmt: skip
    do(storage, Replace(changed))
    assert ask(storage, lambda facts: facts.pending(an_id(6))) == changed


def test_a_replacement_cannot_take_what_is_unique(storage: Any) -> None:
    add(storage, user(1), user(2), account(11, external_ids={"square": "m"}), account(12, external_ids={"square": "n"}))
    assert refuses(storage, Replace(user(2, email="user1@example.com", version=2)))
    assert refuses(storage, Replace(account(12, external_ids={"square": "m"}, version=2)))
    assert ask(storage, lambda facts: facts.account_by_external_id("square", "n")).id == an_id(12)


@pytest.mark.parametrize(
    ("before", "after", "question"),
    [
        (membership(), membership(role="member"), lambda facts: facts.membership(an_id(2), an_id(1))),
        (ICON, replace(ICON, png=b"other"), lambda facts: facts.icon(an_id(3))),
        (ENDED, replace(ENDED, keep_until=NOON), lambda facts: facts.ended_token(ENDED.serial)),
        (
            replace(ENDED, ends_at=NOON + HOUR),
            ENDED,
            lambda facts: facts.ended_token(ENDED.serial),
        ),
        (scope(), scope(sensitivity="high"), lambda facts: first(facts.scopes())),
        (bucket(), bucket(failures=2), lambda facts: facts.failures(an_id(10))),
        (operator(), operator(role="viewer"), lambda facts: facts.operator(an_id(1))),
        (developer(), developer(created_at=NOON + DAY), lambda facts: facts.developer(an_id(3), an_id(1))),
        (
            refused_authorization(),
            refused_authorization(count=2, last_at=NOON + DAY),
            lambda facts: first(facts.refused_authorizations(an_id(3))),
        ),
    ],
    ids=[
        "membership",
        "icon",
        "ended token",
        "renewed and then ended token",
        "scope",
        "failure bucket",
        "operator",
        "developer",
        "refused authorization",
    ],
)
def test_what_is_put_is_so_whatever_it_was(storage: Any, before: Any, after: Any, question: Any) -> None:
    do(storage, Put(before))
    assert ask(storage, question) == before
    do(storage, Put(after))
    assert ask(storage, question) == after


async def first(several: Any) -> Any:
    return (await several)[0]


@pytest.mark.parametrize(
    "record",
    [
        membership(), ICON, ENDED, pending(), session(), connection_key(), signing_key(), scope(), bucket(), operator(),
        developer(), link(), sign_in_request(), idempotent_answer(),
    ],
    ids=lambda record: type(record).__name__,
)  # fmt: skip
def test_what_is_forgotten_is_forgotten_once(storage: Any, record: Any) -> None:
    assert refuses(storage, Forget(record))
    add(storage, record)
    do(storage, Forget(record))
    assert refuses(storage, Forget(record))
    add(storage, record)


@pytest.mark.parametrize(
    "change",
    [
        Put(user()), Put(grant()), Put(notice()), Put(audit_entry()), Replace(grant()), Replace(bucket()), Forget(user()),
        Forget(client()), Forget(grant()), Forget(connection()), Forget(audit_entry()), Forget(webhook()),
        Forget(resource()), Forget(operator_key()), Put(webhook()), Put(link()), Put(tally()), Replace(event()),
        Put(foreign_token()), Forget(foreign_token()),
        Add(user(created_at=datetime(2026, 1, 1))), Put(bucket(expires_at=datetime(2026, 1, 1))),  # noqa: DTZ001
    ],
    ids=lambda change: f"{type(change).__name__} {type(change.record).__name__}",
)  # fmt: skip
def test_a_change_that_makes_no_sense_is_a_fault_of_the_rule(storage: Any, change: Any) -> None:
    add(storage, user(11), grant())
    with pytest.raises(TypeError):
        do(storage, Add(user(12)), change)
    assert ask(storage, lambda facts: facts.user(an_id(12))) is None


def test_a_generation_moves_once_and_remembers_when(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, MoveGeneration(an_id(5), 0, NOON, b"key", NOON + DAY))
    moved = the_grant(storage)
    assert (moved.generation, moved.moved_at, moved.previous_moved_at) == (1, NOON, None)
    assert (moved.move_key, moved.refresh_idle_expires_at) == (b"key", NOON + DAY)
    assert refuses(storage, MoveGeneration(an_id(5), 0, NOON))
    do(storage, MoveGeneration(an_id(5), 1, NOON + HOUR))
    moved = the_grant(storage)
    assert (moved.generation, moved.moved_at, moved.previous_moved_at) == (2, NOON + HOUR, NOON)
    assert (moved.move_key, moved.refresh_idle_expires_at) == (None, NOON + DAY)


def test_the_time_of_a_move_never_goes_back(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, MoveGeneration(an_id(5), 0, NOON))
    do(storage, MoveGeneration(an_id(5), 1, NOON - HOUR))
    assert (the_grant(storage).moved_at, the_grant(storage).previous_moved_at) == (NOON, NOON)


def test_an_ended_or_missing_grant_does_not_move(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, EndGrant(an_id(5), NOON, "revoked"))
    assert refuses(storage, MoveGeneration(an_id(5), 0, NOON))
    assert refuses(storage, MoveGeneration(an_id(99), 0, NOON))


def test_ending_what_is_ended_changes_nothing(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, EndGrant(an_id(5), NOON, "first", b"by"))
    do(storage, EndGrant(an_id(5), NOON + DAY, "second"), EndGrant(an_id(99), NOON, "of nothing"))
    ended = the_grant(storage)
    assert (ended.revoked_at, ended.revoked_reason, ended.revoked_by) == (NOON, "first", b"by")


def test_a_users_grants_end_and_others_stay(storage: Any) -> None:
    add(storage, *the_world(), connection(44, client_id=b"other"))
    add(storage, grant(51), grant(52, user_id=an_id(8)), grant(53, connection_id=an_id(44)), grant(54, user_id=None))
    do(storage, EndGrant(an_id(51), NOON, "before"))
    do(storage, EndUserGrants(an_id(4), an_id(1), NOON + HOUR, "left"))
    live = ask(storage, lambda facts: facts.live_grants(an_id(4), an_id(1)))
    assert live == ()
    assert the_grant(storage).revoked_reason == "left"
    assert the_grant(storage, 51).revoked_reason == "before"
    assert len(ask(storage, lambda facts: facts.live_grants(an_id(4), an_id(8)))) == 1
    assert len(ask(storage, lambda facts: facts.live_grants(an_id(4), None))) == 1
    assert len(ask(storage, lambda facts: facts.live_grants(an_id(44), an_id(1)))) == 1
