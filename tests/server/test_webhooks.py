"""Webhooks over HTTP, in both dialects, and what arrives at their targets."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from grantway.protocol.connections import remove
from grantway.protocol.decision import Decision, Put
from grantway.protocol.events import publish
from grantway.protocol.model import Notice, Scope, User
from grantway.protocol.resources import NewResource, register_resource
from grantway.server.connections.addresses import AddressRules
from grantway.server.connections.courier import Courier
from grantway.server.connections.outgoing import Outgoing
from grantway.server.connections.sender import Sender
from grantway.server.connections.signing import events_secret, notice_secret
from grantway.server.service import Service
from tests.helpers.asgi import Reply
from tests.helpers.people import House
from tests.helpers.receiver import Received, Receiver, Respond, answers, receiver
from tests.helpers.stage import row_id
from tests.helpers.world import World, world

HOOK = "https://bot.example/hooks"


@pytest.fixture
def there() -> Iterator[World]:
    with world() as one:
        covering = (Put(Scope("read", {"en": "Read"}, events=("order.*",))),)

        async def rule(facts: Any, at: Any) -> Decision[None]:
            return Decision(None, covering)

        one.house.decide(rule)
        yield one


def call(there: World, token: str, method: str, path: str, members: dict[str, Any] | None = None) -> Reply:
    headers = [("Authorization", f"Bearer {token}")]
    if members is None:
        return there.caller.request(method, path, headers)
    return there.caller.request(
        method, path, [*headers, ("Content-Type", "application/json")], json.dumps(members).encode()
    )


# the standard's calls


def test_a_webhook_lives_from_its_creation_to_its_end(there: World) -> None:
    token = there.standard_tokens()["access_token"]
    made = call(there, token, "POST", "/v1/webhooks", {"url": HOOK, "events": ["order.*"]})
    assert made.status == 201
    webhook = made.json()
    assert webhook.pop("secret").startswith("whsec_")
    assert webhook == {
        "id": webhook["id"], "url": HOOK, "events": ["order.*"], "version": "1",
        "created_at": "2026-03-01T12:00:00Z", "disabled_at": None,
    }  # fmt: skip
    path = f"/v1/webhooks/{webhook['id']}"
    assert call(there, token, "GET", "/v1/webhooks").json() == {"data": [webhook]}
    assert call(there, token, "GET", path).json() == webhook
    changed = call(there, token, "PATCH", path, {"events": ["order.paid"]})
    assert (changed.status, changed.json()) == (200, {**webhook, "events": ["order.paid"]})
    tested = call(there, token, "POST", f"{path}/test")
    assert tested.status == 202
    assert tested.json()["delivery_id"].startswith("nt_")
    rotated = call(there, token, "POST", f"{path}/rotate-secret").json()
    assert rotated["previous_secret_until"] == "2026-03-02T12:00:00Z"
    ended = call(there, token, "DELETE", path)
    assert (ended.status, ended.body) == (204, b"")
    assert call(there, token, "GET", path).status == 404
    assert call(there, token, "GET", "/v1/webhooks").json() == {"data": []}


@pytest.mark.parametrize(
    ("members", "status", "error"),
    [
        ({"events": ["order.paid"]}, 400, "invalid_request"),
        ({"url": HOOK}, 400, "invalid_request"),
        ({"url": HOOK, "events": ["customer.*"]}, 403, "insufficient_scope"),
        ({"url": HOOK, "events": "order paid"}, 400, "invalid_request"),
        ({"url": HOOK, "events": ["order.paid"], "version": "7"}, 400, "invalid_request"),
        ({"url": "https://10.0.0.1/hooks", "events": ["order.paid"]}, 400, "invalid_request"),
        ({"url": "http://bot.example/hooks", "events": ["order.paid"]}, 400, "invalid_request"),
        ({"url": "https://bot.example:22/hooks", "events": ["order.paid"]}, 400, "invalid_request"),
        ({"url": "https://169.254.169.254/", "events": ["order.paid"]}, 400, "invalid_request"),
    ],
)
def test_what_is_refused_is_refused_as_a_bearer_is(
    there: World, members: dict[str, Any], status: int, error: str
) -> None:
    reply = call(there, there.standard_tokens()["access_token"], "POST", "/v1/webhooks", members)
    assert (reply.status, reply.json()["error"]) == (status, error)
    assert f'error="{error}"' in (reply.header("www-authenticate") or "")


def test_an_address_that_cannot_be_called_is_refused_with_the_reason(there: World) -> None:
    token = there.standard_tokens()["access_token"]
    reply = call(there, token, "POST", "/v1/webhooks", {"url": "http://bot.example/", "events": ["order.paid"]})
    assert reply.json()["error_description"] == "The address is https."


@pytest.mark.parametrize("path", ["/v1/webhooks", "/v1/webhooks/wh_1", "/sc/v1/webhooks", "/v1/webhooks/{id}"])
def test_without_a_token_there_is_a_challenge_or_nothing_at_all(there: World, path: str) -> None:
    reply = there.get(path)
    assert (reply.status, reply.header("www-authenticate")) in ((401, 'Bearer realm="grantway"'), (404, None))
    assert (reply.status == 404) is path.startswith("/sc")


def test_a_wrong_method_names_the_right_ones(there: World) -> None:
    reply = there.caller.request("PUT", "/v1/webhooks/wh_1")
    assert (reply.status, reply.header("allow")) == (405, "DELETE, GET, HEAD, PATCH")


def test_another_body_than_json_is_not_read(there: World) -> None:
    token = there.standard_tokens()["access_token"]
    reply = there.post_form("/v1/webhooks", {"url": HOOK}, authorization=f"Bearer {token}")
    assert reply.status == 415


def test_tokens_die_and_so_do_their_calls(there: World) -> None:
    tokens = there.standard_tokens()
    call(there, tokens["access_token"], "POST", "/v1/webhooks", {"url": HOOK, "events": ["order.*"]})
    there.house.decide(remove, row_id("cn", tokens["connection_id"]), "operator", "operator")
    assert call(there, tokens["access_token"], "GET", "/v1/webhooks").status == 401


# Sunshine's calls


def sunshine_path(there: World, webhook: str = "") -> str:
    return f"/v2/apps/{there.account.external_ids['sunshine']}/integrations/me/webhooks{webhook}"


@pytest.mark.parametrize("prefix", ["", "/sc"])
def test_a_sunshine_webhook_lives_from_its_creation_to_its_end(there: World, prefix: str) -> None:
    token, path = there.sunshine_token(), prefix + sunshine_path(there)
    made = call(there, token, "POST", path, {"target": HOOK, "triggers": ["conversation:message"]})
    assert made.status == 201
    webhook = made.json()["webhook"]
    assert webhook == {
        "id": webhook["id"], "version": "v2", "target": HOOK, "triggers": ["conversation:message"],
        "secret": webhook["secret"], "includeFullUser": False, "includeFullSource": False,
    }  # fmt: skip
    assert call(there, token, "GET", path).json() == {"webhooks": [webhook]}
    one = f"{path}/{webhook['id']}"
    changed = call(there, token, "PATCH", one, {"includeFullUser": True}).json()["webhook"]
    assert changed == {**webhook, "includeFullUser": True}
    assert call(there, token, "GET", one).json() == {"webhook": changed}
    ended = call(there, token, "DELETE", one)
    assert (ended.status, ended.json()) == (200, {})
    missing = call(there, token, "GET", one)
    assert (missing.status, missing.json()["errors"][0]["code"]) == (404, "not_found")


def test_sunshines_refusals_are_in_its_words(there: World) -> None:
    path = sunshine_path(there)
    assert there.get(path).json() == {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]}
    strange = path.replace(there.account.external_ids["sunshine"], "00" * 12)
    reply = call(there, there.sunshine_token(), "GET", strange)
    assert (reply.status, reply.json()) == (403, {"errors": [{"code": "forbidden", "title": "Forbidden"}]})


# what arrives


class Mailbox:
    """Takes letters instead of a mail server."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.letters: list[tuple[Notice, User | None]] = []

    async def __call__(self, service: Service, notice: Notice, user: User | None) -> tuple[int | None, str | None]:
        self.letters.append((notice, user))
        return self.statuses.pop(0), None


def sending(
    service: Service,
    set_up: Callable[[Receiver], None],
    done: Callable[[Receiver], bool],
    respond: Respond | None = None,
    **courier: Any,
) -> list[Received]:
    """What a receiver gets of what ``set_up`` puts into the outbox."""

    async def go() -> list[Received]:
        async with receiver(respond or answers(200)) as target:
            await asyncio.to_thread(set_up, target)  # it has an event loop of its own
            await _deliver(service, lambda: done(target), **courier)
            return target.received

    return asyncio.run(go())


async def _deliver(service: Service, done: Callable[[], bool], **courier: Any) -> None:
    """Run a sender until it is done."""
    outgoing = Outgoing(AddressRules.of(service.issuer), deadline=timedelta(seconds=5))
    sender = Sender(service, Courier(service, outgoing, **courier), every=0.05)
    stop = asyncio.Event()
    task = asyncio.create_task(sender.run(stop))
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.01)
    stop.set()
    await task
    await sender.close()


def several(count: int) -> Callable[[Receiver], bool]:
    return lambda target: len(target.received) == count


def hook(there: World, target: Receiver, token: str) -> dict[str, Any]:
    made = call(there, token, "POST", "/v1/webhooks", {"url": target.url("/hooks"), "events": ["order.*"]})
    webhook: dict[str, Any] = made.json()
    return webhook


def test_an_event_arrives_signed_with_the_webhooks_own_secret(there: World) -> None:
    tokens = there.standard_tokens()
    found: dict[str, Any] = {}

    def set_up(target: Receiver) -> None:
        found.update(hook(there, target, tokens["access_token"]))
        there.house.decide(publish, there.account, "order.paid", {"order": 7})

    (received,) = sending(there.house.service, set_up, several(1))
    told = Webhook(found["secret"]).verify(received.body, received.headers)
    assert told == {
        "id": told["id"], "type": "order.paid", "timestamp": "2026-03-01T12:00:00Z", "webhook_id": found["id"],
        "connection_id": tokens["connection_id"], "account": tokens["account"], "data": {"order": 7},
    }  # fmt: skip
    assert told["id"].startswith("ev_")
    assert received.headers["webhook-id"].startswith("nt_")
    assert tokens["access_token"].encode() not in received.body


def test_after_a_rotation_both_secrets_verify(there: World) -> None:
    token = there.standard_tokens()["access_token"]
    secrets: list[str] = []

    def set_up(target: Receiver) -> None:
        made = hook(there, target, token)
        rotated = call(there, token, "POST", f"/v1/webhooks/{made['id']}/rotate-secret").json()
        secrets.extend([made["secret"], rotated["secret"]])
        # The signature's clock is the wall's; the overlap ends by it as well.
        there.house.decide(publish, there.account, "order.paid", {"order": 7})

    clock = there.house.clock
    (received,) = sending(there.house.service, set_up, several(1), clock=clock)
    assert len(received.headers["webhook-signature"].split(" ")) == 2
    for secret in secrets:
        signed = Webhook(secret).sign(received.headers["webhook-id"], clock(), received.body.decode())
        assert signed in received.headers["webhook-signature"].split(" ")


def test_sunshine_hears_in_its_own_shape_with_its_key_and_our_signature(there: World) -> None:
    token = there.sunshine_token()
    found: dict[str, Any] = {}

    def set_up(target: Receiver) -> None:
        members = {"target": target.url("/hooks"), "triggers": ["*"]}
        found.update(call(there, token, "POST", sunshine_path(there), members).json()["webhook"])
        there.house.decide(publish, there.account, "conversation:message", {"text": "Hi"})

    (received,) = sending(there.house.service, set_up, several(1))
    service = there.house.service
    assert received.headers["x-api-key"] == found["secret"]
    told = Webhook(notice_secret(there.sunshine.client, service.vault)).verify(received.body, received.headers)
    (event,) = told["events"]
    assert told == {
        "app": {"id": there.account.external_ids["sunshine"]},
        "webhook": {"id": found["id"], "version": "v2"},
        "events": [
            {"id": event["id"], "createdAt": "2026-03-01T12:00:00Z", "type": "conversation:message",
             "payload": {"text": "Hi"}}
        ],
    }  # fmt: skip


def test_what_a_target_answers_is_kept_as_text_up_to_two_kibibytes(there: World) -> None:
    async def long(writer: asyncio.StreamWriter, number: int) -> None:
        body = b"\xff\0<b>" + b"x" * 5000
        writer.write(b"HTTP/1.1 500 X\r\nContent-Length: %d\r\nSet-Cookie: a=b\r\n\r\n" % len(body) + body)
        await writer.drain()

    def set_up(target: Receiver) -> None:
        hook(there, target, there.standard_tokens()["access_token"])
        there.house.decide(publish, there.account, "order.paid", {"order": 7})

    def kept() -> Any:
        async def rule(facts: Any, at: Any) -> Decision[Any]:
            (notice,) = await facts.notices()
            return Decision(await facts.attempts(notice.id))

        return there.house.decide(rule).answer

    sending(there.house.service, set_up, lambda target: bool(kept()), long)
    (attempt,) = kept()
    assert (attempt.number, attempt.status, len(attempt.answer)) == (1, 500, 2048)
    assert attempt.answer.startswith("��<b>xxx")


# the platform, and letters


def with_events(there: World, url: str) -> House:
    """The same installation, with an address of the platform's for what happens to connections."""
    settings = there.house.service.settings.model_copy(update={"platform_events_url": url})
    return House(replace(there.house.service, settings=settings), there.house.clock)


def test_a_removal_is_told_to_the_platform_and_to_what_it_registered_signed_with_its_key(there: World) -> None:
    connection_id = row_id("cn", there.standard_tokens()["connection_id"])
    house: House = there.house

    async def go() -> tuple[list[Received], str]:
        nonlocal house
        async with receiver(answers(200)) as target:
            house = with_events(there, target.url("/events"))
            wanted = NewResource("subscription", "sub_1", target.url("/cancelled"))
            await house.service.settle(register_resource, connection_id, wanted)
            await house.service.settle(remove, connection_id, "operator", "operator")
            await _deliver(house.service, lambda: len(target.received) == 2, deliver_mail=Mailbox(250))
            return target.received, await events_secret(house.service)

    received, secret = asyncio.run(go())
    told = {each.path: Webhook(secret).verify(each.body, each.headers) for each in received}
    assert set(told) == {"/events", "/cancelled"}
    removed = told["/events"]
    assert (removed["type"], removed["data"]["reason"]) == ("connection.removed", "operator")
    assert [each["reference"] for each in removed["data"]["resources"]] == ["sub_1"]
    assert told["/cancelled"]["type"] == "resource.cancelled"


def test_the_platforms_key_is_drawn_once_and_kept_sealed(there: World) -> None:
    async def go() -> tuple[str, str, bytes | None]:
        service = there.house.service
        first, second = await events_secret(service), await events_secret(service)
        return first, second, await service.storage.read_meta("platform_events_secret")

    first, second, stored = asyncio.run(go())
    assert first == second
    assert base64.b64decode(first.removeprefix("whsec_")) not in (stored or b"")


def test_a_letter_is_handed_to_the_mail_server_and_repeated_while_that_is_busy(there: World) -> None:
    connection_id = row_id("cn", there.standard_tokens()["connection_id"])
    mailbox = Mailbox(451, 250)

    async def go() -> None:
        service = there.house.service
        await service.settle(remove, connection_id, "operator", "operator")

        def again() -> bool:
            if len(mailbox.letters) == 1:
                there.house.clock.turn(seconds=15)
            return len(mailbox.letters) == 2

        await _deliver(service, again, deliver_mail=mailbox)

    asyncio.run(go())
    (first, user), (second, _) = mailbox.letters
    assert (first.id, first.kind) == (second.id, "mail")
    assert user is not None
    assert user.email == "ada@example.com"
