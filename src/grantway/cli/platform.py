"""``grantway platform``: what the platform itself is told, and how it knows that it was us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, group, tell

if TYPE_CHECKING:
    from grantway.server.service import Service

app = group("What the platform itself is told of connections and resources.")


@app.command("events-secret")
def events_secret(data: Data = None, as_json: Json = False) -> None:
    """Show the key that calls to the platform's own addresses are signed with (Standard Webhooks)."""
    from grantway.server.connections import signing

    async def work(service: Service) -> Answer:
        return {
            "platform_events_url": service.settings.platform_events_url,
            "events_secret": await signing.events_secret(service),
        }

    tell(house.with_service(data, work), as_json)
