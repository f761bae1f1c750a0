"""What a rule may ask about connections, their grants, and what lives by them."""

from __future__ import annotations

from datetime import date
from typing import Any

from grantway.protocol.decision import RemoveConnection, Replace, TouchUse
from grantway.protocol.facts import Page
from tests.storage.asking import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    account,
    add,
    an_id,
    ask,
    client,
    connection,
    do,
    grant,
    numbers_of,
    resource,
    the_world,
    user,
    webhook,
)


def test_connections_are_listed_newest_first_by_account_client_and_life(storage: Any) -> None:
    add(storage, user(), account(2), account(12), client(3), client(13))
    add(
        storage,
        connection(41),
        connection(42, client_id=an_id(13), suspended_at=NOON),
        connection(43, account_id=an_id(12), approved_by=None),
        connection(44, removed_at=NOON, suspended_at=NOON),
    )

    def listed(**criteria: Any) -> list[int]:
        views = ask(storage, lambda facts: facts.connections(**criteria))
        return numbers_of(view.connection for view in views)

    assert listed() == [43, 42, 41]
    assert listed(state="all") == [44, 43, 42, 41]
    assert listed(state="suspended") == [42]
    assert listed(state="removed") == [44]
    assert listed(account_id=an_id(2)) == [42, 41]
    assert listed(client_row_id=an_id(3)) == [43, 41]
    assert listed(client_row_id=an_id(3), account_id=an_id(2), state="all") == [44, 41]
    assert listed(client_row_id=an_id(13), state="suspended") == [42]
    assert listed(account_id=an_id(12), state="removed") == []
    assert listed(page=Page(2)) == [43, 42]
    assert listed(page=Page(2, an_id(42))) == [41]
    assert listed(page=Page(1, an_id(44)), account_id=an_id(2)) == [42]
    assert ask(storage, lambda facts: facts.connection(an_id(43))).approved_by is None


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
    assert ask(storage, lambda facts: facts.count_live_grants(an_id(4))) == 1
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4)))
    assert not ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), grant_id=an_id(51)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), grant_id=an_id(52)))
    assert not ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), user_id=an_id(1)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(4), user_id=an_id(2)))
    assert ask(storage, lambda facts: facts.has_live_grant_beside(an_id(44), user_id=an_id(1)))


def test_a_clients_permanent_tokens_are_told_oldest_first_while_their_connections_live(storage: Any) -> None:
    add(storage, user(), account(), account(21), client(), client(31))
    add(storage, connection(), connection(41, account_id=an_id(21)), connection(42, client_id=an_id(31)))
    gone = connection(43, removed_at=NOON)
    add(storage, gone, grant(59, origin="permanent", connection_id=an_id(43)))
    add(
        storage,
        grant(52, origin="permanent"),
        grant(51, origin="permanent", connection_id=an_id(41), account_id=an_id(21), user_id=None),
        grant(53, origin="permanent", revoked_at=NOON),
        grant(54),
        grant(55, origin="permanent", connection_id=an_id(42), client_id=an_id(31)),
    )
    assert numbers_of(ask(storage, lambda facts: facts.permanent_grants(an_id(3)))) == [51, 52]
    assert numbers_of(ask(storage, lambda facts: facts.permanent_grants(an_id(3), an_id(2)))) == [52]
    assert numbers_of(ask(storage, lambda facts: facts.permanent_grants(an_id(31)))) == [55]


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


def test_connections_under_which_a_person_has_live_grants(storage: Any) -> None:
    add(storage, user(), account(2), account(12), client(3), client(13), client(23), client(33))
    add(
        storage,
        connection(41),
        connection(42, client_id=an_id(13)),
        connection(43, account_id=an_id(12)),
        connection(44, client_id=an_id(23), removed_at=NOON),
        connection(45, client_id=an_id(33), approved_by=None),
    )
    add(
        storage, *[grant(50 + n, connection_id=an_id(40 + n)) for n in (1, 3, 4, 5)], grant(56, connection_id=an_id(41))
    )
    add(
        storage,
        grant(57, connection_id=an_id(42), revoked_at=NOON),
        grant(58, connection_id=an_id(42), user_id=an_id(9)),
    )
    mine = ask(storage, lambda facts: facts.connections_approved_by(an_id(1), an_id(2)))
    assert numbers_of(mine) == [41, 45]
    assert numbers_of(ask(storage, lambda facts: facts.connections_approved_by(an_id(9), an_id(2)))) == [42]


def test_idle_connections_are_those_that_nobody_used_since_that_day(storage: Any) -> None:
    today, clients = NOON.date(), range(31, 39)
    add(storage, account(), *[client(number) for number in clients])
    old, active = NOON - 9 * DAY, {"activated_at": NOON}
    add(
        storage,
        connection(41, client_id=an_id(31), created_at=old, **active),
        connection(42, client_id=an_id(32), created_at=NOON - 99 * DAY, last_used_day=today - 7 * DAY, **active),
        connection(43, client_id=an_id(33), created_at=old - DAY, last_used_day=today, **active),
        connection(44, client_id=an_id(34), created_at=old),
        connection(45, client_id=an_id(35), created_at=old, removed_at=NOON, **active),
        connection(46, client_id=an_id(36), created_at=NOON, **active),
        connection(47, client_id=an_id(37), created_at=old - DAY, last_used_day=today - 9 * DAY, **active),
    )

    def idle(before: date, limit: int = 100) -> list[int]:
        views = ask(storage, lambda facts: facts.idle_connections(before, limit))
        return numbers_of(view.connection for view in views)

    assert idle(today) == [41, 47, 42]
    assert idle(today, 2) == [41, 47]
    assert idle(today - 7 * DAY) == [41, 47]
    assert idle(today - 9 * DAY) == []


def test_abandoned_connections_never_had_a_token_and_cannot_get_one(storage: Any) -> None:
    add(storage, account(), *[client(number) for number in range(31, 39)])
    old = NOON - HOUR
    add(
        storage,
        *[connection(40 + n, client_id=an_id(30 + n), created_at=old - n * MINUTE) for n in range(1, 6)],
        connection(46, client_id=an_id(36), created_at=NOON),
        connection(47, client_id=an_id(37), created_at=old, activated_at=NOON),
        connection(48, client_id=an_id(38), created_at=old, removed_at=NOON),
    )
    add(
        storage,
        grant(51, connection_id=an_id(41), code_expires_at=NOON + MINUTE),
        grant(52, connection_id=an_id(42), code_expires_at=NOON),
        grant(53, connection_id=an_id(43), code_expires_at=NOON + MINUTE, revoked_at=NOON),
        grant(54, connection_id=an_id(44), code_expires_at=NOON),
        grant(55, connection_id=an_id(44), code_expires_at=NOON + MINUTE),
    )

    def abandoned(limit: int = 100) -> list[int]:
        views = ask(storage, lambda facts: facts.abandoned_connections(NOON, limit))
        return numbers_of(view.connection for view in views)

    assert abandoned() == [45, 43, 42]
    assert abandoned(2) == [45, 43]


def test_webhooks_are_told_by_connection_by_account_and_alone(storage: Any) -> None:
    add(storage, account(2), account(12), client(3), client(13))
    connections = connection(4), connection(44, client_id=an_id(13)), connection(45, account_id=an_id(12))
    gone = connection(46, removed_at=NOON)
    add(storage, *connections, gone)
    add(
        storage,
        webhook(62),
        webhook(61),
        webhook(63, disabled_at=NOON),
        webhook(64, ended_at=NOON),
        webhook(65, connection_id=an_id(44)),
        webhook(66, connection_id=an_id(45)),
        webhook(67, connection_id=an_id(46)),
    )
    assert numbers_of(ask(storage, lambda facts: facts.webhooks(an_id(4)))) == [61, 62, 63]
    of_account = ask(storage, lambda facts: facts.webhooks_of_account(an_id(2)))
    assert of_account == (
        (webhook(61), connections[0]),
        (webhook(62), connections[0]),
        (webhook(65, connection_id=an_id(44)), connections[1]),
    )
    assert ask(storage, lambda facts: facts.webhook(an_id(64))).webhook.ended_at == NOON
    assert ask(storage, lambda facts: facts.webhook(an_id(67))).view.connection == gone


def test_resources_are_told_oldest_first_and_by_what_the_platform_calls_them(storage: Any) -> None:
    ended = resource(61, reference="x", cancelled_at=NOON, cancelled_reason="customer")
    add(storage, ended, resource(63), resource(62, reference="x"), resource(64, connection_id=an_id(44)))
    assert numbers_of(ask(storage, lambda facts: facts.resources(an_id(4)))) == [62, 63]
    assert numbers_of(ask(storage, lambda facts: facts.resources(an_id(4), live=False))) == [61, 62, 63]
    assert numbers_of(ask(storage, lambda facts: facts.resources(an_id(4), live=False, limit=2))) == [61, 62]
    assert ask(storage, lambda facts: facts.resource_by_reference(an_id(4), "subscription", "x")).id == an_id(62)
    assert ask(storage, lambda facts: facts.resource_by_reference(an_id(4), "webhook", "x")) is None
    assert ask(storage, lambda facts: facts.resource_by_reference(an_id(44), "subscription", "x")) is None
