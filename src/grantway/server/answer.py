"""The one funnel from request to answer for machine endpoints: read, decide, say; faults and refusals alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter_ns

from grantway.protocol.decision import Refusal
from grantway.server.log import DecisionLog, log, where
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, OutcomeUntold, StorageError
from grantway.wire.errors import OUTCOME_UNKNOWN, SERVER_ERROR, TEMPORARILY_UNAVAILABLE, Malformed
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from grantway.wire.record import record

ErrorWriter = Callable[[ErrorAnswer, HttpRequest | None], HttpAnswer]


@record
class Said:
    """An answer and what the log says of it: the reason, and the client once it is known who it is."""

    answer: HttpAnswer
    reason: str
    client: str | None = None


Handler = Callable[[Service, HttpRequest], Awaitable[Said]]


@record
class Endpoint:
    """One machine endpoint: its name in logs, what it does, how its dialect says no.

    ``open_to_browsers``: scripts of any origin may call it (no cookie is ever looked at there, so ``*`` gives nothing
    away); vendors' server-to-server calls are not. ``open_to_pages``: scripts of the client's own pages may.
    """

    name: str
    handle: Handler
    write_error: ErrorWriter
    open_to_browsers: bool = False
    open_to_pages: bool = False
    is_probe: bool = False
    """Asked every few seconds by machines: a good answer is counted, not logged."""


def refused(refusal: Refusal, endpoint_error: ErrorWriter, request: HttpRequest) -> Said:
    """What is said when a rule refused."""
    said = ErrorAnswer(refusal.error, refusal.retry_after, refusal.connection_state)
    return Said(endpoint_error(said, request), refusal.reason)


async def answer(
    endpoint: Endpoint, service: Service, decisions: DecisionLog, request: HttpRequest, request_id: str
) -> HttpAnswer:
    """Answer one request. Whatever happens, the dialect's own shape goes out and one line is logged.

    Raises ``OutcomeUnknown`` only: then nothing may be said at all.
    """
    began = perf_counter_ns()
    try:
        said = await endpoint.handle(service, request)
    except Malformed as error:
        said = Said(endpoint.write_error(ErrorAnswer(error.error), request), error.reason)
    except OutcomeUnknown:
        raise
    except StorageError as error:
        untold = isinstance(error, OutcomeUntold)
        busy = ErrorAnswer(OUTCOME_UNKNOWN if untold else TEMPORARILY_UNAVAILABLE, retry_after=2 if untold else 1)
        said = Said(endpoint.write_error(busy, request), f"storage_{type(error).__name__.lower()}")
    except Exception as error:  # noqa: BLE001 - the edge: answered in the dialect's shape
        # Not log.exception: the message of an exception may hold what somebody sent.
        log.error("fault", route=endpoint.name, error=type(error).__name__, at=where(error), request_id=request_id)
        said = Said(endpoint.write_error(ErrorAnswer(SERVER_ERROR), request), "fault")
    ms = (perf_counter_ns() - began) // 10_000 / 100
    status = said.answer.status
    quiet = endpoint.is_probe and status == 200
    decisions.write(endpoint.name, status, said.reason, said.client, ms, request_id, quiet)
    return said.answer
