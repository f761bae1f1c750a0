"""A platform to click through: our pages on a real server, and an integration on another port that hears the answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from PIL import Image, ImageDraw

from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.decision import Change, Decision, Put
from grantway.protocol.model import Account, Icon, Scope
from grantway.server.icons import encode_icon
from grantway.server.pages import build_pages
from grantway.server.passwords import hash_password
from tests.helpers.people import House
from tests.helpers.socket_server import serving

EMAIL = "ana@pine.example"
PASSWORD = "correct horse battery staple"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

SCOPES = (
    Scope("orders.read", {"en": "See your orders and what was paid for them"}, "medium"),
    Scope("customers.read", {"en": "See your customers’ names and addresses"}, "high"),
    Scope("catalogue.write", {"en": "Add, change and remove items of your catalogue"}, "medium"),
)


@dataclass
class Integration:
    """The integration's own server. It remembers what browsers brought back."""

    origin: str = ""
    answers: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b"<!doctype html><html lang=en><title>Integration</title><h1>Back at the integration</h1>"
        if scope["path"] == "/callback":
            self.answers.append({name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()})
        elif scope["path"] == "/post":
            body += _posting_form(scope["query_string"].decode()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body})


def _posting_form(query: str) -> str:
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    inputs = "".join(f'<input type=hidden name="{name}" value="{value}">' for name, value in fields.items())
    return f'<form method=post action="{fields["to"]}">{inputs}<button>Connect</button></form>'


@dataclass
class Platform:
    """The running platform, with one person, two accounts that they own and one where they are only a member."""

    house: House
    origin: str
    integration: Integration
    client: CreatedClient
    accounts: dict[str, Account]

    def connect_url(self, **changes: str) -> str:
        """Where the integration's Connect button leads."""
        parameters = {
            "response_type": "code",
            "client_id": self.client.client.client_id,
            "redirect_uri": f"{self.integration.origin}/callback",
            "scope": "orders.read customers.read",
            "state": "s+t/a te",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self.origin}/authorize?{urlencode(parameters | changes)}"

    def sunshine_url(self) -> str:
        """The same for an integration of Sunshine Conversations, which sends no scope."""
        return f"{self.origin}/oauth/authorize?{urlencode({'client_id': 'shoplifter', 'response_type': 'code'})}"

    def do(self, *changes: Change) -> None:
        async def rule(facts: Any, at: Any) -> Decision[None]:
            return Decision(None, changes)

        self.house.decide(rule)


@contextmanager
def platform() -> Iterator[Platform]:
    """A platform while the block runs. Ports are drawn by the system."""
    integration = Integration()
    with serving(integration) as integration.origin:
        house = House.in_memory(platform_name="Northwind Commerce", port=0)
        running = Platform(house, "", integration, _client(house, integration), _people(house))
        house.client(
            "Shoplifter", profile="sunshine", client_id="shoplifter", redirect_uris=(f"{integration.origin}/callback",)
        )
        running.do(*(Put(scope) for scope in SCOPES), _icon(running.client))
        pages: list[Any] = []  # the pages need the origin, and the origin is known when somebody listens

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await pages[0](scope, receive, send)

        with serving(app) as running.origin:
            settings = house.service.settings.model_copy(update={"public_url": running.origin})
            house.service = replace(house.service, settings=settings)
            pages.append(build_pages(house.service))
            yield running


def _client(house: House, integration: Integration) -> CreatedClient:
    return house.client(
        "Parcel Pilot",
        redirect_uris=(f"{integration.origin}/callback", "https://parcelpilot.example/oauth/callback"),
        scopes=tuple(scope.name for scope in SCOPES),
        default_scopes=("orders.read",),
    )


def _people(house: House) -> dict[str, Account]:
    ana = house.user(EMAIL, "Ana Lindqvist", hash_password(PASSWORD))
    accounts = {name: house.account(name) for name in ("Pine & Oak Bakery", "Harbour Books", "City Library")}
    for name, account in accounts.items():
        house.member(account, ana, "member" if name == "City Library" else "owner")
    return accounts


def _icon(client: CreatedClient) -> Put:
    return Put(Icon(client.client.id, encode_icon(picture()), "d" * 12))


def picture() -> bytes:
    """What an integration would use as its icon, as a PNG."""
    drawn = Image.new("RGB", (200, 200), "#0f766e")
    ImageDraw.Draw(drawn).polygon([(100, 35), (165, 160), (100, 130), (35, 160)], fill="white")
    raw = BytesIO()
    drawn.save(raw, "PNG")
    return raw.getvalue()


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}
