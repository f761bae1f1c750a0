"""What a demo starts with. All of it can be made again and again: what is there already stays."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grantway.protocol.administration.accounts import OWN_ID, NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_changes import ClientChange, update_client
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.people import add_member, create_user
from grantway.protocol.administration.scopes import put_scope
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import Account, Scope
from grantway.protocol.moment import Moment
from grantway.server.app import AsgiApp
from grantway.server.demo.integrator import Integrator
from grantway.server.demo.pages import DemoPages
from grantway.server.master_key import make_private_directory, write_private
from grantway.server.opening import open_service, prepare
from grantway.server.passwords import hash_password
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.signing_keys import ensure_signing_key

FILE_NAME = "demo.json"
MARK = "demo"

SCOPES = (
    Scope("tickets:read", {"en": "See your tickets and who wrote them"}, "low"),
    Scope("tickets:write", {"en": "Answer, assign and close tickets in your name"}, "medium"),
    Scope("contacts:read", {"en": "See the names and addresses of your customers"}, "high"),
)
ACCOUNTS = (
    NewAccount("Northern Light Coffee", "Northern Light Coffee", "northern-light", {OWN_ID: "demo-coffee"}),
    NewAccount("Harbour Books", "Harbour Books", "harbour-books", {OWN_ID: "demo-books"}),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What was drawn for one demo, once. It lies beside the database, for this user only; it opens nothing else."""

    id: str
    email: str = "dana@example.com"
    password: str = field(default="", repr=False)
    standard_secret: str = field(default="", repr=False)
    sunshine_secret: str = field(default="", repr=False)
    standard_id: str = "acme-helpdesk"
    sunshine_id: str = "acme-chat-bridge"

    @classmethod
    def draw(cls) -> Demo:
        return cls(
            id=secrets.token_hex(16),
            password="-".join(secrets.token_hex(3) for _ in range(3)),
            standard_secret=secrets.token_urlsafe(32),
            sunshine_secret=secrets.token_urlsafe(32),
        )


def refuse_unless_demo(settings: Settings) -> None:
    """Raise ``CannotStart`` off loopback, and on a database that no demo made."""
    if not settings.is_local:
        raise CannotStart("The demo runs on loopback only: leave out --host and GRANTWAY_PUBLIC_URL.")
    if settings.database_path.exists() and not (settings.data / FILE_NAME).exists():
        raise CannotStart(
            f"The database {settings.database_path} was not made by the demo. Give it a directory of its own: --data DIR."
        )


def seed_demo(settings: Settings) -> Demo:
    """The demo of this data directory, drawn if there is none, with its people and integrations. Raises ``CannotStart``."""
    demo = _read_or_draw(settings.data)
    prepare(settings)
    asyncio.run(_seed(settings, demo))
    return demo


def with_integrator(demo: Demo) -> Callable[[AsgiApp, Service], AsgiApp]:
    """What puts the integrator's web site in front of the application."""

    def dress(app: AsgiApp, service: Service) -> AsgiApp:
        integrators = (
            Integrator("helpdesk", "Acme Helpdesk", "standard", demo.standard_id, demo.standard_secret, service.issuer,
                       tuple(scope.name for scope in SCOPES)),
            Integrator("chat", "Acme Chat Bridge", "sunshine", demo.sunshine_id, demo.sunshine_secret, service.issuer),
        )  # fmt: skip
        return DemoPages(app, service, {one.key: one for one in integrators})

    return dress


def _read_or_draw(data: Path) -> Demo:
    path = data / FILE_NAME
    make_private_directory(data)
    if not path.exists():
        write_private(path, json.dumps(asdict(Demo.draw()), indent=2).encode() + b"\n")
    try:
        return Demo(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        raise CannotStart(f"{path} cannot be read: remove the data directory and start the demo anew.") from None


async def _seed(settings: Settings, demo: Demo) -> None:
    service = await open_service(settings)
    try:
        if await service.storage.read_meta(MARK) is None and (await service.consult(_is_inhabited)).answer:
            raise CannotStart(f"The database {settings.database_path} was not made by the demo.")
        if await service.storage.write_meta_once(MARK, demo.id.encode()) != demo.id.encode():
            raise CannotStart(f"The database {settings.database_path} was made by another demo.")
        await ensure_signing_key(service)
        await _people(service, demo)
        await _integrations(service, demo)
    finally:
        await service.storage.close()


async def _is_inhabited(facts: Facts, at: Moment) -> Decision[bool]:
    return Decision(bool(await facts.users(Page(1)) or await facts.clients(Page(1))))


async def _people(service: Service, demo: Demo) -> None:
    await service.settle(create_user, demo.email, "Dana Demo", await asyncio.to_thread(hash_password, demo.password))
    for wanted in ACCOUNTS:
        account = (await service.settle(_ensure_account, wanted)).answer
        if not isinstance(account, Rejected):
            await service.settle(add_member, account.id, demo.email, "owner")


async def _ensure_account(facts: Facts, at: Moment, wanted: NewAccount) -> Decision[Account | Rejected]:
    known = await facts.account_by_external_id(OWN_ID, wanted.external_ids[OWN_ID])
    return Decision(known) if known is not None else await create_account(facts, at, wanted)


async def _integrations(service: Service, demo: Demo) -> None:
    for scope in SCOPES:
        await service.settle(put_scope, scope)
    names = tuple(scope.name for scope in SCOPES)
    site = f"{service.issuer}/demo"
    for wanted in (
        NewClient("Acme Helpdesk", "standard", client_id=demo.standard_id, client_secret=demo.standard_secret,
                  redirect_uris=(f"{site}/helpdesk/callback",), remove_url=f"{site}/removed", scopes=names),
        NewClient("Acme Chat Bridge", "sunshine", client_id=demo.sunshine_id, client_secret=demo.sunshine_secret,
                  redirect_uris=(f"{site}/chat/callback",), remove_url=f"{site}/removed"),
    ):  # fmt: skip
        created = (await service.settle(create_client, wanted)).answer
        if isinstance(created, Rejected) and wanted.client_id is not None:
            # There since an earlier start, maybe on another port.
            moved = ClientChange(redirect_uris=wanted.redirect_uris, remove_url=wanted.remove_url)
            await service.settle(update_client, wanted.client_id, moved)
