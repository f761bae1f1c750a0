"""A connection that is kept: its tokens are refreshed in time, by one at a time, and written before anybody uses them.

What can be lost is an answer. So that a refresh is under way is written before the request leaves, with its
``Idempotency-Key``, and the new tokens are written before the access token is handed out, all under the store's lock. Who
comes after a crash sees that a refresh was under way and repeats it: the server's retry rule gives the same successor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from grantway.client import core
from grantway.client.conversation import Do, Now, Operation, Pause
from grantway.client.core import Registration
from grantway.client.errors import ClientError, Disconnected, NotConnected, NotReached, Refused
from grantway.client.pending import PendingStore
from grantway.client.server import Server
from grantway.client.stores.port import TokenStore
from grantway.client.tokens import Tokens
from grantway.wire.record import record
from grantway.wire.times import read_time, write_time

T = TypeVar("T")

LEEWAY = 60.0
"""Seconds before its expiry from which an access token is refreshed, so that it does not expire on its way."""
_LOOK_AGAIN = 0.02
_LEAVE_ALONE = timedelta(seconds=5)


@record
class Kept:
    """What the store has under a name: tokens, the refresh that is under way, and how it ended."""

    tokens: Tokens
    refreshing: str | None = None
    refreshing_since: datetime | None = None
    ended: str | None = None
    ended_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the store has it."""
        return {
            "tokens": self.tokens.to_dict(),
            "refreshing": self.refreshing,
            "refreshing_since": self.refreshing_since and write_time(self.refreshing_since),
            "ended": self.ended,
            "ended_at": self.ended_at and write_time(self.ended_at),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Kept:
        """What ``to_dict`` gave."""
        since, ended_at = stored["refreshing_since"], stored["ended_at"]
        return cls(
            Tokens.from_dict(stored["tokens"]),
            stored["refreshing"],
            since and read_time(since),
            stored["ended"],
            ended_at and read_time(ended_at),
        )


@dataclass(frozen=True, slots=True)
class Keeping:
    """One connection's operations: whose it is, at which server, and where it is kept under which name."""

    server: Server
    who: Registration
    store: TokenStore
    name: str
    leeway: float = LEEWAY

    @property
    def place(self) -> str:
        """The name as the store has it. What one server gave one client is nothing to any other that shares the store: a
        refresh token that is shown to another server is that server's."""
        return f"{self.server.name} {quote(self.who.client_id, safe='')} {self.name}"

    def tokens(self) -> Operation[Tokens]:
        """What is kept, as it is."""
        return (yield from self._kept()).tokens

    def keep(self, tokens: Tokens) -> Operation[None]:
        """Keep these from now on, whatever was there before."""
        yield from self._alone(partial(self._write, Kept(tokens)))

    def complete(self, waiting: PendingStore, callback_url: str, state: str | None) -> Operation[Tokens]:
        """End what was begun, and keep its tokens before they are given."""
        tokens = yield from core.complete(self.server, self.who, waiting, callback_url, state)
        yield from self.keep(tokens)
        return tokens

    def access_token(self) -> Operation[str]:
        """One that still works for a while; refreshed if need be."""
        kept = yield from self._kept()
        now = yield Now()
        if self._is_good(kept, now):
            return kept.tokens.access_token
        return (yield from self._alone(self._refreshed))

    def forget(self) -> Operation[None]:
        """Keep nothing under this name any more."""
        yield from self._alone(self._erase)

    def disconnect(self) -> Operation[None]:
        """End it at the server, and forget it."""
        yield from self._alone(self._revoke)

    # --- under the lock

    def _refreshed(self) -> Operation[str]:
        kept = yield from self._kept()
        now = yield Now()
        tokens = kept.tokens
        if self._is_good(kept, now):  # somebody else was first
            return tokens.access_token
        if tokens.refresh_token is None:
            if tokens.expires_within(0, now):
                raise Disconnected("expired", tokens.expires_at)
            return tokens.access_token
        yield from self._write(
            replace(kept, refreshing=core.idempotency_key(tokens.refresh_token), refreshing_since=now)
        )
        came = yield from _tried(core.refresh(self.server, self.who, tokens))
        if isinstance(came, Tokens):
            yield from self._write(Kept(came))
            return came.access_token
        if isinstance(came, Refused) and came.status < 500:
            has_ended = self.server.has_ended(came)
            now = yield Now()
            yield from self._write(Kept(tokens, None, None, came.code, now) if has_ended else Kept(tokens))
            raise Disconnected(came.code, now) if has_ended else came
        if isinstance(came, Refused | NotReached) and not tokens.expires_within(0, now):
            return tokens.access_token  # the server is away for the moment, and this one still works
        raise came

    def _revoke(self) -> Operation[None]:
        kept = yield from self._kept(even_ended=True)
        if kept.ended is None:
            yield from core.revoke(self.server, self.who, kept.tokens)
        yield from self._erase()

    def _write(self, kept: Kept) -> Operation[None]:
        yield Do(partial(self.store.save, self.place, kept.to_dict()))

    def _erase(self) -> Operation[None]:
        yield Do(partial(self.store.save, self.place, None))

    def _kept(self, *, even_ended: bool = False) -> Operation[Kept]:
        stored = yield Do(partial(self.store.load, self.place))
        if stored is None:
            raise NotConnected
        kept = Kept.from_dict(stored)
        if kept.ended is not None and not even_ended:
            raise Disconnected(kept.ended, kept.ended_at)
        return kept

    def _is_good(self, kept: Kept, now: datetime) -> bool:
        """Whether the access token may be handed out as it is.

        A refresh that was under way when its process died is repeated soon: for public clients the server's retry rule
        ends after two minutes. While one may still be running, the old token does as long as it lives.
        """
        if kept.refreshing_since is None:
            return not kept.tokens.expires_within(self.leeway, now)
        is_recent = now - kept.refreshing_since < _LEAVE_ALONE
        return is_recent and not kept.tokens.expires_within(0, now)

    def _alone(self, work: Callable[[], Operation[T]]) -> Operation[T]:
        """The work, while nobody else in any thread, task or process has this name."""
        while True:
            hold = yield Do(partial(self.store.try_hold, self.place), quick=True)
            if hold is not None:
                break
            waited = yield Pause(_LOOK_AGAIN)
            if isinstance(waited, ClientError):
                raise waited
        try:
            return (yield from work())
        finally:
            hold.release()


def _tried(operation: Operation[T]) -> Operation[T | ClientError]:
    """What came, or what failed, as a value: what is raised later has no other error in its chain."""
    try:
        return (yield from operation)
    except ClientError as failed:
        return failed
