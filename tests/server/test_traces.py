"""Spans of requests: what they say, whom they hang from, and that they cost nothing when nobody wants them."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from typing_extensions import override

from grantway.server.app import build_app
from grantway.server.storage.port import StorageError
from grantway.server.traces import Tracing, read_traceparent
from tests.helpers.asgi import Caller
from tests.helpers.people import House
from tests.helpers.server import fetch, serving
from tests.server.test_app import Troubled

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The example of W3C Trace Context §3.2."""


class Watched:
    """An application with traces, and the spans that it made."""

    def __init__(self, address: str, **changes: Any) -> None:
        self._exporter = InMemorySpanExporter()
        self._tracing = Tracing(self._exporter)
        house = House.in_memory(log_level="error", trusted_proxies="10.0.0.0/8")
        self.caller = Caller(build_app(replace(house.service, traces=self._tracing, **changes)), address)

    def spans(self) -> tuple[Any, ...]:
        self._tracing.close()
        self.caller.close()
        return self._exporter.get_finished_spans()


def test_a_span_says_what_the_logs_line_says_and_nothing_of_what_was_sent() -> None:
    there = Watched("10.0.0.1")
    reply = there.caller.request("POST", "/token?secret=s3cr3t", [("authorization", "Basic czNjcjN0OnMzY3IzdA==")])
    page = there.caller.request("GET", "/sign-in?secret=s3cr3t")
    machine, person = there.spans()
    assert (machine.name, machine.kind) == ("token", SpanKind.SERVER)
    assert machine.attributes["http.route"] == "token"
    assert machine.attributes["http.response.status_code"] == reply.status
    assert machine.attributes["grantway.request_id"] == reply.header("x-request-id")
    assert machine.attributes["grantway.reason"]
    assert person.name == "GET /sign-in"
    assert person.attributes["grantway.request_id"] == page.header("x-request-id")
    assert machine.start_time <= machine.end_time
    assert "s3cr3t" not in machine.to_json() + person.to_json()


def test_a_trusted_proxys_trace_goes_on_and_the_next_request_begins_its_own() -> None:
    there = Watched("10.0.0.1")
    there.caller.request("GET", "/jwks.json", [("traceparent", PARENT)])
    there.caller.request("GET", "/jwks.json")
    first, second = there.spans()
    assert format(first.context.trace_id, "032x") == PARENT.split("-")[1]
    assert format(first.parent.span_id, "016x") == PARENT.split("-")[2]
    assert first.parent.is_remote
    assert second.parent is None


def test_a_strangers_trace_does_not() -> None:
    there = Watched("203.0.113.7")
    there.caller.request("GET", "/jwks.json", [("traceparent", PARENT)])
    (span,) = there.spans()
    assert span.parent is None
    assert format(span.context.trace_id, "032x") != PARENT.split("-")[1]


def test_trouble_of_ours_is_an_error() -> None:
    there = Watched("10.0.0.1", storage=Troubled(StorageError("busy")))
    there.caller.request("GET", "/jwks.json")
    (span,) = there.spans()
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    "text",
    [
        None, "", "junk", PARENT.upper(), PARENT + "-more", "01" + PARENT[2:], PARENT.replace("b7ad6b7169203331", "0" * 16),
        PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
    ],
)  # fmt: skip
def test_a_traceparent_that_the_specification_would_not_have_is_none(text: str | None) -> None:
    assert read_traceparent(text) is None


def test_nothing_of_opentelemetry_is_imported_unless_it_is_wanted() -> None:
    code = (
        "import sys, grantway.server.run, grantway.server.app;"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# --- a collector


class Collector:
    """A loopback OTLP receiver."""

    def __init__(self) -> None:
        self.names: list[str] = []
        names = self.names

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        names.extend(span.name for span in scope.spans)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            @override
            def log_message(self, format: str, *args: Any) -> None:
                """Not a word."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


@pytest.mark.slow
def test_a_server_sends_its_spans_to_a_collector_and_the_last_ones_when_it_stops(
    tmp_path: Path, collector: Collector
) -> None:
    with serving(tmp_path / "data", GRANTWAY_TRACES=collector.url) as server:
        assert fetch("GET", f"{server.base_url}/jwks.json").status == 200
        assert server.stop() == 0
    assert collector.names == ["jwks"]
