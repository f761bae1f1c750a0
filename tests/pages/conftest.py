"""A platform in memory, its pages, and browsers that look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.decision import Change, Decision, Put
from grantway.protocol.ids import show
from grantway.protocol.model import Account, Scope, User
from grantway.server.pages import build_pages
from grantway.server.passwords import hash_password
from tests.helpers.people import House
from tests.pages.browser import Browser, Seen

PASSWORD = "correct horse battery staple"
HASH = hash_password(PASSWORD)
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "https://client.example/callback"


@dataclass
class Platform:
    """One person who owns Acme, one integration, and the pages over them."""

    house: House
    pages: Any
    ada: User
    acme: Account
    helpdesk: CreatedClient
    origin: str = "https://auth.example"

    def authorize(self, **changes: str | None) -> str:
        parameters = {
            "response_type": "code", "client_id": self.helpdesk.client.client_id, "redirect_uri": CALLBACK,
            "scope": "tickets.read", "state": "s/t+ä", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        } | changes  # fmt: skip
        return "/authorize?" + urlencode({name: value for name, value in parameters.items() if value is not None})

    def second_account(self, role: Any = "owner") -> Account:
        account = self.house.account("Bolt & Sons")
        self.house.member(account, self.ada, role)
        return account

    def do(self, *changes: Change) -> None:
        async def rule(facts: Any, at: Any) -> Decision[None]:
            return Decision(None, changes)

        self.house.decide(rule)

    def sign_in(self, browser: Browser, seen: Seen | None = None, password: str = PASSWORD) -> Seen:
        """Fill in the sign-in form that is seen, or the one at /sign-in."""
        form = (seen or browser.get("/sign-in")).form("/sign-in")
        return browser.send(form, username="ada@example.com", password=password)

    def to_consent(self, browser: Browser, **changes: str | None) -> Seen:
        """Connect, sign in, and what is shown then."""
        return browser.follow(self.sign_in(browser, browser.follow(browser.get(self.authorize(**changes)))))


def platform(**settings: Any) -> Platform:
    house = House.in_memory(**{"public_url": "https://auth.example", "platform_name": "Northwind"} | settings)
    ada, acme = house.user("ada@example.com", "Ada", HASH), house.account("Acme")
    house.member(acme, ada)
    helpdesk = house.client("Helpdesk", scopes=("tickets.read", "tickets.write"), default_scopes=("tickets.read",))
    running = Platform(house, build_pages(house.service), ada, acme, helpdesk)
    running.do(
        Put(Scope("tickets.read", {"en": "Read your tickets"}, "low")),
        Put(Scope("tickets.write", {"en": "Answer your tickets"}, "high")),
    )
    return running


@pytest.fixture
def site() -> Platform:
    return platform()


@pytest.fixture
def new_browser(site: Platform) -> Iterator[Callable[..., Browser]]:
    opened = []

    def make(pages: Any = None, **arguments: Any) -> Browser:
        opened.append(Browser(pages or site.pages, **arguments))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()


@pytest.fixture
def browser(new_browser: Callable[..., Browser]) -> Browser:
    return new_browser()


def account_id(account: Account) -> str:
    return show("ac", account.id)
