"""The integration's own webhooks, and what is delivered to them (specification 17.7, Webhooks).

Calls name the app and ``me``, or the integration's own id. The secret is ours to draw; it is shown whenever a webhook is,
and is sent along as ``X-API-Key`` with each delivery.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from grantway.wire import json_bytes
from grantway.wire.dialects.sunshine.failures import HEADERS, asking, read_error_answer
from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object
from grantway.wire.errors import INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, Malformed
from grantway.wire.headers import media_type, read_bearer
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from grantway.wire.times import write_time
from grantway.wire.webhook_messages import (
    EventDelivery,
    WebhookAnswer,
    WebhookFields,
    WebhookListAnswer,
    WebhookRequest,
)

WEBHOOKS_PATH = "/v2/apps/{app}/integrations/{integration}/webhooks"
WEBHOOK_PATH = "/v2/apps/{app}/integrations/{integration}/webhooks/{id}"
ME = "me"
"""How a caller names itself in those paths."""
DELIVERY_VERSION = "v2"

FULL_USER, FULL_SOURCE = "includeFullUser", "includeFullSource"


# --- requests


def read_webhook_request(request: HttpRequest) -> WebhookRequest:
    """Whose webhooks, and which of them."""
    named = request.path_values
    token = read_bearer(request.header(b"authorization"))
    return WebhookRequest(token, named.get("id"), named.get("app"), named.get("integration"))


def write_webhook_request(message: WebhookRequest, method: str, fields: WebhookFields) -> HttpRequest:
    """The client's end of ``read_webhook_request`` and ``read_webhook_fields_request``."""
    values = {"app": message.account or "", "integration": message.integration or ME}
    if message.webhook_id is not None:
        values["id"] = message.webhook_id
    path = WEBHOOKS_PATH if message.webhook_id is None else WEBHOOK_PATH
    path = path.format(**{name: quote(value, safe="") for name, value in values.items()})
    members = {"target": fields.url, "triggers": fields.events, "version": fields.version, **fields.options}
    given = {name: value for name, value in members.items() if value is not None}
    headers = asking(message.access_token)
    if method not in ("POST", "PATCH"):
        return HttpRequest(method, path, headers=headers, path_values=values)
    return HttpRequest(method, path, headers=(*headers, JSON), body=json_bytes.dumps(given), path_values=values)


def read_webhook_fields_request(request: HttpRequest) -> WebhookFields:
    """``WebhookCreateBody`` or ``WebhookBody``."""
    if not request.body:
        return WebhookFields()
    if media_type(request) != JSON_TYPE:
        raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_not_json")
    sent = read_json_object(request.body)
    options = {name: sent.flag(name) for name in (FULL_USER, FULL_SOURCE)}
    return WebhookFields(
        sent.visible("target"),
        sent.many("triggers") or None,
        sent.visible("version"),
        {name: value for name, value in options.items() if value is not None},
    )


# --- answers


def write_webhook_answer(answer: WebhookAnswer, status: int = 200) -> HttpAnswer:
    """``WebhookResponse``; 201 when it is new."""
    return HttpAnswer(status, HEADERS, json_bytes.dumps({"webhook": _members(answer)}))


def read_webhook_answer(answer: HttpAnswer) -> WebhookAnswer | ErrorAnswer:
    """``WebhookResponse``, or the refusal."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    webhook = read_json_object(answer.body).mapping("webhook")
    if webhook is None:
        raise Malformed(INVALID_REQUEST, "webhook_missing")
    return _read_one(Parameters(webhook))


def write_webhook_list_answer(answer: WebhookListAnswer) -> HttpAnswer:
    """``WebhookListResponse``."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps({"webhooks": [_members(one) for one in answer.webhooks]}))


def read_webhook_list_answer(answer: HttpAnswer) -> WebhookListAnswer | ErrorAnswer:
    """``WebhookListResponse``, or the refusal."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    listed = read_json_object(answer.body).mappings("webhooks")
    return WebhookListAnswer(tuple(_read_one(Parameters(one)) for one in listed))


def write_webhook_end_answer() -> HttpAnswer:
    """An empty object."""
    return HttpAnswer(200, HEADERS, b"{}")


def _members(webhook: WebhookAnswer) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "version": webhook.version,
        "target": webhook.url,
        "triggers": list(webhook.events),
        "secret": webhook.secret,
        FULL_USER: bool(webhook.options.get(FULL_USER)),
        FULL_SOURCE: bool(webhook.options.get(FULL_SOURCE)),
    }


def _read_one(members: Parameters) -> WebhookAnswer:
    options = {name: members.flag(name) for name in (FULL_USER, FULL_SOURCE)}
    return WebhookAnswer(
        id=members.needed("id"),
        url=members.needed("target"),
        events=members.many("triggers"),
        version=members.needed("version"),
        secret=members.visible("secret"),
        options={name: value for name, value in options.items() if value is not None},
    )


# --- deliveries


def write_event_delivery(delivery: EventDelivery) -> bytes:
    """The body of a delivery, of one event."""
    event = {
        "id": delivery.event_id,
        "createdAt": write_time(delivery.created_at),
        "type": delivery.type,
        "payload": delivery.payload,
    }
    webhook = {"id": delivery.webhook_id, "version": DELIVERY_VERSION}
    return json_bytes.dumps({"app": {"id": delivery.app_id}, "webhook": webhook, "events": [event]})
