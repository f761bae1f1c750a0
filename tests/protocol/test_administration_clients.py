"""Clients, their secrets, signing keys and keys of connections, as an operator makes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_life import disable_client, enable_client
from grantway.protocol.administration.client_secrets import RotatedSecret, rotate_secret
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.connections import create_key
from grantway.protocol.administration.signing_keys import DrawnKey, ensure_key, rotate, rotate_now
from grantway.protocol.decision import Add, Decision
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.issuing import current_signing_key
from grantway.protocol.model import AuditEntry, Client
from grantway.protocol.moment import Moment
from tests.helpers.people import House
from tests.protocol.test_administration import rejected

CALLBACK = ("https://client.example/callback",)


@pytest.fixture
def house() -> House:
    return House.in_memory()


def create(house: House, **fields: Any) -> Any:
    fields.setdefault("redirect_uris", CALLBACK)
    return house.decide(create_client, NewClient("Helpdesk", **fields))


def test_the_secret_is_shown_once_and_kept_as_a_digest(house: House) -> None:
    made = house.client()
    assert made.client_secret is not None
    assert digest(made.client_secret) == made.client.secrets[0].digest
    assert made.client_secret not in repr(made)
    assert house.service.vault.open(made.client.key_id, made.client.secret, made.client.id)


def test_a_migrating_platform_brings_ids_and_secrets_along(house: House) -> None:
    made = create(house, profile="sunshine", client_id="shoplifter", client_secret="5XJ85yjUtRcaQu_pDINblPZb").answer
    assert made.client.client_id == "shoplifter"
    assert digest("5XJ85yjUtRcaQu_pDINblPZb") == made.client.secrets[0].digest
    rejected(create(house, client_id="shoplifter"), "client_exists")


def test_a_sunshine_integration_gets_the_scope_that_its_request_cannot_name(house: House) -> None:
    decision = create(house, profile="sunshine")
    assert decision.answer.client.scopes == decision.answer.client.default_scopes == ("integration",)
    assert decision.answer.new_scopes == ("integration",)
    assert create(house, profile="sunshine").answer.new_scopes == ()


def test_a_scope_that_the_catalogue_lacks_is_refused_or_created_when_asked(house: House) -> None:
    sentence = rejected(create(house, scopes=("orders", "invoices")), "scope_unknown")
    assert "orders invoices" in sentence
    wanted = NewClient("Helpdesk", scopes=("orders", "invoices"), redirect_uris=CALLBACK)
    made = house.decide(create_client, wanted, create_scopes=True).answer
    assert not isinstance(made, Rejected)
    assert made.new_scopes == ("orders", "invoices")
    assert made.client.default_scopes == ("orders", "invoices")


@pytest.mark.parametrize(
    "fields",
    [
        {"client_id": "with blank"},
        {"client_id": "with:colon"},
        {"client_id": ""},
        {"client_secret": "short"},
        {"client_secret": "with blanks in it, too"},
        {"client_secret": "5XJ85yjUtRcaQu_pDINblPZb", "public": True},
        {"redirect_uris": ("http://client.example/callback",)},
        {"redirect_uris": ("https://client.example/callback#fragment",)},
        {"redirect_uris": CALLBACK * 2},
        {"redirect_uris": (), "public": True},
        {"redirect_uris": (), "profile": "sunshine"},
        {"profile": "sunshine", "public": True},
        {"remove_url": "http://client.example/removed"},
        {"remove_url": "https://user@client.example/removed"},
        {"scopes": ("a", "a")},
        {"scopes": ("a",), "default_scopes": ("b",)},
        {"resources": ("no-scheme",)},
        {"kind": "resource_server", "redirect_uris": ()},
        {"kind": "resource_server", "resources": ("https://api.example",)},
        {"kind": "operator", "redirect_uris": (), "public": True},
        {"overrides": (("access_token_format", "jwt"), ("access_token_lifetime", 7200))},
        {"overrides": (("access_token_format", "jwt"), ("access_token_lifetime", None))},
    ],
)
def test_what_cannot_be_a_client_is_refused_with_a_sentence(house: House, fields: dict[str, Any]) -> None:
    rejected(create(house, **fields), "client_malformed")


@pytest.mark.parametrize(
    "fields",
    [
        {"profile": "nonesuch"},
        {"overrides": (("nonesuch", 1),)},
        {"overrides": (("pkce", "perhaps"),)},
        {"overrides": (("code_lifetime", "soon"),)},
        {"overrides": (("grant_types", []),)},
    ],
)
def test_policy_that_nobody_knows_is_refused(house: House, fields: dict[str, Any]) -> None:
    rejected(create(house, **fields), "policy_malformed")


def test_machines_need_no_redirect_uri(house: House) -> None:
    assert create(house, redirect_uris=()).reason == "ok"
    assert create(house, kind="resource_server", redirect_uris=(), resources=("https://api.example",)).reason == "ok"
    assert create(house, kind="operator", redirect_uris=()).reason == "ok"


def rotated(house: House, made: Client, **how: Any) -> RotatedSecret:
    answer = house.decide(rotate_secret, made.client_id, **how).answer
    assert isinstance(answer, RotatedSecret)
    return answer


def test_two_secrets_live_at_once_and_never_three(house: House) -> None:
    made = house.client()
    house.clock.turn(hours=1)
    second = rotated(house, made.client)
    assert len(second.client.secrets) == 2
    assert second.older is not None
    assert second.older.expires_at == house.clock.now + timedelta(days=7)
    assert digest(made.client_secret or "") == second.older.digest
    house.clock.turn(hours=1)
    third = rotated(house, made.client, expire_old_in=timedelta(seconds=60))
    assert third.dropped == 1
    assert [digest(second.client_secret) == third.client.secrets[0].digest, len(third.client.secrets)] == [True, 2]


def test_rotating_never_makes_an_older_secret_live_longer(house: House) -> None:
    made = house.client()
    house.clock.turn(hours=1)
    first = rotated(house, made.client, expire_old_in=timedelta(seconds=60))
    house.clock.turn(minutes=2)
    second = rotated(house, made.client)
    assert second.older is not None
    assert digest(first.client_secret) == second.older.digest


def test_a_compromised_secret_is_dropped_at_once_with_its_tokens(house: House) -> None:
    made = house.client()
    answer = rotated(house, made.client, compromised=True)
    assert len(answer.client.secrets) == 1
    assert answer.client.tokens_not_before == house.clock.now


def test_a_public_client_has_no_secret_to_rotate(house: House) -> None:
    made = house.client(public=True)
    assert made.client_secret is None
    rejected(house.decide(rotate_secret, made.client.client_id), "client_public")
    rejected(house.decide(rotate_secret, "nonesuch"), "client_unknown")
    other = house.client()
    decision = house.decide(rotate_secret, other.client.client_id, expire_old_in=timedelta(days=400))
    rejected(decision, "duration_out_of_range")


def test_a_client_is_switched_off_and_on(house: House) -> None:
    client_id = house.client().client.client_id
    off = house.decide(disable_client, client_id).answer
    assert isinstance(off, Client)
    assert off.disabled_at == house.clock.now
    assert house.decide(disable_client, client_id).changes == ()
    on = house.decide(enable_client, client_id).answer
    assert isinstance(on, Client)
    assert on.disabled_at is None
    assert {"client_enabled", "client_disabled"} <= set(house.audited())


def test_every_change_of_an_operator_is_audited(house: House) -> None:
    decision = create(house)
    entries = [one.record for one in decision.changes if isinstance(one, Add) and isinstance(one.record, AuditEntry)]
    assert [(entry.actor, entry.action) for entry in entries] == [("operator", "client_created")]


def drawn(kid: str) -> DrawnKey:
    return DrawnKey(kid, "ES256", b"sealed", "mk_test", {"kid": kid, "kty": "EC"})


def test_a_new_key_is_published_first_and_signs_when_every_cache_has_it(house: House) -> None:
    house.decide(ensure_key, drawn("first"))
    assert house.decide(ensure_key, drawn("another")).changes == ()
    second = house.decide(rotate, drawn("second")).answer
    assert not isinstance(second, Rejected)
    assert published(house) == ["first", "second"]
    assert signing(house) == "first"
    house.clock.turn(minutes=10)
    assert signing(house) == "second"
    house.clock.turn(hours=1)
    assert published(house) == ["first", "second"]
    house.clock.turn(minutes=3)
    assert published(house) == ["second"]


def test_a_rotation_waits_for_the_one_under_way(house: House) -> None:
    house.decide(ensure_key, drawn("first"))
    house.decide(rotate, drawn("second"))
    assert "second" in rejected(house.decide(rotate, drawn("third")), "rotation_under_way")


def test_a_leaked_key_is_gone_at_once(house: House) -> None:
    house.decide(ensure_key, drawn("first"))
    house.decide(rotate, drawn("second"))
    house.decide(rotate_now, drawn("third"))
    assert published(house) == ["third"]
    assert signing(house) == "third"


def published(house: House) -> list[str]:
    async def read(facts: Facts, at: Moment) -> Decision[list[str]]:
        return Decision([key.kid for key in await facts.signing_keys()])

    return house.decide(read).answer


def signing(house: House) -> str | None:
    async def read(facts: Facts, at: Moment) -> Decision[str | None]:
        key = current_signing_key(await facts.signing_keys(), at)
        return Decision(key.kid if key else None)

    return house.decide(read).answer


def test_a_key_of_a_connection_that_is_not_there_is_refused(house: House) -> None:
    rejected(house.decide(create_key, bytes(16)), "connection_unknown")
