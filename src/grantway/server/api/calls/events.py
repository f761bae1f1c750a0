"""Events that the platform publishes, and deliveries of every kind."""

from __future__ import annotations

from typing import Any

from grantway.protocol import notices
from grantway.protocol.decision import Decision
from grantway.protocol.events import publish
from grantway.protocol.facts import Facts
from grantway.protocol.ids import show
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, Paged, nothing_there, said, told
from grantway.server.api.finding import account_in_body, named_client, named_connection
from grantway.wire.api.connections import Delivery, DeliveryInFull, DeliveryQuery, Event, NewEvent
from grantway.wire.api.message import Nothing


async def publish_event(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: NewEvent = asked.body
    account = await account_in_body(facts, body.account)
    decision = await publish(
        facts,
        at,
        account,
        body.type,
        body.payload,
        event_id=body.id,
        ordering_key=body.ordering_key,
    )
    return said(decision, lambda made: Event(id=show("ev", made.event.id), to=made.event.to))


async def list_deliveries(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: DeliveryQuery = asked.query
    rows = await facts.notices(
        asked.page,
        connection_id=await named_connection(facts, query.connection),
        client_row_id=await named_client(facts, query.client),
        state=query.state,
    )
    return told(Paged(rows, views.delivery, lambda one: one.id), "deliveries_listed")


async def get_delivery(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    notice = await facts.notice(asked.id("delivery", "nt"))
    if notice is None:
        return nothing_there("delivery_unknown")
    attempts = [views.attempt(one) for one in await facts.attempts(notice.id)]
    return told(DeliveryInFull(delivery=views.delivery(notice), attempts=attempts), "delivery_told")


async def replay(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    decision = await notices.replay(facts, at, asked.id("delivery", "nt"), asked.actor)
    return said(decision, lambda again: views.delivery(again.notice))


CALLS = (
    Call(
        "events.publish", "POST", "/v1/events", "events:publish",
        "Publish what happened in an account to the webhooks whose connections reach it.", publish_event,
        answer=Event, status=202, body=NewEvent,
    ),
    Call(
        "deliveries.list", "GET", "/v1/deliveries", "deliveries:read", "List deliveries, newest first.",
        list_deliveries, answer=Delivery, query=DeliveryQuery, paged=True,
    ),
    Call(
        "deliveries.get", "GET", "/v1/deliveries/{delivery}", "deliveries:read",
        "Show a delivery and what came of each attempt.", get_delivery, answer=DeliveryInFull,
    ),
    Call(
        "deliveries.replay", "POST", "/v1/deliveries/{delivery}/replay", "deliveries:write",
        "Have a delivery sent again, under the same id.", replay, answer=Delivery, body=Nothing,
    ),
)  # fmt: skip
