"""A client acts for itself (RFC 6749 §4.4)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.administration.client_secrets import rotate_secret
from grantway.protocol.administration.signing_keys import ensure_key
from grantway.protocol.ids import show
from grantway.protocol.introspection import SUSPENDED_FOR_NOW
from grantway.server.signing_keys import draw_signing_key
from grantway.wire.messages import AccountSummary
from tests.helpers.stage import Integration, Stage, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def machine(stage: Stage) -> Integration:
    return stage.integration(
        "Machine", redirect_uris=(), default_scopes=("read",), resources=("https://a.example", "https://b.example")
    )


def test_a_clients_own_token_writes_nothing(stage: Stage, machine: Integration) -> None:
    before = list(stage.everything())
    decision = stage.client_credentials(machine)
    assert decision.changes == ()
    assert stage.minted(decision).issued.refresh_token is None  # RFC 6749 §4.4.3
    assert list(stage.everything()) == before


def test_without_scope_and_resource_it_gets_its_defaults(stage: Stage, machine: Integration) -> None:
    own = stage.minted(stage.client_credentials(machine))
    assert own.scope == ("read",)
    assert own.issued.access.resource == ("https://a.example", "https://b.example")
    assert own.issued.subject == machine.client.client_id
    assert own.issued.held is None


def test_it_asks_for_what_it_may_have_and_for_no_more(stage: Stage, machine: Integration) -> None:
    narrow = stage.client_credentials(machine, scope=("admin", "write"), resource=("https://b.example",))
    assert stage.scope_of(stage.minted(narrow).access) == ("admin", "write")
    assert narrow.answer.access.resource == ("https://b.example",)
    wider = stage.client_credentials(machine, scope=("read", "nonesuch"))
    refused(wider, "invalid_scope", "scope_exceeds_client")
    elsewhere = stage.client_credentials(machine, resource=("https://c.example",))
    refused(elsewhere, "invalid_target", "resource_exceeds_client")


def test_a_public_client_has_no_credentials_to_act_with(stage: Stage) -> None:
    by = stage.integration(public=True)
    refused(stage.client_credentials(by), "unauthorized_client", "public_client_credentials")


def test_its_token_narrows_with_the_client_and_dies_with_it(stage: Stage, machine: Integration) -> None:
    own = stage.minted(stage.client_credentials(machine, scope=("read", "write")))
    stage.amend(machine.client, scopes=("write", "admin"), default_scopes=("write",))
    assert stage.scope_of(own.access) == ("write",)
    stage.amend(machine.client, disabled_at=stage.clock())
    assert not stage.is_active(own.access)
    stage.amend(machine.client, disabled_at=None)
    assert stage.is_active(own.access)
    stage.amend(machine.client, ended_at=stage.clock())
    assert not stage.is_active(own.access)


def test_it_acts_for_the_account_that_the_client_belongs_to(stage: Stage) -> None:
    by = stage.integration(policy={"access_token_format": "jwt"})
    stage.amend(by.client, account_id=stage.acme.id)
    stage.decide(ensure_key, draw_signing_key(stage.vault))
    own = stage.minted(stage.client_credentials(by))
    acme = AccountSummary(show("ac", stage.acme.id), "Acme")
    assert stage.mint.token_answer(own.issued).account == acme
    assert json.loads(urlsafe_b64decode(own.access.split(".")[1] + "=="))["account_id"] == acme.id
    answer: Any = stage.introspect(own.access).answer
    assert (answer.sub, answer.account, answer.connection_id) == (by.client.client_id, acme, None)


def test_it_can_do_nothing_for_an_account_that_is_suspended_or_gone(stage: Stage, machine: Integration) -> None:
    stage.amend(machine.client, account_id=stage.acme.id)
    own = stage.minted(stage.client_credentials(machine))
    stage.amend(stage.acme, suspended_at=stage.clock())
    assert stage.introspect(own.access).answer == SUSPENDED_FOR_NOW
    refusal = refused(stage.client_credentials(machine), "access_denied", "account_suspended").answer
    assert refusal.connection_state == "suspended"
    stage.amend(stage.acme, suspended_at=None)
    assert stage.is_active(own.access)
    stage.amend(stage.acme, removed_at=stage.clock())
    assert stage.introspect(own.access).reason == "account_removed"
    refused(stage.client_credentials(machine), "unauthorized_client", "account_removed")


def test_its_token_expires(stage: Stage, machine: Integration) -> None:
    own = stage.minted(stage.client_credentials(machine))
    stage.wait(minutes=9, seconds=59)
    assert stage.is_active(own.access)
    stage.wait(seconds=1)
    assert not stage.is_active(own.access)


def test_its_token_has_an_end_even_where_tokens_of_grants_have_none(stage: Stage) -> None:
    """A revocation of one without end answered 200 and changed nothing: there is no grant that could be ended."""
    by = stage.integration(policy={"access_token_lifetime": None})
    own = stage.minted(stage.client_credentials(by))
    assert stage.revoke(by, own.access).reason == "access_token_revoked"
    assert not stage.is_active(own.access)
    other = stage.minted(stage.client_credentials(by))
    stage.wait(hours=1)
    assert not stage.is_active(other.access)


def test_after_a_compromise_the_tokens_from_before_are_good_for_nothing(stage: Stage, machine: Integration) -> None:
    before = stage.minted(stage.client_credentials(machine))
    stage.wait(seconds=1)
    rotated: Any = stage.decide(rotate_secret, machine.client.client_id, compromised=True).answer
    assert stage.introspect(before.access).reason == "access_token_before_its_time"
    after = stage.minted(stage.client_credentials(replace(machine, secret=rotated.client_secret)))
    assert stage.is_active(after.access)
