"""Requests to strangers' addresses: what the guard lets through, and how much of a target it puts up with."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from grantway.protocol.leasing import AT_A_TIME_OF_CLIENT
from grantway.server.connections.addresses import AddressRules
from grantway.server.connections.carrier import MAX_ANSWER
from grantway.server.connections.outgoing import Answer, Failed, Outgoing
from tests.helpers.receiver import Receiver, Respond, answers, certificate, hang, receiver

DEVELOPMENT = AddressRules(development=True)
STRICT = AddressRules()


def resolver(*addresses: str) -> tuple[Callable[[str, int], Coroutine[Any, Any, list[str]]], list[str]]:
    """A name server that gives these for every name, and the names that it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return list(addresses)

    return resolve, asked


async def post(rules: AddressRules, url: str, *, seconds: float = 60, **options: Any) -> Answer:
    outgoing = Outgoing(rules, deadline=timedelta(seconds=seconds), **options)
    try:
        return await outgoing.post(url, {"X-One": "1"}, b'{"a":1}')
    finally:
        await outgoing.close()


def exchange(respond: Respond, seconds: float = 60) -> tuple[Answer | str, Receiver, float]:
    """One request to a receiver that answers like this: its answer or why there is none, and how long it took."""

    async def go() -> tuple[Answer | str, Receiver, float]:
        async with receiver(respond) as target:
            started = time.monotonic()
            result: Answer | str
            try:
                result = await post(DEVELOPMENT, target.url("/x?y=z"), seconds=seconds)
            except Failed as failed:
                result = failed.reason
            return result, target, time.monotonic() - started

    return asyncio.run(go())


def test_name_servers_that_hang_leave_threads_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def ask(host: str, port: int, **_: Any) -> list[Any]:
        if host.endswith(".hangs.example"):
            over.wait(60)
        raise OSError

    monkeypatch.setattr("grantway.server.connections.outgoing.socket.getaddrinfo", ask)

    async def go() -> str:
        outgoing = Outgoing(STRICT, deadline=timedelta(seconds=60))
        hanging = [outgoing.post(f"https://{each}.hangs.example/", {}, b"") for each in range(AT_A_TIME_OF_CLIENT)]
        tasks = [asyncio.create_task(each) for each in hanging]
        await asyncio.sleep(0)
        try:
            with pytest.raises(Failed) as failed:
                await outgoing.post("https://other.example/", {}, b"")
        finally:
            over.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            await outgoing.close()
        return failed.value.reason

    assert asyncio.run(go()) == "unresolvable"  # and not "timeout"


def failure(rules: AddressRules, url: str, **options: Any) -> str:
    with pytest.raises(Failed) as failed:
        asyncio.run(post(rules, url, **options))
    return failed.value.reason


# what goes out and what comes back


def test_a_request_arrives_with_name_headers_and_body() -> None:
    answer, target, _ = exchange(answers(200))
    assert answer == Answer(200, b"")
    (received,) = target.received
    assert (received.path, received.body) == ("/x?y=z", b'{"a":1}')
    assert received.headers["host"] == f"127.0.0.1:{target.port}"
    assert received.headers["x-one"] == "1"
    assert "cookie" not in received.headers


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    for status in (301, 302, 303, 307, 308):
        answer, target, _ = exchange(answers(status, headers="Location: http://169.254.169.254/latest/meta-data/\r\n"))
        assert isinstance(answer, Answer)
        assert (answer.status, len(target.received)) == (status, 1)


def test_a_receiver_that_hangs_costs_the_deadline() -> None:
    result, _, took = exchange(hang, seconds=0.3)
    assert result == "timeout"
    assert 0.25 < took < 30


def test_a_receiver_that_drips_its_headers_costs_no_more_than_the_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Drip: 1\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    result, _, took = exchange(drip, seconds=0.4)
    assert result == "timeout"
    assert took < 30


def test_a_status_counts_although_its_body_drips_for_ever() -> None:
    async def drip(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    result, _, took = exchange(drip, seconds=3)
    assert isinstance(result, Answer)
    assert (result.status, result.cut) == (200, True)
    assert 0 < len(result.body) < 100
    assert took < 30


def test_of_a_gigabyte_the_first_64_kib_are_read() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter, number: int) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            writer.write(bytes(1024 * 1024))
            await writer.drain()
            sent += 1

    result, _, took = exchange(flood)
    assert result == Answer(200, bytes(MAX_ANSWER), cut=True)
    assert sent < 64
    assert took < 3


def test_a_packed_answer_is_not_unpacked() -> None:
    async def packed(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08\x00\x00")
        await writer.drain()

    assert exchange(packed)[0] == Answer(200, b"\x1f\x8b\x08\x00\x00")


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200", b"", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 99999]
)
def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    async def babble(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(said)
        await writer.drain()

    assert exchange(babble)[0] == "broken_answer"


def test_a_closed_port_is_unreachable() -> None:
    async def go() -> str:
        async with receiver(answers(200)) as target:
            port = target.port
        with pytest.raises(Failed) as failed:
            await post(DEVELOPMENT, f"http://127.0.0.1:{port}/")
        return failed.value.reason

    assert asyncio.run(go()) == "unreachable"


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> tuple[int, int]:
        async with receiver(answers(200)) as target, receiver(answers(200)) as proxy:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url())
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            await post(DEVELOPMENT, target.url())
            return len(target.received), proxy.connections

    assert asyncio.run(go()) == (1, 0)


# names


def test_a_name_that_rebinds_is_connected_to_at_the_checked_address_only(tmp_path: Path) -> None:
    """The first answer is checked and used; a second one, to a private address, is never asked for."""
    server, trusting = certificate(tmp_path, "rebind.example")

    async def go() -> tuple[list[str], Receiver, Answer]:
        async with receiver(answers(200), tls=server) as target:
            asked: list[str] = []

            async def rebind(host: str, port: int) -> list[str]:
                asked.append(host)
                return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

            rules = AddressRules.of("https://auth.example", ["127.0.0.1/32"])
            answer = await post(rules, f"https://rebind.example:{target.port}/r", resolve=rebind, tls=trusting)
            return asked, target, answer

    asked, target, answer = asyncio.run(go())
    assert (asked, answer.status) == (["rebind.example"], 200)
    assert target.server_names == ["rebind.example"]
    assert target.received[0].headers["host"] == f"rebind.example:{target.port}"


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "other.example", "127.0.0.1")
    rules = AddressRules.of("https://auth.example", ["127.0.0.1"])
    assert tls_failure(server, trusting, rules) == ("tls", 0)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "bot.example")
    rules = AddressRules.of("https://auth.example", ["127.0.0.1"])
    assert tls_failure(server, None, rules) == ("tls", 0)


def tls_failure(server: ssl.SSLContext, client: ssl.SSLContext | None, rules: AddressRules) -> tuple[str, int]:
    async def go() -> tuple[str, int]:
        async with receiver(answers(200), tls=server) as target:
            resolve, _ = resolver("127.0.0.1")
            with pytest.raises(Failed) as failed:
                await post(rules, f"https://bot.example:{target.port}/", resolve=resolve, tls=client)
            return failed.value.reason, len(target.received)

    return asyncio.run(go())


def test_the_next_address_is_tried_when_one_is_not_there(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "bot.example")

    async def go() -> int:
        async with receiver(answers(200), tls=server) as target:
            resolve, _ = resolver("::1", "127.0.0.2", "127.0.0.1")
            rules = AddressRules.of("https://auth.example", ["127.0.0.0/8", "::1"])
            return (await post(rules, f"https://bot.example:{target.port}/", resolve=resolve, tls=trusting)).status

    assert asyncio.run(go()) == 200


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("93.184.215.14", "10.0.0.1"),
        ("127.0.0.1", "93.184.215.14"),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"),
        ("169.254.169.254",),
        ("fe80::1%lo",),
        ("not an address",),
    ],
)
def test_one_bad_address_refuses_the_name_before_anything_is_connected(addresses: tuple[str, ...]) -> None:
    resolve, asked = resolver(*addresses)
    assert failure(STRICT, "https://bot.example/removed", resolve=resolve) == "address_refused"
    assert asked == ["bot.example"]


def test_a_name_without_addresses_is_unresolvable() -> None:
    resolve, _ = resolver()
    assert failure(STRICT, "https://bot.example/removed", resolve=resolve) == "unresolvable"


def test_a_name_server_that_hangs_costs_the_deadline() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    assert failure(STRICT, "https://bot.example/removed", resolve=never, seconds=0.2) == "timeout"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "127.0.0.1."])
def test_the_odd_forms_of_loopback_are_refused_at_sending_too(host: str) -> None:
    assert failure(STRICT, f"https://{host}/") == "target_refused"


def test_localhost_by_its_real_resolver_is_refused_in_production() -> None:
    assert failure(AddressRules(hosts=frozenset()), "https://localhost/") == "target_refused"
    resolve, _ = resolver("127.0.0.1")
    assert failure(STRICT, "https://looks-fine.example/", resolve=resolve) == "address_refused"


def test_http_in_development_reaches_loopback_and_nothing_else() -> None:
    resolve, _ = resolver("93.184.215.14")
    assert failure(DEVELOPMENT, "http://localhost:8080/", resolve=resolve) == "address_refused"
    assert failure(DEVELOPMENT, "http://bot.example:8080/", resolve=resolve) == "target_refused"


def test_localhost_in_development_is_found_by_the_systems_resolver() -> None:
    async def go() -> tuple[int, str]:
        async with receiver(answers(204)) as target:
            answer = await post(DEVELOPMENT, f"http://localhost:{target.port}/removed")
            return answer.status, target.received[0].headers["host"].partition(":")[0]

    assert asyncio.run(go()) == (204, "localhost")


def test_a_label_too_long_for_a_name_is_unresolvable() -> None:
    assert failure(STRICT, f"https://{'a' * 64}.example/") == "unresolvable"
