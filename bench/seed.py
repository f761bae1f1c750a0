"""An installation to measure: clients by the CLI's own rules, connections, grants and codes in bulk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.clients import CreatedClient, NewClient, create_client
from grantway.protocol.administration.people import create_user
from grantway.protocol.decision import Add, Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, Client, Connection, Grant, Membership, User
from grantway.protocol.moment import Moment
from grantway.protocol.redirect_uri import uri_digest
from grantway.protocol.tokens import SERIAL_LENGTH, Access, write_access_token, write_code, write_refresh_token
from grantway.server.opening import open_service, prepare
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.signing_keys import ensure_signing_key

REDIRECT_URI = "https://integration.example/callback"
SCOPES = ("contacts:read", "contacts:write", "calls:write")
VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
BATCH = 500


@dataclass(frozen=True)
class Seeded:
    """What the load scripts need: credentials and files of one token a line."""

    opaque: tuple[str, str]
    jwt: tuple[str, str]
    codes: Path
    refresh_tokens: Path
    access_tokens: Path


def seed(settings: Settings, into: Path, *, codes: int, grants: int) -> Seeded:
    """Make the installation and write the files of tokens. Nothing else may run on the data directory yet."""
    prepare(settings)
    return asyncio.run(_seed(settings, into, codes, grants))


async def _seed(settings: Settings, into: Path, codes: int, grants: int) -> Seeded:
    service = await open_service(settings)
    try:
        await ensure_signing_key(service)
        opaque, jwt = await _client(service, "opaque"), await _client(service, "jwt")
        user: User = await _made(service, create_user, "ada@example.com", "Ada", None)
        issued = [
            await _grants(service, opaque.client, user, min(BATCH, grants - done), exchanged=True)
            for done in range(0, grants, BATCH)
        ]
        waiting = [
            await _grants(service, opaque.client, user, min(BATCH, codes - done), exchanged=False)
            for done in range(0, codes, BATCH)
        ]
    finally:
        await service.storage.close()
    files = into / "codes", into / "refresh_tokens", into / "access_tokens"
    files[0].write_text("\n".join(one[0] for batch in waiting for one in batch) + "\n")
    files[1].write_text("\n".join(one[1] for batch in issued for one in batch) + "\n")
    files[2].write_text("\n".join(one[2] for batch in issued for one in batch) + "\n")
    return Seeded(_credentials(opaque), _credentials(jwt), *files)


def _credentials(made: CreatedClient) -> tuple[str, str]:
    if made.client_secret is None:
        raise TypeError("a confidential client has a secret")
    return made.client.client_id, made.client_secret


async def _made(service: Service, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    decision: Decision[Any] = await service.settle(rule, *args, **kwargs)
    if isinstance(decision.answer, Rejected):
        raise TypeError(decision.answer)
    return decision.answer


async def _client(service: Service, access_token_format: str) -> CreatedClient:
    new = NewClient(
        f"Bench {access_token_format}",
        redirect_uris=(REDIRECT_URI,),
        scopes=SCOPES,
        overrides=(("access_token_format", access_token_format), ("code_lifetime", 36_000)),
    )
    made: CreatedClient = await _made(service, create_client, new, create_scopes=True)
    return made


async def _grants(
    service: Service, client: Client, user: User, number: int, *, exchanged: bool
) -> list[tuple[str, str, str]]:
    """Grants as the authorization endpoint makes them, each of a customer of its own, exchanged or not, and their code,
    refresh and access token."""

    async def rule(facts: Facts, at: Moment) -> Decision[list[tuple[str, str, str]]]:
        made: list[tuple[str, str, str]] = []
        changes: list[Add] = []
        for _ in range(number):
            account = Account(at.new_id(), "Acme", at.now)
            connection = Connection(
                at.new_id(), client.id, account.id, at.draw(12).hex(), SCOPES, at.now, user.id,
                last_used_day=at.now.date(),
                activated_at=at.now if exchanged else None,
            )  # fmt: skip
            grant_id, raw = at.new_id(), at.draw(32)
            grant = Grant(
                grant_id, connection.id, client.id, connection.account_id, user.id, "code", SCOPES, (),
                at.vault.seal(raw, grant_id), at.vault.current, at.now,
                generation=int(exchanged),
                moved_at=at.now if exchanged else None,
                code_expires_at=at.now + timedelta(hours=10),
                code_challenge=CHALLENGE,
                redirect_uri_digest=uri_digest(REDIRECT_URI),
                redirect_uri_was_sent=True,
                last_used_day=at.now.date(),
            )  # fmt: skip
            access = Access(
                "grant", grant_id, at.draw(SERIAL_LENGTH), at.now.replace(microsecond=0),
                at.now.replace(microsecond=0) + timedelta(hours=10), SCOPES, (),
            )  # fmt: skip
            tokens = (
                write_code(raw, grant_id),
                write_refresh_token(raw, grant_id, 1),
                write_access_token(raw, access, (SCOPES, ())),
            )
            made.append(tokens)
            membership = Membership(account.id, user.id, "owner", at.now)
            changes += [Add(account), Add(membership), Add(connection), Add(grant)]
        return Decision(made, tuple(changes))

    return (await service.settle(rule)).answer
