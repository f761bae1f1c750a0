"""The hostile twin: a server that gives every answer but the right one, and the table of what a client makes of each.

``rows`` spoils a good answer in every way; each row says which error it has to be. ``Hostile`` listens and plays them.
"""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from grantway.client import ClientError, NoAnswer, NotReached, Refused, TimedOut, Timeouts

PATIENT = Timeouts(connect=30, idle=30, whole=60)
"""For clients that meet it: an answer comes, however busy the machine is."""
_SILENCE = Timeouts(connect=30, idle=0.3, whole=60)
_DRIPS = Timeouts(connect=30, idle=30, whole=3)

Play = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Row:
    """One wrong answer, and what it has to become. ``expected`` are attributes of the error, ``timeouts`` the client's."""

    name: str
    play: Play
    error: type[ClientError]
    expected: Mapping[str, Any] = field(default_factory=dict)
    timeouts: Timeouts = PATIENT

    def is_met_by(self, raised: ClientError) -> None:
        """Assert that the error is this row's."""
        assert type(raised) is self.error, f"{self.name}: {raised!r}"
        assert {name: getattr(raised, name) for name in self.expected} == dict(self.expected), (
            f"{self.name}: {raised!r}"
        )


def http(
    status: int, body: bytes = b"", headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json"),)
) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} Whatever", *[f"{name}: {value}" for name, value in headers]]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def says(status: int, members: Any, *headers: tuple[str, str]) -> Play:
    """An answer of JSON."""
    return _sends(http(status, json.dumps(members).encode(), (("Content-Type", "application/json"), *headers)))


def _sends(data: bytes) -> Play:
    def play(connection: socket.socket) -> None:
        connection.sendall(data)

    return play


def _drips(start: bytes, drop: bytes, seconds: float = 0.1) -> Play:
    """Never quite silent, never done."""

    def play(connection: socket.socket) -> None:
        connection.sendall(start)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            connection.sendall(drop)
            time.sleep(seconds)

    return play


def _floods(start: bytes) -> Play:
    def play(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(64):
            connection.sendall(b" " * 65536)

    return play


def _waits(connection: socket.socket) -> None:
    connection.recv(1)  # until the client hangs up


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


@cache
def transport_rows() -> list[Row]:
    """What goes wrong below any dialect."""
    page = b"<!doctype html><title>Sign in to the hotel's network</title>"
    html = (("Content-Type", "text/html"),)
    bomb = gzip.compress(b" " * 50_000_000)
    packed = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    lost = {"reason": "lost", "outcome_unknown": True}
    late = {"outcome_unknown": True}
    return [
        Row("a page with 200", _sends(http(200, page, html)), NoAnswer, {"kind": "html", "status": 200}),
        Row("a page that is called JSON", _sends(http(200, page)), NoAnswer, {"kind": "html"}),
        Row("a page with 404", _sends(http(404, page, html)), NoAnswer, {"kind": "html", "outcome_unknown": False}),
        Row("nothing", _sends(http(200)), NoAnswer, {"kind": "empty", "outcome_unknown": True}),
        Row("204", _sends(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n"), NoAnswer, {"kind": "empty"}),
        Row("not JSON", _sends(http(200, b"access_token=abc&token_type=bearer")), NoAnswer, {"kind": "not_json"}),
        Row("bytes", _sends(http(200, b"\xff\xfe\x00")), NoAnswer, {"kind": "not_json"}),
        Row("a byte order mark", _sends(http(200, b"\xef\xbb\xbf{}")), NoAnswer, {"kind": "not_json"}),
        Row("a list", _sends(http(200, b"[1]")), NoAnswer, {"kind": "wrong_type"}),
        Row("a text", _sends(http(200, b'"ok"')), NoAnswer, {"kind": "wrong_type"}),
        Row("null", _sends(http(200, b"null")), NoAnswer, {"kind": "wrong_type"}),
        Row("too deep", _sends(http(200, b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}")), NoAnswer),
        Row("301 away", says(301, {}, ("Location", "http://127.0.0.1:9/")), NoAnswer, {"kind": "redirect"}),
        Row("302 back", says(302, {}, ("Location", "/again")), NoAnswer, {"kind": "redirect"}),
        Row("307 away", says(307, {}, ("Location", "https://other.example/")), NoAnswer, {"kind": "redirect"}),
        Row("308 without a place", says(308, {}), NoAnswer, {"kind": "redirect"}),
        Row("a bomb", _sends(http(200, bomb, packed)), NoAnswer, {"kind": "encoded"}),
        Row("huge", _floods(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"), NoAnswer, {"kind": "too_large"}),
        Row("500 in HTML", _sends(http(500, page, html)), Refused, {"code": "server_error", "status": 500}),
        Row("429 in HTML", _sends(http(429, page, (*html, ("Retry-After", "7")))), Refused, {"retry_after": 7}),
        Row("hangs up at once", lambda connection: None, NotReached, lost),
        Row("half of the headers", _sends(b"HTTP/1.1 200 OK\r\nContent-Ty"), NotReached, lost),
        Row("half of the body", _sends(http(200, b"{" + b" " * 50)[:-20]), NotReached, lost),
        Row("not HTTP", _sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), NotReached, lost),
        Row("silence", _waits, TimedOut, late, _SILENCE),
    ]


def dripping_rows() -> list[Row]:
    """What only the end of the whole call ends; they take seconds, and are the same below every call."""
    body = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"
    late = {"outcome_unknown": True}
    return [
        Row("a body that drips", _drips(body, b" "), TimedOut, late, _DRIPS),
        Row("headers that drip", _drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), TimedOut, late, _DRIPS),
        Row("a status line that drips", _drips(b"HTTP/1.1 200 ", b"O"), TimedOut, late, _DRIPS),
    ]


def rows(
    good: Mapping[str, Any],
    *,
    needed: Sequence[str] = ("access_token",),
    texts: Sequence[str] = ("access_token", "refresh_token"),
    status: int = 200,
) -> list[Row]:
    """Everything that can be wrong with this answer. ``needed`` are the members without which it is none."""
    whole = json.dumps(good).encode()
    made = [
        *transport_rows(),
        Row("truncated", _sends(http(status, whole[:-1])), NoAnswer, {"kind": "truncated"}),
        Row("cut in half", _sends(http(status, whole[: len(whole) // 2])), NoAnswer, {"kind": "truncated"}),
        Row("an empty object", says(status, {}), NoAnswer, {"kind": "missing_field"}),
        Row("twice the same member", _sends(http(status, whole[:-1] + b"," + whole[1:])), NoAnswer, {"kind": "malformed"}),
        Row(
            "another object around it", says(status, {"data": dict(good)}), NoAnswer, {"kind": "missing_field"}
        ),
    ]  # fmt: skip
    for name in needed:
        rest = {key: value for key, value in good.items() if key != name}
        made.append(Row(f"{name} missing", says(status, rest), NoAnswer, {"kind": "missing_field"}))
        for shown, value in (("null", None), ("empty", "")):
            made.append(
                Row(f"{name} {shown}", says(status, {**rest, name: value}), NoAnswer, {"kind": "missing_field"})
            )
        if _camel(name) != name:
            made.append(Row(f"{name} in camel case", says(status, {**rest, _camel(name): good[name]}), NoAnswer,
                            {"kind": "camel_case"}))  # fmt: skip
    odd: list[tuple[str, Any]] = [
        ("a number", 7), ("a list", ["x"]), ("an object", {"x": "y"}), ("true", True), ("two lines", "x\r\nX-Other: y"),
    ]  # fmt: skip
    for name in texts:
        for shown, value in odd:
            spoilt = {**good, name: value}
            made.append(Row(f"{name} is {shown}", says(status, spoilt), NoAnswer, {"kind": "wrong_type"}))
    return made


def token_rows(good: Mapping[str, Any]) -> list[Row]:
    """Beyond ``rows``, what is wrong only with tokens as RFC 6749 §5.1 has them."""
    wrong: list[tuple[str, Any]] = [
        ("expires_in", "soon"), ("expires_in", -1), ("expires_in", 1.5), ("expires_in", True), ("expires_in", 2**62),
        ("expires_in", 10**30), ("scope", 7), ("scope", ["read", 7]), ("token_type", 1),
    ]  # fmt: skip
    made = [
        Row(f"{name} is {value!r}", says(200, {**good, name: value}), NoAnswer, {"kind": "wrong_type"})
        for name, value in wrong
    ]
    without = {key: value for key, value in good.items() if key != "refresh_token"}
    return [
        *made,
        Row("half of it in camel case", says(200, {**without, "refreshToken": "x"}), NoAnswer, {"kind": "camel_case"}),
        Row("another type of token", says(200, {**good, "token_type": "DPoP"}), NoAnswer, {"kind": "token_type"}),
        Row(
            "200 with an error",
            says(200, {"error": "bad_verification_code", "error_description": "no"}),
            Refused,
            {"code": "bad_verification_code", "status": 200, "description": "no"},
        ),
        Row("200 with error and tokens", says(200, {**good, "error": "oops"}), Refused, {"code": "oops"}),
        Row("200 with errors", says(200, {"errors": [{"code": "x"}]}), NoAnswer, {"kind": "error_in_success"}),
        Row("200 with an error object", says(200, {"error": {"code": 7}}), NoAnswer, {"kind": "error_in_success"}),
    ]


# --- playing them ---------------------------------------------------------------------------------------------------


class Hostile:
    """A loopback server that plays ``answers`` one after the other, the last for ever. It remembers what it was sent."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[Play] = []
        self.received: list[bytes] = []
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if tls is None else "https"
        self.base_url = f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def play(self, *answers: Play) -> None:
        """From now on."""
        self.answers, self.received = list(answers), []

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(2)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        with connection, suppress(OSError), ExitStack() as stack:
            if self._tls is not None:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            received = _request(connection)
            if received:
                self.received.append(received)
                play = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                play(connection)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def hostile(tls: ssl.SSLContext | None = None) -> Iterator[Hostile]:
    """A hostile twin while the block runs."""
    there = Hostile(tls)
    try:
        yield there
    finally:
        there.close()


def everything_shown(error: BaseException, logged: Sequence[logging.LogRecord] = ()) -> str:
    """All that a user or a log could see of an error: its texts, its whole chain with tracebacks, and what was logged."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in chain:
            chain.append(one)
            waiting += [one.__cause__, one.__context__]
    texts = [str(one) + repr(one) + repr(one.args) for one in chain]
    texts += ["".join(traceback.format_exception(error)), *[record.getMessage() for record in logged]]
    return "\n".join(texts)
