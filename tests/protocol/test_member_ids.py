"""The ids by which dialects know a person in an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.people import add_member
from grantway.protocol.decision import Decision, Put
from grantway.protocol.identity import Identity, IdentityAccount, check_identity, settle_identity
from grantway.protocol.model import Account, Membership
from tests.helpers.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def membership(stage: Stage, user: Any) -> Membership:
    found: Membership = stage.stored(Membership, (stage.acme.id, user.id))
    return found


def join(stage: Stage, email: str, role: str = "member", **ids: str) -> Any:
    return stage.decide(add_member, stage.acme.id, email, role, ids or None).answer


def test_everybody_who_joins_an_account_gets_a_number_of_their_own_in_it(stage: Stage) -> None:
    people = [stage.user(f"Person{n}", "member") for n in range(20)]
    numbers = {membership(stage, person).external_ids["phonecom"] for person in people}
    assert len(numbers) == 20
    assert all(number.isdigit() and int(number) < 2**31 for number in numbers)


def test_the_platform_may_say_which_and_it_stays_with_another_role(stage: Stage) -> None:
    grace = stage.house.user("grace@example.com", "Grace")
    assert join(stage, "grace@example.com", phonecom="41").membership.external_ids == {"phonecom": "41"}
    join(stage, "grace@example.com", "admin")
    assert (membership(stage, grace).role, membership(stage, grace).external_ids) == ("admin", {"phonecom": "41"})
    join(stage, "grace@example.com", "admin", phonecom="42")
    assert membership(stage, grace).external_ids == {"phonecom": "42"}


def test_the_last_owner_may_be_given_another_number(stage: Stage) -> None:
    assert join(stage, "ada@example.com", "owner", phonecom="7").membership.external_ids == {"phonecom": "7"}


def test_no_two_members_of_an_account_share_one_but_accounts_do_not_mind(stage: Stage) -> None:
    stage.house.user("grace@example.com", "Grace")
    join(stage, "ada@example.com", "owner", phonecom="41")
    taken = join(stage, "grace@example.com", phonecom="41")
    assert isinstance(taken, Rejected)
    assert taken.reason == "member_id_taken"
    other = stage.house.account("Other")
    elsewhere: Any = stage.decide(add_member, other.id, "grace@example.com", "owner", {"phonecom": "41"}).answer
    assert elsewhere.membership.external_ids == {"phonecom": "41"}


@pytest.mark.parametrize("text", ["", "0", "-1", "07", "1.5", "abc", "9007199254740992", "٣"])
def test_what_is_no_integer_of_json_is_none(stage: Stage, text: str) -> None:
    answer: Any = stage.decide(add_member, stage.acme.id, "ada@example.com", "owner", {"phonecom": text}).answer
    assert answer.reason == "member_id_malformed"


def test_other_dialects_know_nobody_by_an_id(stage: Stage) -> None:
    answer: Any = stage.decide(add_member, stage.acme.id, "ada@example.com", "owner", {"square": "1"}).answer
    assert answer.reason == "member_id_malformed"


# As the platform says with a sign-in


def arrive(stage: Stage, account: str = "acme", person: str = "p1", **ids: str) -> Any:
    said = IdentityAccount(account, "Acme", "member", member_ids=ids)
    identity = Identity(person, "Grace", stage.clock() - timedelta(minutes=1), (said,))
    assert check_identity(identity, stage.clock()) is None

    async def rule(facts: Any, at: Any) -> Decision[Any]:
        settled = await settle_identity(facts, at, identity)
        return Decision(settled, () if isinstance(settled, Rejected) else settled.changes)

    return stage.decide(rule)


def test_a_sign_in_at_the_platform_says_it_or_it_is_drawn(stage: Stage) -> None:
    first = arrive(stage).answer
    drawn = stage.all(Membership)[-1].external_ids["phonecom"]
    assert drawn.isdigit()
    assert arrive(stage).changes == ()
    arrive(stage, phonecom="41")
    assert stage.all(Membership)[-1].external_ids == {"phonecom": "41"}
    assert arrive(stage).changes == ()
    assert first.user.external_id == "p1"


def test_somebody_from_before_there_were_such_ids_gets_one_with_their_next_sign_in(stage: Stage) -> None:
    arrive(stage)
    known = stage.all(Membership)[-1]
    stage.make_true(Put(Membership(known.account_id, known.user_id, known.role, known.created_at)))
    arrive(stage)
    assert "phonecom" in stage.all(Membership)[-1].external_ids


def test_an_id_that_is_anothers_is_refused_and_nothing_of_the_sign_in_becomes_true(stage: Stage) -> None:
    arrive(stage, person="p1", phonecom="41")
    people = len(stage.all(Membership))
    taken = arrive(stage, person="p2", phonecom="41").answer
    assert isinstance(taken, Rejected)
    assert len(stage.all(Membership)) == people
    assert {account.name for account in stage.all(Account)} == {"Acme"}


def test_malformed_ids_are_told_before_anything_is_looked_up(stage: Stage) -> None:
    said = IdentityAccount("acme", "Acme", "member", member_ids={"phonecom": "x"})
    problem = check_identity(Identity("p1", "Grace", stage.clock(), (said,)), stage.clock())
    assert problem == "A phonecom id of a member (an extension) is a positive integer."
