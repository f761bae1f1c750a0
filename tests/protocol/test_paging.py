"""A listing is read page by page: all of it once, in its order, and no more than was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol import paging
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Page
from grantway.protocol.paging import read_pages
from tests.helpers.people import House
from tests.helpers.stage import Stage


def read(house: House, listing: str, at_most: int | None = None) -> tuple[list[Any], list[Page]]:
    """What was read, and the pages that were asked for."""
    pages: list[Page] = []

    async def rule(facts: Any, at: Any) -> Decision[Any]:
        async def page_of(page: Page) -> Any:
            pages.append(page)
            return await getattr(facts, listing)(page)

        return Decision(await read_pages(page_of, at_most))

    return list(house.decide(rule).answer), pages


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(paging, "_AT_ONCE", 2)
    house = House.in_memory()
    for name in "abcde":
        house.account(name)
        house.clock.turn(seconds=1)
    return house


@pytest.mark.parametrize(("at_most", "names"), [(None, "edcba"), (9, "edcba"), (5, "edcba"), (3, "edc"), (2, "ed")])
def test_a_listing_is_read_newest_first_up_to_the_limit(house: House, at_most: int | None, names: str) -> None:
    accounts, _ = read(house, "accounts", at_most)
    assert "".join(account.name for account in accounts) == names


def test_no_page_is_asked_for_when_the_last_one_was_not_full(house: House) -> None:
    accounts, pages = read(house, "accounts")
    assert pages == [Page(2), Page(2, accounts[1].id), Page(2, accounts[3].id)]


def test_no_page_is_longer_than_what_is_still_wanted(house: House) -> None:
    _, pages = read(house, "accounts", 3)
    assert [page.limit for page in pages] == [2, 1]


def test_connections_go_by_their_own_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_AT_ONCE", 1)
    stage = Stage()
    made = []
    for integration in (stage.integration("First"), stage.sunshine(), stage.integration("Last")):
        made.append(stage.connection_of(stage.connect(integration)).id)
        stage.wait(seconds=1)

    async def rule(facts: Any, at: Any) -> Decision[Any]:
        return Decision([view.connection.id for view in await read_pages(facts.connections)])

    assert stage.decide(rule).answer == made[::-1]
