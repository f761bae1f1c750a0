"""What a demo starts with. All of it can be made again and again: what is there already stays."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grantway.protocol.administration.accounts import OWN_ID, NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_changes import ClientChange, update_client
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.developers import add_developer
from grantway.protocol.administration.operators import create_operator
from grantway.protocol.administration.people import add_member, create_user
from grantway.protocol.administration.scopes import put_scope
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import Account, Role
from grantway.protocol.moment import Moment
from grantway.server.app import AsgiApp
from grantway.server.connections.signing import events_secret, notice_secret
from grantway.server.demo.api import build_api
from grantway.server.demo.integrator import Integrator
from grantway.server.demo.pages import DemoPages
from grantway.server.demo.platform import ACCOUNTS, HEARS_AT, SCOPES, Platform
from grantway.server.demo.speech import Registration
from grantway.server.demo.speeches import SPEECHES
from grantway.server.master_key import make_private_directory, write_private
from grantway.server.opening import open_service, prepare
from grantway.server.passwords import hash_password
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.signing_keys import ensure_signing_key

FILE_NAME = "demo.json"
MARK = "demo"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demo; all have the same password."""

    email: str
    name: str
    who: str
    page: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By the platform's id of an account."""


PEOPLE = (
    Person("dana@example.com", "Dana Demo", "owner of two accounts", "/demo, /connections",
           {"demo-coffee": "owner", "demo-books": "owner"}),
    Person("mia@example.com", "Mia Member", "member of one of them", "/connections", {"demo-coffee": "member"}),
    Person("ivy@example.com", "Ivy Integrator", "Acme’s developer", "/developers", {"demo-acme": "owner"}),
    Person("olga@example.com", "Olga Operator", "operator", "/admin"),
)  # fmt: skip
CUSTOMER, _, DEVELOPER, OPERATOR = PEOPLE


@dataclass(frozen=True, slots=True)
class Integration:
    """One of Acme's."""

    key: str
    name: str
    profile: str
    client_id: str
    scopes: tuple[str, ...] | None = None


INTEGRATIONS = (
    Integration("helpdesk", "Acme Helpdesk", "standard", "acme-helpdesk", tuple(scope.name for scope in SCOPES)),
    Integration("chat", "Acme Chat Bridge", "sunshine", "acme-chat-bridge"),
    Integration("till", "Acme Till", "square", "acme-till", ("MERCHANT_PROFILE_READ", "PAYMENTS_READ", "ORDERS_READ")),
    Integration("phone", "Acme Phone", "phonecom", "acme-phone", ("account-owner",)),
)
API_ID = "platform-api"
"""The platform's own API, which asks what tokens are good for."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What was drawn for one demo, once. It lies beside the database, for this user only; it opens nothing else."""

    id: str
    email: str = CUSTOMER.email
    password: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)

    def secret_of(self, client_id: str) -> str:
        """The secret of this client, the same at every start."""
        return hmac.digest(self.seed.encode(), client_id.encode(), "sha256").hex()

    @classmethod
    def draw(cls) -> Demo:
        return cls(
            id=secrets.token_hex(16),
            password="-".join(secrets.token_hex(3) for _ in range(3)),
            seed=secrets.token_urlsafe(32),
        )


def refuse_unless_demo(settings: Settings) -> None:
    """Raise ``CannotStart`` off loopback, and on a database that no demo made."""
    if not settings.is_local:
        raise CannotStart("The demo runs on loopback only: leave out --host and GRANTWAY_PUBLIC_URL.")
    if settings.database_url is None and settings.database_path.exists() and not (settings.data / FILE_NAME).exists():
        raise CannotStart(
            f"The database {settings.database_named} was not made by the demo. Give it a directory of its own: --data DIR."
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """What calls are signed with: to each integration by its client id, and to the platform."""

    notices: Mapping[str, str] = field(repr=False)
    events: str = field(repr=False)


def settings_for_demo(settings: Settings) -> Settings:
    """One process, and a platform that hears at the demo's own address what happens to connections."""
    hears_at = settings.platform_events_url or f"{settings.issuer}{HEARS_AT}"
    return settings.model_copy(update={"workers": 1, "platform_events_url": hears_at})


def seed_demo(settings: Settings) -> tuple[Demo, Keys]:
    """The demo of this data directory, drawn if there is none, with its people and integrations. Raises ``CannotStart``."""
    demo = _read_or_draw(settings.data)
    prepare(settings)
    return demo, asyncio.run(_seed(settings, demo))


def with_integrator(demo: Demo, keys: Keys) -> Callable[[AsgiApp, Service], AsgiApp]:
    """What puts the integrator's web site in front of the application."""

    def dress(app: AsgiApp, service: Service) -> AsgiApp:
        integrators = {
            one.key: Integrator(one.key, one.name, service.issuer, SPEECHES[one.profile], Registration(
                client_id=one.client_id,
                client_secret=demo.secret_of(one.client_id),
                redirect_uri=_address(service, one, "callback"),
                remove_url=_address(service, one, "removed"),
                webhooks_at=_address(service, one, "webhooks"),
                scopes=one.scopes or (),
                notice_secret=keys.notices[one.client_id],
            ))
            for one in INTEGRATIONS
        }  # fmt: skip
        api = build_api(service.issuer, API_ID, demo.secret_of(API_ID))
        return DemoPages(app, service, integrators, Platform(service, keys.events), api)

    return dress


def _address(service: Service, one: Integration, what: str) -> str:
    return f"{service.issuer}/demo/{one.key}/{what}"


def _read_or_draw(data: Path) -> Demo:
    path = data / FILE_NAME
    make_private_directory(data)
    if not path.exists():
        write_private(path, json.dumps(asdict(Demo.draw()), indent=2).encode() + b"\n")
    try:
        return Demo(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        raise CannotStart(f"{path} cannot be read: remove the data directory and start the demo anew.") from None


async def _seed(settings: Settings, demo: Demo) -> Keys:
    service = await open_service(settings)
    try:
        if await service.storage.read_meta(MARK) is None and (await service.consult(_is_inhabited)).answer:
            raise CannotStart(f"The database {settings.database_named} was not made by the demo.")
        if await service.storage.write_meta_once(MARK, demo.id.encode()) != demo.id.encode():
            raise CannotStart(f"The database {settings.database_named} was made by another demo.")
        await ensure_signing_key(service)
        await _people(service, demo)
        notices = await _integrations(service, demo)
        return Keys(notices, await events_secret(service))
    finally:
        await service.storage.close()


async def _is_inhabited(facts: Facts, at: Moment) -> Decision[bool]:
    return Decision(bool(await facts.users(Page(1)) or await facts.clients(Page(1))))


async def _people(service: Service, demo: Demo) -> None:
    accounts: dict[str, bytes] = {}
    for wanted in ACCOUNTS:
        account = (await service.settle(_ensure_account, wanted)).answer
        if not isinstance(account, Rejected):
            accounts[wanted.external_ids[OWN_ID]] = account.id
    password_hash = await asyncio.to_thread(hash_password, demo.password)
    for person in PEOPLE:
        await service.settle(create_user, person.email, person.name, password_hash)
        for own_id, role in person.roles.items():
            await service.settle(add_member, accounts[own_id], person.email, role)
    await service.settle(_ensure_operator)


async def _ensure_operator(facts: Facts, at: Moment) -> Decision[Any]:
    user = await facts.user_by_email(OPERATOR.email)
    if user is not None and await facts.operator(user.id) is not None:
        return Decision(None)
    return await create_operator(facts, at, OPERATOR.email, OPERATOR.name, "operator")


async def _ensure_account(facts: Facts, at: Moment, wanted: NewAccount) -> Decision[Account | Rejected]:
    known = await facts.account_by_external_id(OWN_ID, wanted.external_ids[OWN_ID])
    return Decision(known) if known is not None else await create_account(facts, at, wanted)


async def _integrations(service: Service, demo: Demo) -> dict[str, str]:
    """Makes what is not there; the keys that their notices are signed with, by client id."""
    for scope in SCOPES:
        await service.settle(put_scope, scope)
    keys: dict[str, str] = {}
    for one in INTEGRATIONS:
        wanted = NewClient(
            one.name, one.profile, client_id=one.client_id, client_secret=demo.secret_of(one.client_id),
            redirect_uris=(_address(service, one, "callback"),), remove_url=_address(service, one, "removed"),
            scopes=one.scopes,
        )  # fmt: skip
        created = (await service.settle(create_client, wanted)).answer
        if isinstance(created, Rejected):
            # There since an earlier start, maybe on another port.
            moved = ClientChange(redirect_uris=wanted.redirect_uris, remove_url=wanted.remove_url)
            await service.settle(update_client, one.client_id, moved)
        await service.settle(add_developer, one.client_id, DEVELOPER.email)
        keys[one.client_id] = (await service.consult(_secret_of, one.client_id)).answer
    await _api(service, demo)
    return keys


async def _api(service: Service, demo: Demo) -> None:
    """The platform's API: tokens that name no resource are for the issuer, and those are its to ask about."""
    resources = (service.issuer,)
    wanted = NewClient("The platform’s API", kind="resource_server", client_id=API_ID,
                       client_secret=demo.secret_of(API_ID), resources=resources)  # fmt: skip
    if isinstance((await service.settle(create_client, wanted)).answer, Rejected):
        await service.settle(update_client, API_ID, ClientChange(resources=resources))


async def _secret_of(facts: Facts, at: Moment, client_id: str) -> Decision[str]:
    client = await facts.client(client_id)
    return Decision("" if client is None else notice_secret(client, at.vault))
