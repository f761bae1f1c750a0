"""Where clients authenticate, the rule is asked through here: once, unless their secret has to be verified slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from grantway.protocol.client_authentication import VerifiedSecret
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.digests import digest
from grantway.protocol.foreign_secrets import begin_trial, fail_trial, pass_trial
from grantway.server.address import address_of
from grantway.server.service import RuleFunction, Service
from grantway.server.slow_work import Busy
from grantway.wire.errors import TEMPORARILY_UNAVAILABLE
from grantway.wire.http import HttpRequest
from grantway.wire.messages import ClientCredentials

A = TypeVar("A")


async def decided(
    service: Service,
    request: HttpRequest,
    run: Callable[..., Awaitable[Any]],
    rule: RuleFunction[..., A],
    message: Any,
    *args: Any,
) -> Decision[A | Refusal]:
    """What ``run`` (a verb of the service) says of the rule, ``message`` and all. The message has ``credentials``."""
    decision: Decision[A | Refusal] = await run(rule, message, *args)
    answer = decision.answer
    if not isinstance(answer, Refusal) or not answer.to_verify:
        return decision
    address = address_of(request, service.settings.trusted_proxies)
    verified = await verify(service, answer, message.credentials, address)
    if isinstance(verified, Refusal):
        return Decision(verified, reason=verified.reason)
    again: Decision[A | Refusal] = await run(rule, message, *args, verified=verified)
    return again


async def verify(
    service: Service, refusal: Refusal, credentials: ClientCredentials, address: str
) -> VerifiedSecret | Refusal:
    """What turned out of a refusal that has something to verify, as slowly as the failures before ask for."""
    client_id, secret = credentials.client_id, credentials.client_secret or ""
    begun = await service.consult(begin_trial, client_id, address)
    trial = begun.answer
    if isinstance(trial, Refusal):
        return trial
    if trial.delay:
        await asyncio.sleep(trial.delay)
    try:
        foreign_hash = await service.secrets.fitting(secret, refusal.to_verify)
    except Busy:
        return Refusal(TEMPORARILY_UNAVAILABLE, "client_secrets_busy", 1)
    if foreign_hash is None:
        return (await service.settle(fail_trial, trial)).answer
    verified = VerifiedSecret(foreign_hash, digest(secret))
    await service.settle(pass_trial, trial, client_id, verified, len(secret))
    return verified
