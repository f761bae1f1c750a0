"""What those ask who run the server: whether it lives, whether it is ready, and its metrics."""

from __future__ import annotations

from dataclasses import asdict

import orjson

from grantway.protocol.administration.operator_keys import authenticate, touch
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.model import OperatorKey
from grantway.protocol.moment import Moment
from grantway.server.answer import Endpoint, Said, refused
from grantway.server.health import Health, check
from grantway.server.metrics import Metrics
from grantway.server.metrics.exposition import CONTENT_TYPE, exposition
from grantway.server.metrics.shared import Shelf
from grantway.server.service import Service
from grantway.wire.dialects import standard
from grantway.wire.headers import read_bearer
from grantway.wire.http import JSON, NO_STORE, HttpAnswer, HttpRequest

LIVE_PATH = "/health/live"
READY_PATH = "/health/ready"
METRICS_PATH = "/metrics"
SCOPE = "metrics:read"


def endpoints(health: Health, shelf: Shelf | None = None) -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path. ``shelf`` has what other workers counted, where there are several."""

    async def tell_live(service: Service, request: HttpRequest) -> Said:
        return Said(_json(200, {"status": "live"}), "health_told")

    async def tell_ready(service: Service, request: HttpRequest) -> Said:
        found = await check(service, health)
        status = 200 if found.is_ready else 503
        return Said(_json(status, {"status": found.status, "checks": found.checks}), f"health_{found.status}")

    async def tell_metrics(service: Service, request: HttpRequest) -> Said:
        bearer = read_bearer(request.header(b"authorization"))
        key = (await service.consult(_allowed, bearer)).answer
        if isinstance(key, Refusal):
            return refused(key, standard.write_bearer_challenge, request)
        body = await _of_all_workers(service, shelf)
        return Said(HttpAnswer(200, ((b"content-type", CONTENT_TYPE), NO_STORE), body), "metrics_told")

    error = standard.write_error_answer
    return {
        ("GET", LIVE_PATH): Endpoint("health.live", tell_live, error, is_probe=True),
        ("GET", READY_PATH): Endpoint("health.ready", tell_ready, error, is_probe=True),
        ("GET", METRICS_PATH): Endpoint("metrics", tell_metrics, standard.write_bearer_challenge, is_probe=True),
    }


async def _allowed(facts: Facts, at: Moment, bearer: str | None) -> Decision[OperatorKey | Refusal]:
    key = await authenticate(facts, at, bearer, SCOPE)
    if isinstance(key, Refusal):
        return Decision(key, reason=key.reason)
    return Decision(key, touch(key, at), "metrics_told")


async def _of_all_workers(service: Service, shelf: Shelf | None) -> bytes:
    census = await service.storage.census()
    total = Metrics()
    total.add(service.metrics.snapshot())
    gauges = [{**asdict(service.storage.figures()), "alive": True}]
    for other in shelf.others() if shelf is not None else ():
        total.add(other)
        gauges.append({**other["gauges"], "alive": other["alive"]})
    return exposition(total, gauges, census)


def _json(status: int, members: dict[str, object]) -> HttpAnswer:
    return HttpAnswer(status, (JSON, NO_STORE), orjson.dumps(members))
