"""The real server, as it is installed: ``grantway serve`` in processes of its own, and the commands beside it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from typing_extensions import override

from tests.helpers import engine
from tests.helpers.asgi import Reply
from tests.helpers.commands import Ran, run
from tests.helpers.customer import Customer

GRANTWAY = Path(sys.executable).with_name("grantway")
PASSWORD = "correct horse battery staple"


@dataclass
class Server:
    """``grantway serve`` on a data directory. It can be killed and started again on the same port."""

    data: Path
    workers: int = 1
    port: int = 0
    base_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    command: Sequence[str | Path] = (GRANTWAY,)

    @property
    def log_path(self) -> Path:
        return self.data.with_suffix(".log")

    def start(self) -> None:
        """Returns when connections are taken."""
        arguments = ["serve", "--json", "--port", str(self.port), "--workers", str(self.workers)]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment_of(),
                cwd=self.data.parent,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the server did not start: {self.log_path.read_text()}"
        self.base_url = json.loads(line)["address"]
        self.port = urlsplit(self.base_url).port or 0

    def stop(self) -> int:
        """As an operator stops it; its return code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._ended(self.process)

    def ended(self) -> int:
        """Its return code, once it has ended for a reason of its own."""
        assert self.process is not None
        return self._ended(self.process)

    def kill(self) -> None:
        """As a power cut stops it: every process at once, without a word."""
        assert self.process is not None
        for pid in (self.process.pid, *self.worker_pids()):
            os.kill(pid, signal.SIGKILL)
        self._ended(self.process)

    def worker_pids(self) -> list[int]:
        """The worker processes, where there are several."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def cli(self, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
        """One command beside the running server; the JSON object that it prints."""
        given, environment = (*arguments, "--json"), self.environment_of()
        if self.command == (GRANTWAY,):
            done = run(given, environment, self.data.parent, stdin or "")
        else:
            other = subprocess.run(
                [*self.command, *given], input=stdin or "", capture_output=True, text=True, env=environment,
                cwd=self.data.parent,
            )  # fmt: skip
            done = Ran(other.returncode, other.stdout, other.stderr)
        assert done.returncode == 0, f"grantway {' '.join(arguments)}: {done.stdout}{done.stderr}"
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def log(self) -> str:
        """What the server wrote to its standard error so far."""
        return self.log_path.read_text()

    def environment_of(self) -> dict[str, str]:
        """What its processes are started with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
        return kept | {"GRANTWAY_DATA": str(self.data), "GRANTWAY_LOG_LEVEL": "debug"} | self.environment

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(30)
        finally:
            assert process.stdout is not None
            process.stdout.close()
            self.process = None


@contextmanager
def serving(
    data: Path, *, workers: int = 1, command: Sequence[str | Path] = (GRANTWAY,), **environment: str
) -> Iterator[Server]:
    """A server on this (new) data directory while the block runs."""
    with engine.database() as named:
        server = Server(data, workers, environment=named | environment, command=command)
        server.start()
        try:
            yield server
        finally:
            if server.process is not None:
                try:
                    server.stop()
                except subprocess.TimeoutExpired:
                    server.process.kill()


@dataclass
class Platform:
    """A server with one customer who owns one account; integrations are registered as tests need them."""

    server: Server
    customer: Customer
    account: dict[str, Any]

    @property
    def base_url(self) -> str:
        return self.server.base_url

    def client(self, name: str, *arguments: str) -> dict[str, Any]:
        """Register a client, as an operator does; gives at least ``client_id`` and ``client_secret``."""
        return self.server.cli("clients", "create", "--name", name, *arguments)

    def new_browser(self) -> Customer:
        """The customer at another browser, not signed in."""
        return Customer(fetch, self.base_url, self.customer.email, self.customer.password)


def populate(server: Server, email: str = "ada@example.com") -> Platform:
    """A customer and an account, by the commands."""
    server.cli("users", "create", "--email", email, "--name", "Ada", "--password-stdin", stdin=PASSWORD + "\n")
    account = server.cli(
        "accounts", "create", "--name", "Acme", "--subdomain", "acme",
        "--settings", '{"echoPostback": true, "conversationRetentionSeconds": 60}', "--metadata", '{"tier": "gold"}',
    )  # fmt: skip
    server.cli("members", "add", "--account", account["id"], "--user", email, "--role", "owner")
    return Platform(server, Customer(fetch, server.base_url, email, PASSWORD), account)


def fetch(method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Reply:
    """One request over a connection of its own, by no client library's rules but HTTP's. Follows no redirects."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, urlunsplit(("", "", parts.path or "/", parts.query, "")), body, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, tuple(answer.getheaders()), answer.read())
    finally:
        connection.close()


# --- an integration's own web server --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrived:
    """One request that reached the integration."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Landing:
    """A live loopback server: redirect URIs and remove URLs lead here. It answers 200 and remembers."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.page: str | None = None
        """The HTML that browsers are shown, if they are shown any."""
        self._changed = threading.Condition()
        landing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                with landing._changed:
                    landing.arrived.append(Arrived(self.command, parts.path, query, headers, body))
                    landing._changed.notify_all()
                answer = (landing.page or "ok").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8" if landing.page else "text/plain")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            @override
            def log_message(self, format: str, *args: Any) -> None:
                """Not a word: the query has codes."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def wait_for(self, path: str, seconds: float = 15) -> Arrived:
        """The newest request to this path, once there is one; it is taken away."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(one.path == path for one in self.arrived), seconds), path
            found = [one for one in self.arrived if one.path == path][-1]
            self.arrived = [one for one in self.arrived if one.path != path]
            return found

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def landing() -> Iterator[Landing]:
    there = Landing()
    try:
        yield there
    finally:
        there.close()
