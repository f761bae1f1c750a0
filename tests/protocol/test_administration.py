"""People, accounts and the scope catalogue, as an operator makes them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.people import add_member, check_password, create_user, remove_member, set_password
from grantway.protocol.administration.scopes import publish_catalogue, put_scope, remove_scope
from grantway.protocol.decision import EndUserGrants, Replace
from grantway.protocol.model import Scope
from tests.helpers.people import House


@pytest.fixture
def house() -> House:
    return House.in_memory()


def rejected(decision: Any, reason: str) -> str:
    assert isinstance(decision.answer, Rejected), decision.answer
    assert decision.answer.reason == decision.reason == reason
    assert decision.changes == ()
    sentence: str = decision.answer.sentence
    assert sentence.endswith(".")
    return sentence


def test_an_address_is_one_whatever_its_case(house: House) -> None:
    house.user("Ada@Example.com")
    assert "ada@example.com" in rejected(house.decide(create_user, " ada@EXAMPLE.com ", "Ada"), "user_exists")


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.com", "a b@example.com", "a@b@c", "x" * 250 + "@example.com"]
)
def test_what_is_not_an_address_is_refused(house: House, email: str) -> None:
    rejected(house.decide(create_user, email, "Ada"), "email_malformed")


@pytest.mark.parametrize("name", ["", "  ", "A" * 201, "Ada\nLovelace", "Ada\x00"])
def test_a_name_can_be_shown_on_a_page(house: House, name: str) -> None:
    rejected(house.decide(create_user, "ada@example.com", name), "name_malformed")


def test_each_new_password_raises_the_version_that_sign_ins_are_bound_to(house: House) -> None:
    user = house.user(password_hash="one")
    changed = house.decide(set_password, "ADA@example.com", "two").answer
    assert not isinstance(changed, Rejected)
    assert (changed.password_hash, changed.password_version) == ("two", user.password_version + 1)
    rejected(house.decide(set_password, "nobody@example.com", "two"), "user_unknown")


def test_passwords_are_bounded_on_both_sides() -> None:
    assert check_password("1234567")
    assert check_password("12345678") is None
    assert check_password("x" * 1025)


def test_an_account_has_an_id_in_the_form_of_every_dialect(house: House) -> None:
    ids = house.account().external_ids
    assert re.fullmatch(r"[0-9a-f]{24}", ids["sunshine"])
    assert 8 <= len(ids["square"]) <= 191
    assert int(ids["phonecom"]) > 0


def test_given_ids_are_kept_and_belong_to_one_account(house: House) -> None:
    mine = {"sunshine": "5698edbf2a43bd081be982f1", "phonecom": "1234", "square": "MLEFBHHSJGVHD", "standard": "acme"}
    assert house.account(external_ids=mine).external_ids == mine
    for dialect, external_id in mine.items():
        other = NewAccount("Other", external_ids={dialect: external_id})
        rejected(house.decide(create_account, other), "external_id_taken")


@pytest.mark.parametrize(
    ("dialect", "external_id"),
    [
        ("sunshine", "5698EDBF2A43BD081BE982F1"),
        ("sunshine", "5698edbf"),
        ("square", "short"),
        ("square", "x" * 192),
        ("square", "with blank"),
        ("phonecom", "0"),
        ("phonecom", "-4"),
        ("phonecom", "007"),
        ("phonecom", "9007199254740992"),
        ("phonecom", "12a"),
        ("standard", "ac_looks_like_ours"),
        ("standard", ""),
        ("zendesk", "anything"),
    ],
)
def test_an_id_in_another_form_than_its_dialect_answers_with_is_refused(
    house: House, dialect: str, external_id: str
) -> None:
    rejected(house.decide(create_account, NewAccount("Acme", external_ids={dialect: external_id})), "account_malformed")


@pytest.mark.parametrize(
    "fields",
    [
        {"display_name": ""},
        {"display_name": "x" * 101},
        {"subdomain": "Acme"},
        {"subdomain": "-acme"},
        {"settings": {"useAnimalNames": "yes"}},
        {"settings": {"conversationRetentionSeconds": -1}},
        {"settings": {"conversationRetentionSeconds": True}},
        {"metadata": {"nested": {"no": 1}}},
        {"metadata": {"long": "x" * 4100}},
    ],
)
def test_what_sunshine_could_not_tell_of_an_account_is_refused(house: House, fields: dict[str, Any]) -> None:
    rejected(house.decide(create_account, NewAccount("Acme", **fields)), "account_malformed")


def test_adding_a_member_moves_the_accounts_version(house: House) -> None:
    user, account = house.user(), house.account()
    decision = house.decide(add_member, account.id, user.email, "admin")
    assert any(
        isinstance(one, Replace) and getattr(one.record, "version", 0) == account.version + 1
        for one in decision.changes
    )
    assert house.decide(add_member, account.id, user.email, "admin").changes == ()
    assert house.decide(add_member, account.id, user.email, "owner").answer.membership.role == "owner"  # type: ignore[union-attr]
    assert {"member_role_set", "member_added"} <= set(house.audited())


def test_an_account_keeps_its_last_owner(house: House) -> None:
    ada, account = house.user(), house.account()
    grace = house.user("grace@example.com", "Grace")
    house.member(account, ada, "owner")
    house.member(account, grace, "member")
    rejected(house.decide(remove_member, account.id, ada.email), "last_owner")
    rejected(house.decide(add_member, account.id, ada.email, "member"), "last_owner")
    house.member(account, grace, "owner")
    assert house.decide(remove_member, account.id, ada.email).reason == "ok"
    rejected(house.decide(remove_member, account.id, ada.email), "member_unknown")


def test_members_are_of_accounts_and_users_that_are_there(house: House) -> None:
    user, account = house.user(), house.account()
    rejected(house.decide(add_member, bytes(16), user.email, "owner"), "account_unknown")
    rejected(house.decide(add_member, account.id, "nobody@example.com", "owner"), "user_unknown")


def test_a_member_without_connections_leaves_nothing_to_end(house: House) -> None:
    user, account = house.user(), house.account()
    house.member(account, user, "member")
    decision = house.decide(remove_member, account.id, user.email)
    assert not [one for one in decision.changes if isinstance(one, EndUserGrants)]


def test_a_scope_is_described_language_by_language(house: House) -> None:
    house.decide(put_scope, Scope("orders", {"en": "See your orders"}, "low"))
    decision = house.decide(put_scope, Scope("orders", {"de": "Ihre Bestellungen sehen"}, "high"))
    assert not isinstance(decision.answer, Rejected)
    assert not decision.answer.was_new
    assert decision.answer.scope == Scope("orders", {"en": "See your orders", "de": "Ihre Bestellungen sehen"}, "high")


@pytest.mark.parametrize("name", ["", "two words", 'quo"te', "back\\slash", "ümlaut", "x" * 192])
def test_a_scope_name_is_a_scope_token_of_rfc_6749(house: House, name: str) -> None:
    rejected(house.decide(put_scope, Scope(name, {"en": "Something"})), "scope_malformed")


@pytest.mark.parametrize("pattern", ["", "*.paid", "order.*.paid", "order paid", "order.", "x" * 129])
def test_a_scope_covers_event_types_and_all_that_begin_alike(house: House, pattern: str) -> None:
    house.decide(put_scope, Scope("orders", {"en": "See your orders"}, events=("order.paid", "invoice.*", "*")))
    rejected(
        house.decide(put_scope, Scope("orders", {"en": "See your orders"}, events=(pattern,))), "event_type_malformed"
    )


def test_a_scope_without_a_sentence_is_refused(house: House) -> None:
    rejected(house.decide(put_scope, Scope("orders", {})), "sentence_missing")
    rejected(house.decide(put_scope, Scope("orders", {"en": " "})), "sentence_missing")


def test_a_scope_that_a_client_may_be_given_stays(house: House) -> None:
    house.decide(put_scope, Scope("orders", {"en": "See your orders"}))
    made = house.client(scopes=("orders",))
    assert made.client.client_id in rejected(house.decide(remove_scope, "orders"), "scope_in_use")
    rejected(house.decide(remove_scope, "invoices"), "scope_unknown")
    house.decide(put_scope, Scope("invoices", {"en": "See your invoices"}))
    assert house.decide(remove_scope, "invoices").reason == "ok"


def test_the_catalogue_of_the_settings_file_is_published_once(house: House) -> None:
    catalogue = (Scope("a", {"en": "A"}), Scope("b", {"en": "B"}))
    assert house.decide(publish_catalogue, catalogue).answer == ("a", "b")
    again = house.decide(publish_catalogue, catalogue)
    assert (again.answer, again.changes) == ((), ())
