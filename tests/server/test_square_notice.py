"""What an application hears when it was revoked (vendors.md §3.6): spelled and signed as Square's own libraries expect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from square.utils.webhooks_helper import verify_signature
from standardwebhooks import Webhook

from grantway.protocol.connections import remove
from grantway.protocol.decision import Decision
from grantway.protocol.ids import parse
from grantway.protocol.model import Notice
from grantway.server.connections.signing import notice_secret
from grantway.server.connections.spelling import request_of, spell
from grantway.wire.dialects.square import webhooks as square
from tests.helpers.receiver import Received, Receiver, answers
from tests.helpers.square import PERMISSIONS, REDIRECT_URI, Application
from tests.helpers.world import PUBLIC_URL, World, world
from tests.server.test_webhooks import sending, several


@pytest.fixture
def there() -> Iterator[World]:
    with world() as one:
        yield one


def application(there: World, remove_url: str) -> Application:
    made = there.house.client(
        "Till", profile="square", redirect_uris=(REDIRECT_URI,), scopes=PERMISSIONS, remove_url=remove_url,
        default_scopes=PERMISSIONS,
    )  # fmt: skip
    return Application(there.caller.request, PUBLIC_URL, made, there.customer())


def heard(there: World, ends: Callable[[Application, dict[str, Any]], object]) -> tuple[Received, Application, str]:
    """What came of it at the application's address, and that address."""
    found: list[Any] = []

    def set_up(target: Receiver) -> None:
        url = target.url("/revoked")
        shop = application(there, url)
        ends(shop, shop.tokens())
        found.extend([shop, url])

    (received,) = sending(there.house.service, set_up, several(1))
    return received, *found


def removed_by(there: World, reason: Any) -> Callable[[Application, dict[str, Any]], object]:
    def ends(shop: Application, tokens: dict[str, Any]) -> None:
        async def find(facts: Any, at: Any) -> Decision[Any]:
            view = (await facts.connections(client_row_id=shop.made.client.id))[0]
            return await remove(facts, at, view.connection.id, reason, "somebody")

        there.house.decide(find)

    return ends


@pytest.mark.parametrize(
    ("reason", "revoker"), [("integrator", "APPLICATION"), ("customer", "MERCHANT"), ("operator", "SQUARE")]
)
def test_it_says_who_ended_it_and_when_and_the_vendors_library_believes_it(
    there: World, reason: str, revoker: str
) -> None:
    def revokes(shop: Application, tokens: dict[str, Any]) -> None:
        assert shop.revoke(access_token=tokens["access_token"]).status == 200

    received, shop, url = heard(there, revokes if reason == "integrator" else removed_by(there, reason))
    told = json.loads(received.body)
    assert told == {
        "merchant_id": there.account.external_ids["square"],
        "type": "oauth.authorization.revoked",
        "event_id": told["event_id"],
        "created_at": "2026-03-01T12:00:00Z",
        "data": {
            "type": "revocation",
            "id": told["data"]["id"],
            "object": {"revocation": {"revoked_at": "2026-03-01T12:00:00Z", "revoker_type": revoker}},
        },
    }
    assert UUID(told["event_id"]).version == UUID(told["data"]["id"]).version == 4
    key = notice_secret(shop.made.client, there.house.service.vault)
    signature = received.headers[square.SIGNATURE_HEADER]
    body = received.body.decode()
    sent: dict[str, Any] = {"request_body": body, "signature_header": signature, "notification_url": url}
    assert verify_signature(**sent, signature_key=key)
    assert not verify_signature(**sent, signature_key=f"{key}x")
    assert not verify_signature(**(sent | {"request_body": body.replace(revoker, "NOBODY")}), signature_key=key)
    assert Webhook(key).verify(received.body, received.headers) == told, "the standard's signature stands beside it"


def test_our_client_reads_what_it_says(there: World) -> None:
    received, _, _ = heard(there, removed_by(there, "customer"))
    message = square.read_authorization_revoked(received.body)
    assert (message.revoker, message.account_id) == ("customer", there.account.external_ids["square"])
    assert square.write_authorization_revoked(message) == received.body


def test_it_says_the_same_at_every_attempt_and_on_the_pages_that_show_it(there: World) -> None:
    def set_up(target: Receiver) -> None:
        shop = application(there, target.url("/revoked"))
        shop.revoke(access_token=shop.tokens()["access_token"])

    def in_time(target: Receiver) -> bool:
        there.house.clock.turn(hours=1)  # the first attempt fails, and the next one is due at once
        return len(target.received) >= 2

    bodies = sending(there.house.service, set_up, in_time, answers(500, 200))
    first, second = bodies[:2]
    assert first.body == second.body
    assert first.headers[square.SIGNATURE_HEADER] == second.headers[square.SIGNATURE_HEADER]

    async def stored(facts: Any, at: Any) -> Decision[Notice]:
        return Decision(await facts.notice(parse("nt", first.headers["webhook-id"])))

    notice: Notice = there.house.decide(stored).answer
    assert spell(notice, None, None, there.house.service.vault) == first.body
    assert square.SIGNATURE_HEADER in request_of(notice, notice.url, first.body)


def test_other_profiles_hear_what_they_did_without_that_signature(there: World) -> None:
    def set_up(target: Receiver) -> None:
        made = there.house.client(
            "Bot", profile="sunshine", redirect_uris=(REDIRECT_URI,), remove_url=target.url("/removed")
        )
        there.browser.connect(there.sunshine_url(client_id=made.client.client_id))

        async def end(facts: Any, at: Any) -> Decision[Any]:
            view = (await facts.connections(client_row_id=made.client.id))[0]
            return await remove(facts, at, view.connection.id, "customer", "somebody")

        there.house.decide(end)

    (received,) = sending(there.house.service, set_up, several(1))
    assert "integrationId" in json.loads(received.body)
    assert square.SIGNATURE_HEADER not in received.headers
