"""What every endpoint, page and command is handed: storage, keys, dice and settings, joined once in ``build_app``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Concatenate, ParamSpec, TypeVar

from grantway.protocol.decision import Add, Change, Decision, ReplayNotice
from grantway.protocol.facts import Facts, Rule
from grantway.protocol.model import Notice
from grantway.protocol.moment import Installation, Moment
from grantway.protocol.vault import Vault
from grantway.server.log import DecisionLog, Traces
from grantway.server.metrics import Metrics
from grantway.server.mint import Mint
from grantway.server.passwords import PasswordVerifier
from grantway.server.removals import Journal
from grantway.server.secret_verifier import SecretVerifier
from grantway.server.settings import Settings
from grantway.server.storage.port import Storage

A = TypeVar("A")
P = ParamSpec("P")

RuleFunction = Callable[Concatenate[Facts, Moment, P], Coroutine[Any, Any, Decision[A]]]
"""How rules are written: ``async def rule(facts, at, …) -> Decision``."""


class Bell:
    """Rings when a notice was put into the outbox, so that its sender need not wait for its next look."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[], None]] = []

    def hear(self, decision: Decision[Any]) -> None:
        """Ring if the settled decision has a notice among its changes."""
        if any(_puts_out(change) for change in decision.changes):
            for listener in self.listeners:
                listener()


def _puts_out(change: Change) -> bool:
    return isinstance(change, ReplayNotice) or (isinstance(change, Add) and isinstance(change.record, Notice))


@dataclass(frozen=True, slots=True)
class Service:
    """The running server, without its HTTP. Frozen; nothing here is global."""

    settings: Settings
    storage: Storage
    vault: Vault
    draw: Callable[[int], bytes]
    bell: Bell = field(default_factory=Bell)
    metrics: Metrics = field(default_factory=Metrics)
    passwords: PasswordVerifier = field(default_factory=PasswordVerifier)
    secrets: SecretVerifier = field(default_factory=SecretVerifier)
    journal: Journal | None = None
    traces: Traces | None = None
    log_stream: BinaryIO | None = None
    """Where answers are logged; left out, to standard error."""
    decisions: DecisionLog = field(init=False)
    house: Installation = field(init=False)
    mint: Mint = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "house", self.settings.installation)
        object.__setattr__(self, "mint", Mint(self.settings.issuer, self.vault))
        told = DecisionLog(self.settings.log_level, self.log_stream, metrics=self.metrics, traces=self.traces)
        object.__setattr__(self, "decisions", told)

    @property
    def issuer(self) -> str:
        """The issuer identifier: the public address, without a trailing slash (RFC 8414 §2)."""
        return self.settings.issuer

    async def settle(self, rule: RuleFunction[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Decision[A]:
        """Let the rule decide on facts that hold still and make its changes true. Raises what ``Storage.settle`` does."""
        decision = await self.storage.settle(self._bound(rule, *args, **kwargs))
        if decision.changes:
            await self._hear(decision)
        return decision

    async def propose(self, rule: RuleFunction[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Decision[A]:
        """The same for a rule whose changes carry every guard that they need; see ``Storage.propose``."""
        decision = await self.storage.propose(self._bound(rule, *args, **kwargs))
        if decision.changes:
            await self._hear(decision)
        return decision

    async def consult(self, rule: RuleFunction[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Decision[A]:
        """The same for a rule that rarely changes anything: decided on a plain read, settled only if it has changes."""
        decision = await self.storage.consult(self._bound(rule, *args, **kwargs))
        if decision.changes:
            await self._hear(decision)
        return decision

    async def _hear(self, decision: Decision[Any]) -> None:
        self.bell.hear(decision)
        self.metrics.hear(decision)
        if self.journal is not None:
            await self.journal.hear(decision.changes)

    def _bound(self, rule: RuleFunction[P, A], *args: P.args, **kwargs: P.kwargs) -> Rule[A]:
        def run(facts: Facts, now: datetime) -> Coroutine[Any, Any, Decision[A]]:
            return rule(facts, Moment(now, self.vault, self.draw, self.house), *args, **kwargs)

        return run
