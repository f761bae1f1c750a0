"""Deliveries: what waits, what was given up, and one with each attempt and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.administration.finding import clients_of
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, NoticeState
from grantway.protocol.moment import Moment
from grantway.protocol.notices import public_id, replay, target_of
from grantway.protocol.sessions import Operating
from grantway.server.connections.spelling import request_of, spell
from grantway.server.pages.admin.table import NOWHERE, Asked, Deed, Sight, actor_of, path_of, shown

_HERE = path_of("deliveries")
STATES: tuple[NoticeState, ...] = ("all", "waiting", "dead", "delivered")


async def load_all(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    state = next((each for each in STATES if each == asked.named("state")), STATES[0])
    named = asked.named("client")
    client = await facts.client(named) if named else None
    rows = await facts.notices(
        asked.page("nt"),
        connection_id=asked.row("connection", "cn"),
        client_row_id=client.id if client else NOWHERE if named else None,
        state=state,
    )
    return {
        "notices": shown(rows),
        "clients": await clients_of(facts, (row.client_id for row in rows)),
        "state": state,
        "states": STATES,
        "client": named,
        "connection": asked.named("connection"),
        "older": asked.older(rows, "nt"),
    }


async def load_one(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any] | None:
    notice = await facts.notice(asked.id("notice", "nt"))
    if notice is None:
        return None
    event = await facts.event(notice.event_id) if notice.event_id else None
    webhook = await facts.webhook(notice.webhook_id) if notice.webhook_id else None
    target = target_of(notice) if webhook is None else webhook.webhook.url
    return {
        "notice": notice,
        "here": asked.here,
        "message_id": public_id(notice),
        "target": target,
        "event": event,
        "webhook": webhook,
        "client": (await clients_of(facts, (notice.client_id,))).get(notice.client_id),
        # A letter's link and address are sealed in its body; even so it is nobody's to read.
        "request": None
        if notice.kind == "mail"
        else request_of(notice, notice.url or target, spell(notice, webhook, event, at.vault)),
        "attempts": await facts.attempts(notice.id),
    }


async def _replay(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await replay(facts, at, asked.id("notice", "nt"), actor_of(by))


ONE = Sight(f"{_HERE}/{{notice}}", _HERE, "admin/delivery.html", load_one)

TABLE = (
    Sight(_HERE, _HERE, "admin/deliveries.html", load_all),
    ONE,
    Deed(ONE, "replay", _replay, "replayed"),
)
