"""``grantway operator-keys``: keys for the operator's JSON API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Operator keys: what the JSON API below /v1 is called with.")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key: ok_…")]


@app.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="What it is for, so that it is known again in lists.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope", metavar="SCOPE", help="A call it may make: users:read, users:*, or * for all. May repeat."
        ),
    ],
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3660, help="After how many days it ends; never, if not said.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a key for the JSON API; it is shown once."""
    from datetime import timedelta

    from grantway.protocol.administration.operator_keys import create_operator_key
    from grantway.protocol.decision import Decision

    async def rule(facts: Facts, at: Moment) -> Decision[Any]:
        ends = None if days is None else at.now + timedelta(days=days)
        return await create_operator_key(facts, at, name, scope, expires_at=ends)

    async def work(service: Service) -> Answer:
        created = await house.settled(service, rule)
        return {**_view(created.key), "key": created.text}

    tell(house.with_service(data, work), as_json, "The key is shown this once.")


@app.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """List the keys, revoked and expired ones included."""

    async def work(service: Service) -> Any:
        return await house.looked_up(service, lambda facts, at: facts.operator_keys())

    tell({"operator_keys": [_view(one) for one in house.with_service(data, work)]}, as_json)


@app.command("revoke")
def revoke(key: KeyId, data: Data = None, as_json: Json = False) -> None:
    """Revoke a key: it is good for nothing any more."""
    from grantway.protocol.administration.operator_keys import revoke_operator_key
    from grantway.protocol.ids import parse

    async def work(service: Service) -> Answer:
        row_id = parse("ok", key)
        if row_id is None:
            raise Stop(f"There is no key {key}.", reason="operator_key_unknown")
        return _view(await house.settled(service, revoke_operator_key, row_id))

    tell(house.with_service(data, work), as_json)


def _view(one: Any) -> dict[str, Any]:
    from grantway.protocol.ids import show

    return {
        "id": show("ok", one.id),
        "name": one.name,
        "scopes": list(one.scopes),
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "revoked_at": one.revoked_at,
        "last_used_day": one.last_used_day,
    }
