"""One attempt: a delivery is spelled, signed and sent, and what came of it is said in one value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from grantway.protocol.leasing import Delivery
from grantway.protocol.model import Notice, User
from grantway.protocol.notices import Came, public_id, revocation_of
from grantway.protocol.webhooks import secret_of, signing_keys
from grantway.server import mail
from grantway.server.connections.outgoing import Answer, Failed, Outgoing
from grantway.server.connections.signing import events_key, notice_key, notice_secret, sign
from grantway.server.connections.spelling import spell
from grantway.server.log import log
from grantway.server.service import Service
from grantway.wire.dialects.square import webhooks as square

ANSWER_KEPT = 2048
"""Bytes of an answer that are written down, for who looks at an attempt later."""

DeliverMail = Callable[[Service, Notice, User | None], Awaitable[tuple[int | None, str | None]]]
"""Sends a letter: the status of the mail server (RFC 5321 §4.2.1), or a slug where there was none."""


def wall_clock() -> datetime:
    """Now, by the wall."""
    return datetime.now(UTC)


class Courier:
    """Carries one delivery at a time to whom it is for. ``clock`` stamps signatures: receivers compare it with their own
    clocks, so it is the wall's even where storage keeps another time."""

    def __init__(
        self,
        service: Service,
        outgoing: Outgoing,
        *,
        clock: Callable[[], datetime] = wall_clock,
        deliver_mail: DeliverMail = mail.deliver,
    ) -> None:
        self._service = service
        self._outgoing = outgoing
        self._clock = clock
        self._deliver_mail = deliver_mail
        self._events_key: bytes | None = None

    async def open(self) -> None:
        """Make ready what the first delivery would wait for."""
        await self._outgoing.open()

    async def carry(self, delivery: Delivery) -> Came:
        """What came of it. Raises nothing: one notice that cannot be sent must not end the sending of all others."""
        notice = delivery.notice
        try:
            if notice.kind == "mail":
                status, error = await self._deliver_mail(self._service, notice, delivery.user)
                return Came(status, error)
            return self._came(await self._post(delivery))
        except Failed as failed:
            return Came(None, failed.reason)
        except Exception as fault:  # noqa: BLE001 as the docstring says
            log.error("notice_fault", notice=public_id(notice), fault=type(fault).__name__)
            return Came(None, "fault")

    async def close(self) -> None:
        """Let go of threads and connections."""
        await self._outgoing.close()

    async def _post(self, delivery: Delivery) -> Answer:
        notice, vault, now = delivery.notice, self._service.vault, self._clock()
        body = spell(notice, delivery.webhook, delivery.event, vault)
        headers = {"Content-Type": "application/json"}
        headers |= sign(await self._keys(delivery, now), public_id(notice), now, body)
        if delivery.webhook is not None and delivery.webhook.webhook.dialect == "sunshine":
            headers["X-API-Key"] = secret_of(delivery.webhook.webhook, vault)
        if delivery.client is not None and revocation_of(notice) is not None:
            key = notice_secret(delivery.client, vault)
            headers[square.SIGNATURE_HEADER] = square.write_signature(key, notice.url, body)
        return await self._outgoing.post(self._address(notice), headers, body)

    def _address(self, notice: Notice) -> str:
        return notice.url if notice.kind != "platform" else self._service.settings.platform_events_url or ""

    async def _keys(self, delivery: Delivery, now: datetime) -> tuple[bytes, ...]:
        """A webhook's own keys where its dialect verifies; the platform's for what is the platform's; else the client's."""
        found, vault = delivery.webhook, self._service.vault
        if found is not None and found.webhook.dialect == "standard":
            return signing_keys(found.webhook, vault, now)
        if delivery.notice.kind in ("platform", "resource"):
            if self._events_key is None:
                self._events_key = await events_key(self._service)
            return (self._events_key,)
        if delivery.client is None:
            raise LookupError("a notice without a client")
        return (notice_key(delivery.client, vault),)

    def _came(self, answer: Answer) -> Came:
        said = answer.body[:ANSWER_KEPT].decode(errors="replace").replace("\0", "�")
        return Came(answer.status, None, said, _seconds(answer.retry_after, self._clock()))


def _seconds(retry_after: str | None, now: datetime) -> int | None:
    """``Retry-After`` as seconds: it is a number of them, or a date (RFC 9110 §10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0, int((at - now).total_seconds()))
