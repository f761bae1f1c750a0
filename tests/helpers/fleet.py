"""Integrations that use several hosts at once and keep to the retry rule, and a ledger of all that they were told.

Each asks whichever host comes next, waits when it is told to, and repeats what was not answered. What the ledger has is what
a client could hold against the server: so it is what must be true at the end.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.seed import REDIRECT_URI, VERIFIER
from tests.helpers.hosts import Hosts

PATIENCE = 15.0
"""Seconds until a client gives an answer up."""
SOON = 0.25
"""Seconds until a client repeats. It is told to wait longer: this is to meet the database at its worst."""
PACE = 0.1
"""Seconds between two codes, or two revocations, of one client: they are used up."""
AMBIGUOUS = frozenset({"lost", "late", "outcome_unknown"})


@dataclass
class Ledger:
    """What was acknowledged, and what should never have been said."""

    successors: dict[str, str] = field(default_factory=dict)
    """Refresh token presented → the one that came back."""
    exchanged: dict[str, str] = field(default_factory=dict)
    """Code → refresh token."""
    revoked: list[str] = field(default_factory=list)
    heard: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    last_good: dict[str, float] = field(default_factory=dict)
    """By host: when it last did what was asked (seconds of the steady clock)."""


class Fleet:
    """The clients. ``work`` is what they do until ``stop`` is set."""

    def __init__(self, hosts: Hosts) -> None:
        self.ledger = Ledger()
        self.stop = asyncio.Event()
        self._addresses = itertools.cycle(hosts.addresses)
        self._proof = dict(zip(("client_id", "client_secret"), hosts.holdings.credentials, strict=True))
        self._http = httpx2.AsyncClient(timeout=PATIENCE, limits=httpx2.Limits(max_connections=64), trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def refresh_for_ever(self, token: str) -> str:
        """Refresh, each time with what came last; the newest that was acknowledged."""
        while not self.stop.is_set():
            said = await self._repeated("refresh", lambda token=token: self.refresh(token))  # type: ignore[misc]
            if said is None:
                break
            token = self._note_successor(token, said["refresh_token"])
        return token

    async def exchange_one_after_the_other(self, codes: list[str]) -> None:
        """Exchange codes; what was answered with a refusal after a lost answer was exchanged for nobody."""
        while codes and not self.stop.is_set():
            code = codes.pop()
            said = await self._repeated("exchange", lambda code=code: self.exchange(code))  # type: ignore[misc]
            if said is not None:
                self.ledger.exchanged[code] = said["refresh_token"]
            await asyncio.sleep(PACE)

    async def revoke_one_after_the_other(self, tokens: list[str]) -> None:
        """Revoke, so that nobody may use them any more."""
        while tokens and not self.stop.is_set():
            token = tokens.pop()
            said = await self._repeated("revoke", lambda token=token: self._post("/revoke", token=token))  # type: ignore[misc]
            if said is not None:
                self.ledger.revoked.append(token)
            await asyncio.sleep(PACE)

    async def refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        """Once, whatever comes of it."""
        return await self._post("/token", grant_type="refresh_token", refresh_token=token)

    async def exchange(self, code: str) -> tuple[int, dict[str, Any]]:
        """Once, whatever comes of it."""
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return await self._post("/token", **asked, code_verifier=VERIFIER)

    async def is_active(self, token: str) -> tuple[int, bool]:
        """Status, and what introspection says."""
        status, said = await self._post("/introspect", token=token)
        return status, said.get("active") is True

    def _note_successor(self, token: str, successor: str) -> str:
        known = self.ledger.successors.setdefault(token, successor)
        if known != successor:
            self.ledger.wrong.append("a refresh token had two successors")
        return successor

    async def _repeated(
        self, what: str, ask: Callable[[], Awaitable[tuple[int, dict[str, Any]]]]
    ) -> dict[str, Any] | None:
        """The answer at last; ``None`` when it is time to stop, or for a code that may have been exchanged for nobody."""
        may_be_done = False
        while True:
            began = time.monotonic()
            status, said = await ask()
            self.ledger.slowest = max(self.ledger.slowest, time.monotonic() - began)
            heard = str(said.get("error", "done")) if status else str(said["error"])
            self.ledger.heard[f"{what}: {heard}"] += 1
            if status == 200:
                self.ledger.heard[f"{what}: repeated"] += may_be_done
                return said
            if status not in (0, 503):
                if what != "exchange" or heard != "invalid_grant" or not may_be_done:
                    self.ledger.wrong.append(f"{what}: {status} {said}")
                return None
            may_be_done = may_be_done or heard in AMBIGUOUS
            if self.stop.is_set():
                return None
            await asyncio.sleep(SOON)

    async def _post(self, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
        """Status and members; 0 and ``lost`` or ``late`` where no answer came."""
        host = next(self._addresses)
        try:
            answer = await self._http.post(f"{host}{path}", data=fields | self._proof)
        except httpx2.TimeoutException:
            return 0, {"error": "late"}
        except httpx2.TransportError:
            return 0, {"error": "lost"}
        if answer.status_code == 200:
            self.ledger.last_good[host] = time.monotonic()
        return answer.status_code, answer.json() if answer.content else {}


class Watch:
    """Waits for what the fleet is told."""

    def __init__(self, hosts: Hosts, ledger: Ledger) -> None:
        self._hosts = hosts
        self._ledger = ledger

    async def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> float:
        """How many seconds it took."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds, f"in vain: {what}; {dict(self._ledger.heard)}"
            assert not self._ledger.wrong, self._ledger.wrong[:5]
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def until_all_serve(self) -> float:
        """How many seconds until each host has done something again, and each kind of work goes on."""
        kinds = ("refresh: done", "exchange: done", "revoke: done")
        began, before = time.monotonic(), dict(self._ledger.heard)

        def served() -> bool:
            good = all(self._ledger.last_good.get(each, 0) > began for each in self._hosts.addresses)
            return good and all(self._ledger.heard[kind] >= before.get(kind, 0) + 3 for kind in kinds)

        return await self.until(served, "all hosts serve")

    async def until_heard(self, word: str, more: int = 1) -> float:
        """How many seconds until so many more were told this."""
        before = self._count(word)
        return await self.until(lambda: self._count(word) >= before + more, f"somebody hears {word}")

    def _count(self, word: str) -> int:
        return sum(count for heard, count in self._ledger.heard.items() if heard.endswith(word))


async def under_load(hosts: Hosts, what_happens: Callable[[Fleet, Watch], Awaitable[None]]) -> Ledger:
    """Let it happen while the fleet works; then everything that was said must hold."""
    fleet, holds = Fleet(hosts), hosts.holdings
    try:
        watch = Watch(hosts, fleet.ledger)
        refreshing = [asyncio.create_task(fleet.refresh_for_ever(token)) for token in holds.refreshing]
        others = [
            *(asyncio.create_task(fleet.exchange_one_after_the_other(holds.codes)) for _ in range(3)),
            asyncio.create_task(fleet.revoke_one_after_the_other(holds.revocable)),
        ]
        await watch.until_all_serve()
        await what_happens(fleet, watch)
        fleet.stop.set()
        newest = await asyncio.gather(*refreshing)
        await asyncio.gather(*others)
        holds.refreshing = await nothing_was_lost(fleet, newest)
        return fleet.ledger
    finally:
        fleet.stop.set()
        await fleet.close()


async def nothing_was_lost(fleet: Fleet, newest: list[str]) -> list[str]:
    """What must be true when the database is well again. Gives the refresh tokens that are good now."""
    ledger, good = fleet.ledger, list[str]()
    assert not ledger.wrong, ledger.wrong[:5]
    assert len(set(ledger.successors.values())) == len(ledger.successors), "two refreshes had one successor"
    for token in newest:
        status, said = await fleet.refresh(token)
        assert status == 200, f"the newest token that was acknowledged is refused: {said}"
        again = await fleet.refresh(token)
        assert again[1]["refresh_token"] == said["refresh_token"], "a refresh token was spent twice"
        assert await fleet.is_active(said["access_token"]) == (200, True)
        good.append(said["refresh_token"])
    for token in ledger.exchanged.values():
        status, said = await fleet.refresh(token)
        assert status == 200, f"what a code was exchanged for is gone: {said}"
    for token in ledger.revoked:
        status, said = await fleet.refresh(token)
        assert (status, said["error"]) == (400, "invalid_grant"), "a revocation that was acknowledged is undone"
    for code in ledger.exchanged:
        assert (await fleet.exchange(code))[0] == 400, "a code was spent twice"
    return good
