"""``grantway keys``: the keys of /jwks.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Signing keys: what signed access tokens are verified with.")


@app.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """List the published keys, and which of them signs."""

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, _listing)

    tell(house.with_service(data, work), as_json)


@app.command("rotate")
def rotate(
    now: Annotated[
        bool, typer.Option("--now", help="For a key that has leaked: sign with a new one at once, and drop all others.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Publish a new key now, sign with it when every cache has it, retire the old one after its last token."""
    from grantway.protocol.administration import signing_keys
    from grantway.server.signing_keys import draw_signing_key

    async def work(service: Service) -> Answer:
        rule = signing_keys.rotate_now if now else signing_keys.rotate
        await house.settled(service, rule, draw_signing_key(service.vault))
        return await house.looked_up(service, _listing)

    tell(house.with_service(data, work), as_json)


async def _listing(facts: Facts, at: Moment) -> Answer:
    from grantway.cli import views
    from grantway.protocol.issuing import current_signing_key

    keys = await facts.signing_keys()
    signing = current_signing_key(keys, at)

    def state(kid: str, waits: bool) -> str:
        return "waiting" if waits else "signing" if signing and signing.kid == kid else "verifying"

    return {"keys": [views.signing_key(key, state(key.kid, key.signs_from > at.now)) for key in keys]}
