"""Integrations and other clients."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import UNSET

from grantway.protocol.administration import approval, client_life
from grantway.protocol.administration.client_changes import ClientChange as Change
from grantway.protocol.administration.client_changes import update_client
from grantway.protocol.administration.client_secrets import RotatedSecret as Rotated
from grantway.protocol.administration.client_secrets import rotate_secret
from grantway.protocol.administration.clients import CreatedClient as Created
from grantway.protocol.administration.clients import NewClient as Wanted
from grantway.protocol.administration.clients import create_client
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, Paged, nothing_there, said, told
from grantway.server.api.finding import account_in_body, check_url, find_account, outgoing_rules
from grantway.server.connections.signing import notice_secret
from grantway.wire.api.clients import (
    Client,
    ClientChange,
    ClientQuery,
    CreatedClient,
    NewClient,
    Review,
    ReviewWord,
    RotatedSecret,
    SecretRotation,
)
from grantway.wire.api.message import Nothing, PageQuery


async def list_clients(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: ClientQuery = asked.query
    clients = await facts.clients(asked.page, name=query.name)
    return told(Paged(clients, views.client, lambda one: one.id), "clients_listed")


async def list_of_account(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    account = await find_account(facts, asked.path["account"], removed=True)
    if account is None:
        return nothing_there("account_unknown")
    clients = await facts.clients_of_account(account.id, asked.page)
    return told(Paged(clients, views.client, lambda one: one.id), "clients_listed")


async def get_client(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    client = await facts.client(asked.path["client"])
    return nothing_there("client_unknown") if client is None else told(views.client(client), "client_told")


async def create(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: NewClient = asked.body
    check_url(body.remove_url, asked.prepared, "#/remove_url")
    wanted = Wanted(
        name=body.name,
        profile=body.profile,
        kind=body.kind,
        public=body.public,
        client_id=body.client_id,
        redirect_uris=tuple(body.redirect_uris),
        remove_url=body.remove_url,
        scopes=_texts(body.scopes),
        default_scopes=_texts(body.default_scopes),
        required_scopes=tuple(body.required_scopes),
        resources=tuple(body.resources),
        overrides=tuple(sorted(body.policy.items())),
        account_id=None if body.account is None else (await account_in_body(facts, body.account)).id,
    )

    def write(created: Created) -> CreatedClient:
        return CreatedClient(
            client=views.client(created.client),
            client_secret=created.client_secret,
            notice_secret=notice_secret(created.client, at.vault),
        )

    return said(await create_client(facts, at, wanted), write)


async def change(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: ClientChange = asked.body
    check_url(_given(body.remove_url), asked.prepared, "#/remove_url")
    account_id = None if body.account is UNSET else b""
    if isinstance(body.account, str):
        account_id = (await account_in_body(facts, body.account)).id
    wanted = Change(
        name=_given(body.name),
        redirect_uris=_texts(_given(body.redirect_uris)),
        remove_url="" if body.remove_url is None else _given(body.remove_url),
        scopes=_texts(_given(body.scopes)),
        default_scopes=_texts(_given(body.default_scopes)),
        required_scopes=_texts(_given(body.required_scopes)),
        resources=_texts(_given(body.resources)),
        profile=_given(body.profile),
        overrides=None if body.policy is UNSET else tuple(sorted(body.policy.items())),
        account_id=account_id,
    )
    return said(await update_client(facts, at, asked.path["client"], wanted, version=body.version), views.client)


async def rotate(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: SecretRotation = asked.body
    decision = await rotate_secret(
        facts,
        at,
        asked.path["client"],
        expire_old_in=timedelta(seconds=body.expire_old_in),
        compromised=body.compromised,
    )

    def write(rotated: Rotated) -> RotatedSecret:
        older = rotated.older
        return RotatedSecret(
            client_secret=rotated.client_secret, old_expires_at=None if older is None else older.expires_at
        )

    return said(decision, write)


async def approve(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: Review = asked.body
    return said(await approval.approve(facts, at, asked.path["client"], version=body.version), views.client)


async def send_back(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: ReviewWord = asked.body
    decision = await approval.send_back(facts, at, asked.path["client"], body.word, version=body.version)
    return said(decision, views.client)


async def disable(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await client_life.disable_client(facts, at, asked.path["client"], actor=asked.actor), views.client)


async def enable(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await client_life.enable_client(facts, at, asked.path["client"], actor=asked.actor), views.client)


async def end(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await client_life.end_client(facts, at, asked.path["client"], actor=asked.actor), views.client)


def _given(value: Any) -> Any:
    return None if value is UNSET else value


def _texts(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


_ONE = "/v1/clients/{client}"
_READ, _WRITE = "clients:read", "clients:write"

CALLS = (
    Call(
        "clients.list", "GET", "/v1/clients", _READ, "List clients that have not ended, newest first.", list_clients,
        answer=Client, query=ClientQuery, paged=True,
    ),
    Call(
        "clients.create", "POST", "/v1/clients", _WRITE, "Register a client; its secret is shown once.", create,
        answer=CreatedClient, status=201, body=NewClient, prepare=outgoing_rules,
    ),
    Call(
        "clients.list_of_account", "GET", "/v1/accounts/{account}/clients", _READ,
        "List clients that belong to an account, newest first.", list_of_account,
        answer=Client, query=PageQuery, paged=True,
    ),
    Call("clients.get", "GET", _ONE, _READ, "Show a client, ended ones, too.", get_client, answer=Client),
    Call(
        "clients.change", "PATCH", _ONE, _WRITE, "Change a client.", change,
        answer=Client, body=ClientChange, prepare=outgoing_rules,
    ),
    Call(
        "clients.rotate_secret", "POST", f"{_ONE}/secrets", _WRITE,
        "Make a new secret, shown once; the one before goes on working for a week, or as long as is said.", rotate,
        answer=RotatedSecret, status=201, body=SecretRotation,
    ),
    Call(
        "clients.approve", "POST", f"{_ONE}/approve", _WRITE, "Approve a draft: everybody may connect it.", approve,
        answer=Client, body=Review,
    ),
    Call(
        "clients.send_back", "POST", f"{_ONE}/send-back", _WRITE,
        "Tell the developers of a submitted draft what is missing.", send_back, answer=Client, body=ReviewWord,
    ),
    Call(
        "clients.disable", "POST", f"{_ONE}/disable", _WRITE,
        "Switch a client off: its tokens are good for nothing until it is enabled.", disable,
        answer=Client, body=Nothing,
    ),
    Call("clients.enable", "POST", f"{_ONE}/enable", _WRITE, "Switch a client on again.", enable, answer=Client, body=Nothing),
    Call(
        "clients.end", "DELETE", _ONE, _WRITE, "End a client for good; its connections are removed within seconds.", end,
        answer=Client,
    ),
)  # fmt: skip
