"""Secrets compared with other servers' hashes, in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from grantway.server import secret_verifier
from grantway.server.secret_verifier import SecretVerifier, fits
from grantway.server.slow_work import AT_A_TIME, LONGEST_QUEUE, Busy
from tests.helpers.foreign_hashes import ALL, hydra_bcrypt, hydra_pbkdf2

# From the tests of Hydra's own hasher (ory/x, hasherx/hasher_test.go): the secret is "test".
HYDRAS = [
    "$2a$12$o6hx.Wog/wvFSkT/Bp/6DOxCtLRTDj7lm9on9suF/WaCGNVHbkfL6",
    "$argon2id$v=19$m=32,t=5,p=4$cm94YnRVOW5jZzFzcVE4bQ$fBxypOL0nP/zdPE71JtAV71i487LbX3fJI5PoTN6Lp4",
    "$argon2i$v=19$m=65536,t=3,p=4$kk51rW/vxIVCYn+EG4kTSg$NyT88uraJ6im6dyha/M5jhXvpqlEdlS/9fEm7ScMb8c",
    "$pbkdf2-sha256$i=100000,l=32$1jP+5Zxpxgtee/iPxGgOz0RfE9/KJuDElP1ley4VxXc$QJxzfvdbHYBpydCbHoFg3GJEqMFULwskiuqiJctoYpI",
    "$pbkdf2-sha512$i=100000,l=32$bdHBpn7OWOivJMVJypy2UqR0UnaD5prQXRZevj/05YU$+wArTfv1a+bNGO1iZrmEdVjhA+lL11wF4/IxpgYfPwc",
]


@pytest.fixture
def verifier() -> Iterator[SecretVerifier]:
    one = SecretVerifier()
    yield one
    one.close()


@pytest.mark.parametrize("known", HYDRAS)
def test_a_secret_fits_the_hash_that_hydra_keeps_of_it_and_no_other(known: str) -> None:
    assert fits("test", known)
    assert not fits("Test", known)


@pytest.mark.parametrize("name", ALL)
def test_a_secret_fits_its_own_hash_only(name: str) -> None:
    known = ALL[name]("the secret, with a ü")
    assert fits("the secret, with a ü", known)
    for wrong in ("the secret, with a u", "", known, "x" * 512):
        assert not fits(wrong, known)


def test_of_a_long_secret_bcrypt_has_only_ever_read_72_bytes() -> None:
    long = "s" * 128
    assert fits(long, hydra_bcrypt(long))
    assert fits(long, "bcrypt$" + hydra_bcrypt(long))
    assert not fits("s" * 71, hydra_bcrypt(long))


def test_what_cannot_be_verified_fits_nothing() -> None:
    for known in (
        "",
        "md5$salt$0cc175b9c0f1b6a831c399e269772661",
        hydra_pbkdf2("a", iterations=10).replace("10", "9" * 9),
    ):
        assert not fits("a", known)


def test_of_several_hashes_the_one_that_fits_is_named(verifier: SecretVerifier) -> None:
    older, newer = hydra_pbkdf2("older"), hydra_bcrypt("newer")
    assert asyncio.run(verifier.fitting("newer", (older, newer))) == newer
    assert asyncio.run(verifier.fitting("older", (older, newer))) == older
    assert asyncio.run(verifier.fitting("neither", (older, newer))) is None


class Slow:
    """Stands where a secret is compared, so that a test says how long that takes, and counts."""

    def __init__(self) -> None:
        self.go, self.seen, self.at_once, self.most = threading.Event(), 0, 0, 0
        self._lock = threading.Lock()

    def __call__(self, secret: str, hashes: tuple[str, ...]) -> str:
        with self._lock:
            self.seen += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        assert self.go.wait(30)
        with self._lock:
            self.at_once -= 1
        return hashes[0]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    one = Slow()
    monkeypatch.setattr(secret_verifier, "_fitting", one)
    return one


def test_two_at_a_time_are_verified_and_beyond_the_queue_it_is_busy(verifier: SecretVerifier, slow: Slow) -> None:
    async def crowd() -> list[Any]:
        asked = [verifier.fitting(f"secret {number}", ("known",)) for number in range(AT_A_TIME + LONGEST_QUEUE + 3)]
        gathered = asyncio.gather(*asked, return_exceptions=True)
        await asyncio.sleep(0)
        slow.go.set()
        return await gathered

    answers = asyncio.run(crowd())
    assert [type(one) for one in answers if one != "known"] == [Busy] * 3
    assert (slow.seen, slow.most <= AT_A_TIME) == (AT_A_TIME + LONGEST_QUEUE, True)


def test_a_client_that_comes_fifty_times_at_once_is_verified_once(verifier: SecretVerifier, slow: Slow) -> None:
    async def crowd() -> list[Any]:
        gathered = asyncio.gather(*(verifier.fitting("secret", ("known",)) for _ in range(50)))
        await asyncio.sleep(0)
        slow.go.set()
        return await gathered

    assert asyncio.run(crowd()) == ["known"] * 50
    assert slow.seen == 1


def test_whoever_goes_away_takes_the_answer_from_nobody(verifier: SecretVerifier, slow: Slow) -> None:
    async def crowd() -> str | None:
        first, second = (asyncio.ensure_future(verifier.fitting("secret", ("known",))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        slow.go.set()
        return await second

    assert asyncio.run(crowd()) == "known"
    assert slow.seen == 1


def test_what_nobody_waits_for_any_more_leaves_nothing_behind(verifier: SecretVerifier, slow: Slow) -> None:
    async def crowd() -> str | None:
        full = [asyncio.ensure_future(verifier.fitting(f"{n}", ("known",))) for n in range(AT_A_TIME + LONGEST_QUEUE)]
        await asyncio.sleep(0)
        gone = asyncio.ensure_future(verifier.fitting("one too many", ("known",)))
        await asyncio.sleep(0)
        gone.cancel()
        slow.go.set()
        await asyncio.gather(*full)
        return await verifier.fitting("one too many", ("known",))

    assert asyncio.run(crowd()) == "known"
