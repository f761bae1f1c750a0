"""The scopes that vendors have named, and what their clients get of them; whose client one is."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.built_in import built_in, scopes_by_profile
from grantway.protocol.administration.client_changes import ClientChange, update_client
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.scopes import check_scope_name, put_scope
from grantway.protocol.decision import Decision
from grantway.protocol.events import is_event_pattern
from grantway.protocol.model import Scope
from grantway.protocol.policy import PROFILES
from grantway.protocol.portal import register
from tests.helpers.people import House
from tests.helpers.stage import REDIRECT_URI, Stage

FOUR = ("MERCHANT_PROFILE_READ", "PAYMENTS_READ", "SETTLEMENTS_READ", "BANK_ACCOUNTS_READ")


@pytest.fixture
def house() -> House:
    return House.in_memory()


def create(house: House, profile: str, **wanted: Any) -> Any:
    wanted.setdefault("redirect_uris", (REDIRECT_URI,))
    return house.decide(create_client, NewClient("App", profile, **wanted)).answer


def change(house: House, client_id: str, **wanted: Any) -> Any:
    return house.decide(update_client, client_id, ClientChange(**wanted)).answer


def catalogue(house: House) -> dict[str, Any]:
    async def read(facts: Any, at: Any) -> Decision[Any]:
        return Decision({scope.name: scope for scope in await facts.scopes()})

    return house.decide(read).answer


def test_all_59_permissions_of_square_and_the_three_of_phonecom_are_there() -> None:
    assert {profile: len(scopes) for profile, scopes in scopes_by_profile().items()} == {
        "phonecom": 3,
        "square": 59,
        "sunshine": 1,
    }
    assert len(built_in()) == 63
    assert set(scopes_by_profile()) <= set(PROFILES)


@pytest.mark.parametrize("scope", [*built_in().values()], ids=lambda scope: scope.name)
def test_each_has_a_sentence_of_its_own_for_customers(scope: Any) -> None:
    assert check_scope_name(scope.name) is None
    assert all(is_event_pattern(pattern) for pattern in scope.events)
    for language, sentence in scope.sentences.items():
        assert [other.name for other in built_in().values() if other.sentences.get(language) == sentence] == [
            scope.name
        ]
        assert not sentence.endswith(".")


def test_vendors_scopes_are_told_in_german_too() -> None:
    spoken = [scope for profile in ("square", "phonecom") for scope in scopes_by_profile()[profile]]
    assert {frozenset(scope.sentences) for scope in spoken} == {frozenset({"en", "de"})}


def test_whatever_can_change_something_is_more_than_low() -> None:
    assert [
        one.name for one in built_in().values() if one.sensitivity == "low" and not one.name.endswith("_READ")
    ] == []


def test_a_square_client_may_be_given_all_of_them_and_asks_for_the_vendors_four_when_it_names_none(
    house: House,
) -> None:
    made = create(house, "square")
    assert len(made.client.scopes) == 59
    assert made.client.default_scopes == FOUR
    assert catalogue(house)["PAYMENTS_READ"].sentences["de"] == "Ihre Zahlungen und Rückerstattungen sehen"
    assert create(house, "square").new_scopes == ()


def test_who_names_some_gets_these(house: House) -> None:
    made = create(house, "square", scopes=("ORDERS_READ", "PAYMENTS_READ"))
    assert made.client.scopes == ("ORDERS_READ", "PAYMENTS_READ")
    assert made.client.default_scopes == ("PAYMENTS_READ",)
    assert set(catalogue(house)) == {"ORDERS_READ", "PAYMENTS_READ"}
    assert create(house, "square", scopes=("ORDERS_READ",)).client.default_scopes == ("ORDERS_READ",)
    assert create(house, "square", default_scopes=("ITEMS_READ",)).client.default_scopes == ("ITEMS_READ",)


def test_what_it_needs_and_what_it_gets_are_among_the_vendors_when_none_are_named(house: House) -> None:
    assert create(house, "square", required_scopes=("ORDERS_READ",)).client.required_scopes == ("ORDERS_READ",)
    for wanted in ({"required_scopes": ("orders",)}, {"default_scopes": ("orders",)}):
        assert isinstance(create(house, "square", **wanted), Rejected)


def test_a_phonecom_client_gets_its_three(house: House) -> None:
    made = create(house, "phonecom")
    assert made.client.scopes == made.client.default_scopes == ("account-owner", "extension-user", "methods:ALL")


def test_others_get_none_by_themselves(house: House) -> None:
    assert create(house, "standard").client.scopes == ()
    server = create(house, "square", kind="resource_server", redirect_uris=(), resources=("https://api.example/",))
    assert server.client.scopes == ()
    assert catalogue(house) == {}


def test_what_somebody_wrote_of_a_scope_stays(house: House) -> None:
    create(house, "square", scopes=("ITEMS_READ",))
    before = catalogue(house)["ITEMS_READ"]

    house.decide(put_scope, Scope("ITEMS_READ", {"en": "See our menu"}))
    create(house, "square")
    assert catalogue(house)["ITEMS_READ"].sentences == {"en": "See our menu", "de": before.sentences["de"]}


def test_a_client_that_is_given_one_later_brings_it_along(house: House) -> None:
    made = create(house, "square", scopes=("ITEMS_READ",))
    both = ("ITEMS_READ", "ITEMS_WRITE")
    assert change(house, made.client.client_id, scopes=both).scopes == both
    assert "ITEMS_WRITE" in catalogue(house)
    assert change(house, made.client.client_id, scopes=("ITEMS_READ", "nonesuch")).reason == "scope_unknown"


# --- grant types that an operator turns on


def test_passwords_are_taken_from_clients_with_a_secret_only(house: House) -> None:
    turned_on = (("grant_types", "authorization_code password"),)
    assert "password" in create(house, "phonecom", overrides=turned_on).client.policy.grant_types
    assert create(house, "phonecom", overrides=turned_on, public=True).reason == "client_malformed"
    assert "password" not in create(house, "phonecom", public=True).client.policy.grant_types


@pytest.mark.parametrize("profile", ["standard", "sunshine", "square"])
@pytest.mark.parametrize("grant_type", ["password", "implicit"])
def test_passwords_and_implicit_exist_for_no_client_of_another_profile(
    house: House, profile: str, grant_type: str
) -> None:
    made = create(house, profile, overrides=(("grant_types", f"authorization_code {grant_type}"),))
    assert made.reason == "policy_malformed"


def test_a_developer_turns_nothing_on() -> None:
    stage = Stage()
    wanted = NewClient(
        "App", "phonecom", redirect_uris=(REDIRECT_URI,), overrides=(("grant_types", "password implicit"),)
    )
    made: Any = stage.decide(register, stage.browser(stage.ada).session, wanted).answer
    assert made.client.overrides == ()
    assert not made.client.policy.grant_types & {"password", "implicit"}


# --- whose client it is


def test_a_client_belongs_to_an_account_that_is_there(house: House) -> None:
    account: Any = house.decide(create_account, NewAccount("Acme")).answer
    made = create(house, "phonecom", account_id=account.id)
    assert made.client.account_id == account.id
    assert create(house, "phonecom", account_id=bytes(16)).reason == "account_unknown"
    server = create(
        house,
        "phonecom",
        kind="resource_server",
        redirect_uris=(),
        resources=("https://api.example/",),
        account_id=account.id,
    )
    assert isinstance(server, Rejected)
    client_id = made.client.client_id
    assert change(house, client_id, account_id=b"").account_id is None
    assert change(house, client_id, account_id=account.id).account_id == account.id
    assert change(house, client_id, account_id=bytes(16)).reason == "account_unknown"


def test_a_developer_registers_for_an_account_of_which_they_are_owner_or_admin() -> None:
    stage = Stage()
    grace = stage.user("Grace", "member")
    wanted = NewClient("App", "phonecom", redirect_uris=(REDIRECT_URI,), account_id=stage.acme.id)
    made: Any = stage.decide(register, stage.browser(stage.ada).session, wanted).answer
    assert made.client.account_id == stage.acme.id
    other = stage.house.account("Other")
    stage.house.member(other, grace, "owner")
    no: Any = stage.decide(register, stage.browser(grace).session, wanted).answer
    assert no.reason == "account_unknown"
