"""An integration's webhooks (``/v1/webhooks``), and what is delivered to them (Standard Webhooks).

The specification (https://www.standardwebhooks.com) gives the headers and the members ``type``, ``timestamp`` and ``data``;
the calls are our own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from grantway.wire import json_bytes
from grantway.wire.dialects.standard.failures import HEADERS, read_error_answer
from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object
from grantway.wire.errors import UNSUPPORTED_MEDIA_TYPE, Malformed
from grantway.wire.headers import media_type, read_bearer, write_bearer
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from grantway.wire.times import read_time, write_time
from grantway.wire.webhook_messages import (
    EventDelivery,
    WebhookAnswer,
    WebhookFields,
    WebhookListAnswer,
    WebhookRequest,
    WebhookTestAnswer,
)

WEBHOOKS_PATH = "/v1/webhooks"
WEBHOOK_PATH = "/v1/webhooks/{id}"
WEBHOOK_TEST_PATH = "/v1/webhooks/{id}/test"
WEBHOOK_ROTATION_PATH = "/v1/webhooks/{id}/rotate-secret"


# --- requests


def read_webhook_request(request: HttpRequest) -> WebhookRequest:
    """Whose webhooks, and which of them."""
    return WebhookRequest(read_bearer(request.header(b"authorization")), request.path_values.get("id"))


def write_webhook_request(message: WebhookRequest, method: str, path: str, fields: WebhookFields) -> HttpRequest:
    """The client's end of ``read_webhook_request`` and ``read_webhook_fields_request``. ``path`` is one of the above."""
    headers = [(b"accept", JSON_TYPE.encode())]
    if message.access_token is not None:
        headers.append((b"authorization", write_bearer(message.access_token).encode()))
    values = {} if message.webhook_id is None else {"id": message.webhook_id}
    path = path.format(**{name: quote(value, safe="") for name, value in values.items()})
    members = {"url": fields.url, "events": fields.events, "version": fields.version}
    given = {name: value for name, value in members.items() if value is not None}
    body = json_bytes.dumps(given) if method in ("POST", "PATCH") and given else b""
    if body:
        headers.append(JSON)
    return HttpRequest(method, path, headers=headers, body=body, path_values=values)


def read_webhook_fields_request(request: HttpRequest) -> WebhookFields:
    """What a new webhook is to be, or what is to change."""
    if not request.body:
        return WebhookFields()
    if media_type(request) != JSON_TYPE:
        raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_not_json")
    sent = read_json_object(request.body)
    events = sent.many("events")
    return WebhookFields(sent.visible("url"), events or None, sent.visible("version"))


# --- answers


def write_webhook_answer(answer: WebhookAnswer, status: int = 200) -> HttpAnswer:
    """One webhook; 201 when it is new."""
    return HttpAnswer(status, HEADERS, json_bytes.dumps(_members(answer)))


def read_webhook_answer(answer: HttpAnswer) -> WebhookAnswer | ErrorAnswer:
    """One webhook, or the refusal."""
    return _read_one(read_json_object(answer.body)) if 200 <= answer.status < 300 else read_error_answer(answer)


def write_webhook_list_answer(answer: WebhookListAnswer) -> HttpAnswer:
    """All of them; they are few."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps({"data": [_members(one) for one in answer.webhooks]}))


def read_webhook_list_answer(answer: HttpAnswer) -> WebhookListAnswer | ErrorAnswer:
    """All of them, or the refusal."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    listed = read_json_object(answer.body).mappings("data")
    return WebhookListAnswer(tuple(_read_one(Parameters(one)) for one in listed))


def write_webhook_end_answer() -> HttpAnswer:
    """It is gone: nothing is left to say."""
    return HttpAnswer(204, (HEADERS[1],))


def write_webhook_test_answer(answer: WebhookTestAnswer) -> HttpAnswer:
    """The test is on its way: its ``webhook-id``."""
    return HttpAnswer(202, HEADERS, json_bytes.dumps({"delivery_id": answer.delivery_id}))


def read_webhook_test_answer(answer: HttpAnswer) -> WebhookTestAnswer | ErrorAnswer:
    """The delivery's id, or the refusal."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    return WebhookTestAnswer(read_json_object(answer.body).needed("delivery_id"))


def _members(webhook: WebhookAnswer) -> dict[str, Any]:
    disabled, previous = webhook.disabled_at, webhook.previous_until
    members: dict[str, Any] = {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "version": webhook.version,
        "created_at": None if webhook.created_at is None else write_time(webhook.created_at),
        "disabled_at": None if disabled is None else write_time(disabled),
    }
    if webhook.secret is not None:
        members["secret"] = webhook.secret
    if previous is not None:
        members["previous_secret_until"] = write_time(previous)
    return members


def _read_one(members: Parameters) -> WebhookAnswer:
    return WebhookAnswer(
        id=members.needed("id"),
        url=members.needed("url"),
        events=members.many("events"),
        version=members.needed("version"),
        created_at=_time(members, "created_at"),
        disabled_at=_time(members, "disabled_at"),
        secret=members.visible("secret"),
        previous_until=_time(members, "previous_secret_until"),
    )


def _time(members: Parameters, name: str) -> datetime | None:
    text = members.visible(name)
    return None if text is None else read_time(text)


# --- deliveries


def write_event_delivery(delivery: EventDelivery) -> bytes:
    """The body of a delivery: ``type``, ``timestamp`` and ``data`` as Standard Webhooks has them, and whose it is."""
    account = {"id": delivery.account.id, "name": delivery.account.name}
    return json_bytes.dumps(
        {
            "id": delivery.event_id,
            "type": delivery.type,
            "timestamp": write_time(delivery.created_at),
            "webhook_id": delivery.webhook_id,
            "connection_id": delivery.connection_id,
            "account": account,
            "data": delivery.payload,
        }
    )
