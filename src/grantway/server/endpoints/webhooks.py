"""Webhooks, by dialect: an integration manages those of its connection with its access token."""

from __future__ import annotations

from typing import Protocol

from grantway.protocol import webhooks as rules
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.ids import show
from grantway.protocol.notices import public_id
from grantway.protocol.webhooks import Dialect, ShownWebhook
from grantway.server.answer import Endpoint, ErrorWriter, Handler, Said, refused
from grantway.server.connections.outgoing import check_target
from grantway.server.service import Service
from grantway.wire.dialects.standard import webhooks as standard
from grantway.wire.dialects.standard import write_bearer_challenge
from grantway.wire.dialects.sunshine import webhooks as sunshine
from grantway.wire.dialects.sunshine import write_error_answer
from grantway.wire.errors import INVALID_REQUEST, Malformed, OAuthError
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.webhook_messages import (
    WebhookAnswer,
    WebhookFields,
    WebhookListAnswer,
    WebhookRequest,
    WebhookTestAnswer,
)


class _Spelling(Protocol):
    """What a dialect's module of webhooks says and understands."""

    WEBHOOKS_PATH: str
    WEBHOOK_PATH: str

    def read_webhook_request(self, request: HttpRequest) -> WebhookRequest: ...
    def read_webhook_fields_request(self, request: HttpRequest) -> WebhookFields: ...
    def write_webhook_answer(self, answer: WebhookAnswer, status: int = 200) -> HttpAnswer: ...
    def write_webhook_list_answer(self, answer: WebhookListAnswer) -> HttpAnswer: ...
    def write_webhook_end_answer(self) -> HttpAnswer: ...


def endpoints() -> dict[tuple[str, str], Endpoint]:
    """The endpoints of all dialects by method and path."""
    return (
        _calls("webhooks", "standard", standard, write_bearer_challenge)
        | _own_calls()
        | _calls("sunshine.webhooks", "sunshine", sunshine, write_error_answer)
    )


def _calls(name: str, dialect: Dialect, say: _Spelling, error: ErrorWriter) -> dict[tuple[str, str], Endpoint]:
    """What every dialect with webhooks has: create, list, show, change, end."""

    async def create(service: Service, request: HttpRequest) -> Said:
        asked, wanted = say.read_webhook_request(request), _fields(say, service, request)
        decision = await service.settle(rules.create_webhook, asked, wanted, dialect, service.issuer)
        return one(decision, request, 201)

    async def listed(service: Service, request: HttpRequest) -> Said:
        asked = say.read_webhook_request(request)
        decision = await service.consult(rules.list_webhooks, asked, dialect, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, error, request)
        answer = WebhookListAnswer(tuple(_answer(shown) for shown in decision.answer))
        return Said(say.write_webhook_list_answer(answer), decision.reason)

    async def shown(service: Service, request: HttpRequest) -> Said:
        asked = say.read_webhook_request(request)
        return one(await service.consult(rules.show_webhook, asked, dialect, service.issuer), request)

    async def change(service: Service, request: HttpRequest) -> Said:
        asked, wanted = say.read_webhook_request(request), _fields(say, service, request)
        return one(await service.settle(rules.change_webhook, asked, wanted, dialect, service.issuer), request)

    async def end(service: Service, request: HttpRequest) -> Said:
        asked = say.read_webhook_request(request)
        decision = await service.settle(rules.end_webhook, asked, dialect, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, error, request)
        return Said(say.write_webhook_end_answer(), decision.reason)

    def one(decision: Decision[ShownWebhook | Refusal], request: HttpRequest, status: int = 200) -> Said:
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, error, request)
        return Said(say.write_webhook_answer(_answer(decision.answer), status), decision.reason)

    def endpoint(what: str, handle: Handler) -> Endpoint:
        return Endpoint(f"{name}.{what}", handle, error)

    return {
        ("POST", say.WEBHOOKS_PATH): endpoint("create", create),
        ("GET", say.WEBHOOKS_PATH): endpoint("list", listed),
        ("GET", say.WEBHOOK_PATH): endpoint("show", shown),
        ("PATCH", say.WEBHOOK_PATH): endpoint("change", change),
        ("DELETE", say.WEBHOOK_PATH): endpoint("end", end),
    }


def _own_calls() -> dict[tuple[str, str], Endpoint]:
    """What only the standard dialect has: test, and rotate the secret."""

    async def test(service: Service, request: HttpRequest) -> Said:
        asked = standard.read_webhook_request(request)
        decision = await service.settle(rules.send_test, asked, "standard", service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, write_bearer_challenge, request)
        answer = WebhookTestAnswer(public_id(decision.answer.notice))
        return Said(standard.write_webhook_test_answer(answer), decision.reason)

    async def rotate(service: Service, request: HttpRequest) -> Said:
        asked = standard.read_webhook_request(request)
        decision = await service.settle(rules.rotate_webhook_secret, asked, "standard", service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, write_bearer_challenge, request)
        return Said(standard.write_webhook_answer(_answer(decision.answer)), decision.reason)

    return {
        ("POST", standard.WEBHOOK_TEST_PATH): Endpoint("webhooks.test", test, write_bearer_challenge),
        ("POST", standard.WEBHOOK_ROTATION_PATH): Endpoint("webhooks.rotate", rotate, write_bearer_challenge),
    }


def _fields(say: _Spelling, service: Service, request: HttpRequest) -> WebhookFields:
    """What the webhook is to be; its address is one that may be called, as far as it can be told by looking at it."""
    wanted = say.read_webhook_fields_request(request)
    if wanted.url is not None:
        try:
            check_target(wanted.url, service.settings.outgoing_rules)
        except ValueError as unfit:
            refusal = OAuthError(INVALID_REQUEST.code, INVALID_REQUEST.status, str(unfit))
            raise Malformed(refusal, "webhook_url_refused") from None
    return wanted


def _answer(shown: ShownWebhook) -> WebhookAnswer:
    webhook = shown.webhook
    return WebhookAnswer(
        id=show("wh", webhook.id),
        url=webhook.url,
        events=webhook.events,
        version=webhook.api_version,
        created_at=webhook.created_at,
        disabled_at=webhook.disabled_at,
        secret=shown.secret,
        previous_until=webhook.previous_until,
        options=webhook.options,
    )
