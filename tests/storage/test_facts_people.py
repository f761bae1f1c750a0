"""What a rule may ask about people, clients, and what the installation keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grantway.protocol.decision import Replace
from grantway.protocol.facts import Page
from grantway.protocol.ids import show
from tests.storage.asking import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    THE_HOUR,
    account,
    add,
    an_id,
    ask,
    audit_entry,
    client,
    developer,
    do,
    event,
    link,
    membership,
    numbers_of,
    operator,
    operator_key,
    refused_authorization,
    session,
    signing_key,
    tally,
    user,
)


def test_listings_are_newest_first_and_go_on_where_a_page_ended(storage: Any) -> None:
    add(storage, *[user(n) for n in (3, 1, 2)], *[account(n) for n in (12, 11)], *[client(n) for n in (21, 22, 24)])
    add(storage, client(23, ended_at=NOON), *[event(n) for n in (31, 32)], *[audit_entry(n) for n in (41, 42)])

    def listed(question: Any) -> list[int]:
        return numbers_of(ask(storage, question))

    assert listed(lambda facts: facts.users()) == [3, 2, 1]
    assert listed(lambda facts: facts.users(Page(2))) == [3, 2]
    assert listed(lambda facts: facts.users(Page(2, an_id(2)))) == [1]
    assert listed(lambda facts: facts.users(Page(2, an_id(1)))) == []
    assert listed(lambda facts: facts.accounts()) == [12, 11]
    assert listed(lambda facts: facts.accounts(Page(5, an_id(12)))) == [11]
    assert listed(lambda facts: facts.clients()) == [24, 22, 21]
    assert listed(lambda facts: facts.clients(Page(1, an_id(24)))) == [22]
    assert listed(lambda facts: facts.audit(Page(1))) == [42]
    assert listed(lambda facts: facts.audit(Page(1, an_id(42)))) == [41]


def test_people_accounts_and_clients_are_found_by_how_they_begin(storage: Any) -> None:
    add(storage, user(1, email="ann@x.example"), user(2, email="anna@x.example"), user(3, email="bob@ann"))
    add(storage, user(4, email=None), user(5, email="an%n_@x.example"), user(6, email="ann\U0010ffff@x.example"))
    add(storage, account(11, name="Acme"), account(12, name="acme"), account(13, name="Acme Ltd"))
    add(storage, client(21, name="Bot"), client(22, name="Bot 2", ended_at=NOON), client(23, name="Bo"))

    def listed(question: Any) -> list[int]:
        return numbers_of(ask(storage, question))

    assert listed(lambda facts: facts.users(email="ann")) == [6, 2, 1]
    assert listed(lambda facts: facts.users(Page(1, an_id(6)), email="ann")) == [2]
    assert listed(lambda facts: facts.users(email="an%")) == [5]
    assert listed(lambda facts: facts.users(email="_")) == []
    assert listed(lambda facts: facts.accounts(name="Acme")) == [13, 11]
    assert listed(lambda facts: facts.accounts(Page(1), name="Acme")) == [13]
    assert listed(lambda facts: facts.clients(name="Bot")) == [21]
    assert listed(lambda facts: facts.clients(name="Bo")) == [23, 21]


def test_a_person_is_found_by_the_platforms_id_binary(storage: Any) -> None:
    add(storage, user(1, external_id="U-1", email=None), user(2, external_id="u-1", email=None), user(3))
    assert ask(storage, lambda facts: facts.user_by_external_id("u-1")).id == an_id(2)
    assert ask(storage, lambda facts: facts.user_by_external_id("U-1 ")) is None


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


def test_an_accounts_clients_are_told_newest_first_and_page_by_page(storage: Any) -> None:
    theirs = [client(n, account_id=an_id(2)) for n in (31, 33, 34)]
    ended = client(32, account_id=an_id(2), ended_at=NOON)
    add(storage, *theirs, ended, client(35, account_id=an_id(22)), client(36))
    assert numbers_of(ask(storage, lambda facts: facts.clients_of_account(an_id(2)))) == [34, 33, 31]
    assert numbers_of(ask(storage, lambda facts: facts.clients_of_account(an_id(2), Page(1, an_id(34))))) == [33]
    do(storage, Replace(client(33, account_id=an_id(22), version=2)))
    assert numbers_of(ask(storage, lambda facts: facts.clients_of_account(an_id(2)))) == [34, 31]
    assert numbers_of(ask(storage, lambda facts: facts.clients_of_account(an_id(22)))) == [35, 33]


def test_operators_and_developers_are_told_longest_first(storage: Any) -> None:
    people = [user(n) for n in (1, 2, 3)]
    add(storage, *people, client(31), client(32), client(33, ended_at=NOON), client(34))
    since = [NOON, NOON - HOUR, NOON + HOUR]
    operators = [operator(n, created_at=at) for n, at in zip((1, 2, 3), since, strict=True)]
    add(storage, *operators, operator(99))
    told = ask(storage, lambda facts: facts.operators())
    assert told == ((operators[1], people[1]), (operators[0], people[0]), (operators[2], people[2]))
    developers = [developer(client_id=an_id(31), user_id=an_id(n), created_at=since[n - 1]) for n in (1, 2)]
    add(storage, *developers, *[developer(client_id=an_id(n), user_id=an_id(2)) for n in (32, 33)])
    told = ask(storage, lambda facts: facts.developers(an_id(31)))
    assert told == ((developers[1], people[1]), (developers[0], people[0]))
    assert numbers_of(ask(storage, lambda facts: facts.clients_of_developer(an_id(2)))) == [32, 31]


def test_a_persons_sessions_that_are_not_over_are_told_newest_sign_in_first(storage: Any) -> None:
    add(storage, user(), user(2))
    add(
        storage,
        session(81, label="Firefox"),
        session(82, auth_time=NOON + HOUR),
        session(83, expires_at=NOON),
        session(84, user_id=an_id(2)),
    )
    assert numbers_of(ask(storage, lambda facts: facts.sessions_of(an_id(1)))) == [82, 81]
    assert ask(storage, lambda facts: facts.session(an_id(81))) == (session(81, label="Firefox"), user())


def test_links_are_found_with_their_person_and_all_of_a_person(storage: Any) -> None:
    add(
        storage,
        user(),
        link(1),
        link(2, created_at=NOON - HOUR, expires_at=NOON - MINUTE, email=None),
        link(3, user_id=b"?"),
    )
    assert ask(storage, lambda facts: facts.link(an_id(1))) == (link(1), user())
    assert ask(storage, lambda facts: facts.link(an_id(3))) is None
    mine = ask(storage, lambda facts: facts.links_of(an_id(1)))
    assert [each.digest for each in mine] == [an_id(2), an_id(1)]


def test_drafts_that_wait_for_approval_are_told_longest_waiting_first(storage: Any) -> None:
    add(
        storage,
        client(31, submitted_at=NOON),
        client(32, submitted_at=NOON - HOUR),
        client(33),
        client(34, submitted_at=NOON, approved_at=NOON),
        client(35, submitted_at=NOON, ended_at=NOON),
    )
    assert numbers_of(ask(storage, lambda facts: facts.submitted_clients())) == [32, 31]


def test_refused_authorizations_are_told_latest_first(storage: Any) -> None:
    at = [NOON, NOON + HOUR, NOON - HOUR]
    add(
        storage, *[refused_authorization(n, last_at=at[n]) for n in range(3)], refused_authorization(client_id=an_id(9))
    )
    told = ask(storage, lambda facts: facts.refused_authorizations(an_id(3)))
    assert [each.slot for each in told] == [1, 0, 2]


def test_signing_keys_are_those_in_force(storage: Any, clock: Any) -> None:
    later, first = signing_key("b", signs_from=NOON + HOUR), signing_key("a", retires_at=NOON + DAY)
    add(storage, later, first, signing_key("c", retires_at=NOON))
    assert ask(storage, lambda facts: facts.signing_keys()) == (first, later)
    do(storage, Replace(replace(later, retires_at=NOON + HOUR, version=2)))
    assert ask(storage, lambda facts: facts.signing_keys())[1].version == 2
    clock.now = NOON + DAY
    assert ask(storage, lambda facts: facts.signing_keys()) == ()


def test_operator_keys_are_told_newest_first_over_or_not(storage: Any) -> None:
    add(storage, operator_key(61, revoked_at=NOON), operator_key(63, expires_at=NOON), operator_key(62))
    assert numbers_of(ask(storage, lambda facts: facts.operator_keys())) == [63, 62, 61]


def test_counts_are_told_by_hour_kind_and_label(storage: Any) -> None:
    kept = [tally("b"), tally("a", hour=THE_HOUR + HOUR), tally("a", kind="refusals", count=9), tally("a")]
    add(storage, *kept, tally("a", hour=THE_HOUR - HOUR))
    assert ask(storage, lambda facts: facts.tallies(THE_HOUR)) == (kept[2], kept[3], kept[0], kept[1])
    assert ask(storage, lambda facts: facts.tallies(THE_HOUR, "tokens")) == (kept[3], kept[0], kept[1])
    assert ask(storage, lambda facts: facts.tallies(NOON)) == (kept[1],)


def test_counts_are_added_up_for_so_many_hours(storage: Any) -> None:
    midnight = THE_HOUR.replace(hour=0)
    add(storage, tally("a", count=1), tally("a", hour=THE_HOUR + HOUR, count=2), tally("b", count=4))
    add(storage, tally("a", hour=midnight + DAY, count=8), tally("a", hour=midnight - HOUR, count=16))
    added = ask(storage, lambda facts: facts.tallies(midnight, hours=24))
    assert [(each.hour, each.label, each.count) for each in added] == [
        (midnight, "a", 3), (midnight, "b", 4), (midnight + DAY, "a", 8),
    ]  # fmt: skip
    first = ask(storage, lambda facts: facts.tallies(midnight, hours=6))[0]
    assert (first.hour, first.count) == (THE_HOUR, 3)


def test_the_audit_is_searched_by_all_that_is_named(storage: Any) -> None:
    ada = show("us", an_id(1))
    add(
        storage,
        audit_entry(91, connection_id=an_id(4), client_id=an_id(3), detail={"scopes": ["a"], "é": 1}),
        audit_entry(92, account_id=an_id(2), client_id=an_id(3), reason="customer"),
        audit_entry(93, connection_id=an_id(4), at=NOON - HOUR, action="connection_removed", reason="customer"),
        audit_entry(94, actor=ada),
        audit_entry(95, user_id=an_id(1), action="signed_in"),
        audit_entry(96, actor=ada, user_id=an_id(1), action="signed_in"),
    )

    def found(**criteria: Any) -> list[int]:
        return numbers_of(ask(storage, lambda facts: facts.audit(**criteria)))

    assert found() == [96, 95, 94, 93, 92, 91]
    assert found(connection_id=an_id(4)) == [93, 91]
    assert found(client_row_id=an_id(3)) == [92, 91]
    assert found(account_id=an_id(2)) == [92]
    assert found(reason="customer") == [93, 92]
    assert found(action="signed_in") == [96, 95]
    assert found(user_id=an_id(1)) == [96, 95, 94]
    assert found(user_id=an_id(1), action="signed_in") == [96, 95]
    assert found(user_id=an_id(1), page=Page(1, an_id(96))) == [95]
    assert found(user_id=an_id(1), page=Page(2)) == [96, 95]
    assert found(reason="customer", connection_id=an_id(4)) == [93]
    assert found(reason="customer", client_row_id=an_id(3), account_id=an_id(2)) == [92]
    assert found(reason="customer", client_row_id=an_id(99)) == []
    (entry,) = ask(storage, lambda facts: facts.audit(Page(1, an_id(92))))
    assert entry.detail == {"scopes": ["a"], "é": 1}
