"""What a real server makes of HTTP as it may arrive: in one piece or many, one after another or all at once."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grantway.server.direct import MAX_HEAD
from tests.helpers.server import Platform, Server, serving
from tests.helpers.waiting import until

INTROSPECT = b"token=gwa_nothing"
LENGTH = re.compile(rb"content-length: (\d+)")


class Talk:
    """One connection, and what came back on it."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.read = b""

    def say(self, *pieces: bytes) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            self.socket.sendall(piece)

    def answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer."""
        while b"\r\n\r\n" not in self.read:
            self._more()
        head, _, rest = self.read.partition(b"\r\n\r\n")
        told = LENGTH.search(head)
        length = int(told[1]) if told else 0
        while len(rest) < length:
            self._more()
            rest = self.read.partition(b"\r\n\r\n")[2]
        self.read = rest[length:]
        return int(head.split()[1]), head, rest[:length]

    def is_over(self) -> bool:
        """Whether the other side ends the connection, and says nothing more."""
        return not self.read and self.socket.recv(1) == b""

    def ends_when_flooded(self, piece: bytes) -> bool:
        """Whether the other side ends the connection while this is said a thousand times."""
        try:
            self.say(*[piece] * 1000)
        except ConnectionError:
            return True
        return False

    def _more(self) -> None:
        more = self.socket.recv(65536)
        assert more, f"the connection ended after {self.read!r}"
        self.read += more


@pytest.fixture
def talk(running: Platform) -> Iterator[Talk]:
    there = Talk(running.server)
    with closing(there.socket):
        yield there


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Talk]:
    """A connection as a trusted proxy has it."""
    with serving(tmp_path / "data", GRANTWAY_TRUSTED_PROXIES="127.0.0.1") as server:
        there = Talk(server)
        with closing(there.socket):
            yield there


def post(path: bytes, body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [
        b"POST %b HTTP/%b" % (path, version), b"host: x", b"content-type: application/x-www-form-urlencoded",
        b"content-length: %d" % len(body), *headers,
    ]  # fmt: skip
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(path: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET %b HTTP/1.1" % path, b"host: x", *headers]) + b"\r\n\r\n"


REFUSED = post(b"/introspect", INTROSPECT)


def test_a_connection_serves_one_request_after_another(talk: Talk) -> None:
    for _ in range(3):
        talk.say(REFUSED)
        status, head, body = talk.answer()
        assert (status, b"x-request-id: " in head, b"invalid_client" in body) == (401, True, True)
        assert b"\r\ndate: " in head
        assert b"connection: close" not in head


def test_a_request_may_come_byte_by_byte(talk: Talk) -> None:
    talk.say(*[REFUSED[at : at + 1] for at in range(len(REFUSED))])
    assert talk.answer()[0] == 401


def test_answers_come_in_the_order_of_requests_that_came_at_once(talk: Talk) -> None:
    asked = [REFUSED, get(b"/sign-in"), get(b"/jwks.json"), get(b"/nowhere"), REFUSED, get(b"/health/live")]
    talk.say(b"".join(asked))
    assert [talk.answer()[0] for _ in asked] == [401, 200, 200, 404, 401, 200]


def test_a_body_in_chunks_is_read_as_one(talk: Talk) -> None:
    head = REFUSED.partition(b"content-length")[0]
    talk.say(head + b"transfer-encoding: chunked\r\n\r\n", b"6\r\ntoken=\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n")
    status, _, body = talk.answer()
    assert (status, b"invalid_client" in body) == (401, True)


def test_a_body_that_is_announced_is_waited_for_and_asked_for(talk: Talk) -> None:
    head, _, body = post(b"/introspect", INTROSPECT, b"expect: 100-continue").partition(b"\r\n\r\n")
    talk.say(head + b"\r\n\r\n")
    assert talk.answer()[0] == 100
    talk.say(body)
    assert talk.answer()[0] == 401


@pytest.mark.parametrize("length", [64 * 1024, 64 * 1024 + 1, 100_000])
def test_a_body_is_bounded(talk: Talk, length: int) -> None:
    talk.say(post(b"/introspect", b"token=" + b"a" * (length - 6)))
    assert talk.answer()[0] == (413 if length > 64 * 1024 else 400)


def test_a_request_that_ends_the_connection_gets_its_answer_first(talk: Talk) -> None:
    talk.say(post(b"/introspect", INTROSPECT, b"connection: close"))
    status, head, _ = talk.answer()
    assert (status, b"connection: close" in head, talk.is_over()) == (401, True, True)


def test_an_old_client_gets_its_answer_and_the_connection_ends(talk: Talk) -> None:
    talk.say(post(b"/introspect", INTROSPECT, version=b"1.0"))
    assert talk.answer()[0] == 401
    assert talk.is_over()


def test_of_half_a_request_nothing_is_done_but_a_line_in_the_log(running: Platform) -> None:
    half = Talk(running.server)
    half.say(REFUSED[:-5])
    half.socket.close()
    logged = until(
        lambda: [line for line in running.server.log().splitlines() if "caller_gone" in line], "it is logged"
    )
    assert [json.loads(line)["route"] for line in logged] == ["introspect"]


@pytest.mark.parametrize("target", [b"/introspect?x=1", b"/%69ntrospect", b"//introspect", b"http://x/introspect"])
def test_an_address_may_be_written_in_several_ways(talk: Talk, target: bytes) -> None:
    talk.say(post(target, INTROSPECT))
    assert talk.answer()[0] == 401


def test_what_is_not_http_is_refused(talk: Talk) -> None:
    talk.say(b"NONSENSE\r\n\r\n")
    assert talk.answer()[0] == 400
    assert talk.is_over()


def test_a_head_without_end_ends_the_connection(talk: Talk) -> None:
    talk.say(b"GET /jwks.json HTTP/1.1\r\nhost: x\r\nx-long: ")
    assert talk.ends_when_flooded(b"a" * 10_000)


def test_a_head_that_is_too_long_is_refused(talk: Talk) -> None:
    talk.say(REFUSED + b"GET /jwks.json HTTP/1.1\r\nhost: x\r\nx-long: ")
    assert talk.answer()[0] == 401  # so the beginning was read
    talk.say(b"a" * (MAX_HEAD + 1))  # and nothing will be left unread, which would end the connection without a word
    assert talk.answer()[0] == 431
    assert talk.is_over()


def test_trailers_without_end_end_the_connection(talk: Talk) -> None:
    head = post(b"/nowhere", b"").partition(b"content-length")[0]
    talk.say(head + b"transfer-encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n")
    assert talk.ends_when_flooded(b"x-more: and more\r\n" * 500)


def test_requests_without_end_that_wait_for_no_answer_end_the_connection(talk: Talk) -> None:
    assert talk.ends_when_flooded(REFUSED * 1000)


def test_a_body_in_many_chunks_is_drained_when_it_is_too_large(talk: Talk) -> None:
    head = REFUSED.partition(b"content-length")[0]
    talk.say(head + b"transfer-encoding: chunked\r\n\r\n", *[b"2000\r\n" + b"a" * 0x2000 + b"\r\n"] * 50, b"0\r\n\r\n")
    assert talk.answer()[0] == 413
    talk.say(REFUSED)
    assert talk.answer()[0] == 401


def test_what_comes_behind_a_body_is_no_header(proxied: Talk) -> None:
    """A proxy sets the id of a request; what a caller puts behind the body is not the proxy's word."""
    head = REFUSED.partition(b"content-length")[0] + b"transfer-encoding: chunked\r\n\r\n"
    proxied.say(head + b"3\r\nabc\r\n0\r\n" + b"x-request-id: chosen-by-somebody\r\n\r\n")
    status, answered, _ = proxied.answer()
    assert (status, b"chosen-by-somebody" in answered) == (401, False)
    proxied.say(post(b"/introspect", INTROSPECT, b"x-request-id: given-by-the-proxy"))
    assert b"given-by-the-proxy" in proxied.answer()[1]
