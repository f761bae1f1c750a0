"""The password grant: decided in three steps, because verifying a password takes too long for any rule."""

from __future__ import annotations

import asyncio

from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.grant_types.password import begin_password_grant, fail_password_grant, finish_password_grant
from grantway.protocol.issuing import Issued
from grantway.server.client_authentication import verify
from grantway.server.service import Service
from grantway.server.slow_work import Busy
from grantway.wire.errors import TEMPORARILY_UNAVAILABLE
from grantway.wire.messages import TokenRequest


async def answer_password(
    service: Service, request: TokenRequest, dialect: str, address: str
) -> Decision[Issued | Refusal]:
    """The outcome, as slowly as the failures before ask for. ``address`` is where the request comes from."""
    begun = await service.consult(begin_password_grant, request, dialect, address)
    attempt, verified = begun.answer, None
    if isinstance(attempt, Refusal) and attempt.to_verify:
        outcome = await verify(service, attempt, request.credentials, address)
        if isinstance(outcome, Refusal):
            return Decision(outcome, reason=outcome.reason)
        verified = outcome
        begun = await service.consult(begin_password_grant, request, dialect, address, verified)
        attempt = begun.answer
    if isinstance(attempt, Refusal):
        return Decision(attempt, reason=begun.reason)
    if attempt.delay:
        await asyncio.sleep(attempt.delay)
    try:
        matches = await service.passwords.verify(request.password or "", attempt.password_hash)
    except Busy:
        return Decision(Refusal(TEMPORARILY_UNAVAILABLE, "passwords_busy", 1), reason="passwords_busy")
    if not matches:
        failed = await service.settle(fail_password_grant, attempt)
        return Decision(failed.answer, reason=failed.reason)
    return await service.settle(finish_password_grant, request, dialect, attempt, verified)
