"""Ten requests with the same refresh token at the same moment: what a client with ten processes does by accident."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from typing_extensions import override

from bench.systems import Running

TEN = 10


@dataclass(frozen=True)
class Outcome:
    """Of one race: how many were answered with tokens, how many different refresh tokens, and whether one still works."""

    answered: int
    different: int
    lives: bool

    @override
    def __str__(self) -> str:
        return f"{self.answered} of {TEN} answered, {self.different} different, {'lives' if self.lives else 'dead'}"


def races(running: Running) -> Counter[Outcome]:
    """A race for each token that was made for it, and how often it came out how."""
    return Counter(_race(running, token) for token in running.material.file("races").read_text().split())


def _race(running: Running, token: str) -> Outcome:
    request = _request(running, token)
    port = urlsplit(running.url).port
    start, answers = threading.Barrier(TEN), [""] * TEN

    def run(turn: int) -> None:
        with socket.create_connection(("127.0.0.1", port or 80), timeout=60) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire.sendall(request[:-1])
            start.wait()
            wire.sendall(request[-1:])
            answers[turn] = _refresh_token(wire)

    threads = [threading.Thread(target=run, args=(turn,)) for turn in range(TEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [answer for answer in answers if answer]
    return Outcome(len(won), len(set(won)), any(_works(running, each) for each in dict.fromkeys(won)))


def _request(running: Running, token: str) -> bytes:
    user = running.material.user
    proof = base64.b64encode(f"{user.id}:{user.secret}".encode()).decode()
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token})
    head = (
        f"POST {running.material.token} HTTP/1.1",
        f"Host: {urlsplit(running.url).netloc}",
        f"Authorization: Basic {proof}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def _works(running: Running, token: str) -> bool:
    with socket.create_connection(("127.0.0.1", urlsplit(running.url).port or 80), timeout=60) as wire:
        wire.sendall(_request(running, token))
        return bool(_refresh_token(wire))


def _refresh_token(wire: socket.socket) -> str:
    """The refresh token of an answer; nothing if it is a refusal, or there is none in a minute."""
    answer = http.client.HTTPResponse(wire)
    try:
        answer.begin()
        body = answer.read()
        return str(json.loads(body).get("refresh_token", "")) if answer.status == 200 else ""
    except TimeoutError:
        return ""
    finally:
        answer.close()
