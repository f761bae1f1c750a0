"""OpenTelemetry traces, where they are wanted: a span for each request, made when it was answered.

Needs ``grantway[traces]``; imported only when there is a collector to send to. A span says what the log's line says, and
nothing of what was sent. The caller's ``traceparent`` (W3C Trace Context §3.2) counts only from trusted proxies.
"""

from __future__ import annotations

import re
import time
from contextvars import ContextVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from grantway import __version__

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_parent: ContextVar[SpanContext | None] = ContextVar("grantway_trace_parent", default=None)
EXPORT_SECONDS = 5
"""How long a collector may keep a stopping server waiting."""


class Tracing:
    """The spans of one process."""

    def __init__(self, exporter: SpanExporter) -> None:
        resource = Resource.create({"service.name": "grantway", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("grantway", __version__)

    @classmethod
    def to(cls, collector: str) -> Tracing:
        """Spans go to this address (OTLP over HTTP), in batches, from a thread of their own."""
        return cls(OTLPSpanExporter(endpoint=collector, timeout=EXPORT_SECONDS))

    def begin(self, traceparent: str | None) -> None:
        """A request arrived: what its span hangs from."""
        _parent.set(read_traceparent(traceparent))

    def answered(self, route: str, status: int, reason: str, client: str | None, ms: float, request_id: str) -> None:
        """It was answered: its span."""
        now = time.time_ns()
        parent = _parent.get()
        context = None if parent is None else set_span_in_context(NonRecordingSpan(parent))
        attributes: dict[str, str | int] = {
            "http.route": route,
            "http.response.status_code": status,
            "grantway.reason": reason,
            "grantway.request_id": request_id,
        }
        if client is not None:
            attributes["grantway.client"] = client
        span = self._tracer.start_span(
            route,
            context=context,
            kind=SpanKind.SERVER,
            attributes=attributes,
            start_time=now - int(ms * 1_000_000),
        )
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)

    def close(self) -> None:
        """Send what was not sent yet. Waits for the collector."""
        self._provider.shutdown()


def read_traceparent(text: str | None) -> SpanContext | None:
    """The caller's span; ``None`` for anything that the specification would not have."""
    found = None if text is None else _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    return SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(found[3], 16)))
