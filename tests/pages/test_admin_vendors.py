"""The operators' pages tell whose client one is, which tokens without end it has, and people's own ids in an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.decision import Decision
from grantway.protocol.ids import show
from grantway.protocol.permanent import make_token
from tests.pages.browser import Browser
from tests.pages.conftest import Platform, platform
from tests.pages.developers import signed_in
from tests.pages.operating import LINK, Operation, Seat


@pytest.fixture
def site() -> Platform:
    return platform(**LINK)


@pytest.fixture
def olga(site: Platform, new_browser: Callable[..., Browser]) -> Seat:
    operation = Operation(site)
    return operation.at_browser(new_browser(), operation.user("Olga", operator="operator"))


def test_an_account_shows_the_clients_that_act_for_it_and_its_members_own_ids(site: Platform, olga: Seat) -> None:
    site.house.client("Dialer <b>", profile="phonecom", account_id=site.acme.id)

    async def members(facts: Any, at: Any) -> Any:
        return Decision(await facts.members(site.acme.id))

    ((membership, _),) = site.house.decide(members).answer
    page = olga.get(f"/admin/accounts/{show('ac', site.acme.id)}")
    assert "Integrations that act for it Dialer <b>" in page.text
    assert membership.external_ids["phonecom"] in page.text


def test_customers_read_how_a_connection_came_to_be_that_nobody_was_asked_for(
    site: Platform, new_browser: Callable[..., Browser]
) -> None:
    made = site.house.client("Till", profile="square")
    issued: Any = site.house.decide(make_token, made.client.client_id, site.acme.id).answer
    older = OlderToken("migration", b"d" * 32)
    wanted = OlderGrant(made.client.client_id, show("ac", site.acme.id), (older,))
    assert site.house.decide(import_tokens, wanted).reason == "tokens_imported"
    page = signed_in(site, new_browser()).get(f"/connections/{show('cn', issued.held.connection.id)}")
    assert "An access token without end was made for it by hand." in page.text
    assert "It was brought along from an older system." in page.text


def test_a_client_shows_for_which_account_it_acts_and_its_tokens_without_their_texts(
    site: Platform, olga: Seat
) -> None:
    made = site.house.client("Till", profile="square", account_id=site.acme.id)
    issued: Any = site.house.decide(make_token, made.client.client_id, site.acme.id, user=site.ada).answer
    page = olga.get(f"/admin/clients/{made.client.client_id}")
    assert "Acts for Acme" in page.text
    assert show("gr", issued.held.grant.id) in page.text
    assert "gwa_" not in page.html
