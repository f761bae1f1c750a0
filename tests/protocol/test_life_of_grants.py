"""A state machine over ``settle`` and storage in memory: whatever happens in whatever order, what must hold holds.

The model knows nothing of rows or secrets: it keeps what each customer allowed and what each client was given, and says
of every string that was ever handed out whether it works now and how far it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from grantway.protocol.connections import remove
from grantway.protocol.decision import Refusal
from grantway.protocol.lifecycle import resume, suspend, suspend_by_user
from grantway.protocol.model import Connection, Grant, User
from grantway.server.storage.port import drive
from tests.helpers.stage import SCOPES, VERIFIER, Integration, Stage, Tokens, values_of

KINDS = ("confidential", "public", "still", "sunshine")
LIVE_GRANTS = 3
SECONDS, DAY = timedelta(seconds=1), timedelta(days=1)


@dataclass(eq=False)
class Link:
    """A connection as the model sees it."""

    id: bytes
    scope: frozenset[str]
    suspended: bool = False
    by_operator: bool = False
    removed: bool = False


@dataclass(eq=False)
class Access:
    text: str
    consent: Consent
    scope: frozenset[str]
    expires_at: datetime | None
    ended: bool = False


@dataclass(eq=False)
class Consent:
    """A grant as the model sees it. ``born`` are the times of its generations, ``chain`` their refresh tokens."""

    kind: str
    user: User
    link: Link
    scope: frozenset[str]
    code: str
    code_expires_at: datetime
    grant_id: bytes = b""
    ended: bool = False
    born: list[datetime] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)


class LifeOfGrants(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.stage = stage = Stage()
        live: dict[str, Any] = {"live_grants": LIVE_GRANTS}
        self.clients: dict[str, Integration] = {
            "confidential": stage.integration(policy=live),
            "public": stage.integration(public=True, policy=live),
            "still": stage.integration(policy=live | {"rotates_refresh_tokens": False, "refresh_idle_lifetime": None}),
            "sunshine": stage.sunshine(policy=live),
        }
        self.users = (stage.ada, stage.user("Bob"))
        self.disabled: set[bytes] = set()
        self.account_suspended = False
        self.links: dict[str, Link] = {}
        self.made: list[Consent] = []
        self.given: list[Access] = []
        self.secrets: set[str | bytes] = {client.secret for client in self.clients.values() if client.secret}
        for kind in KINDS:  # rules may be switched off in a run, so that there is always something to begin with
            self.authorize(kind, 0, list(SCOPES))
            self.exchange(0, wrong=False)

    # --- what the model says

    @property
    def now(self) -> datetime:
        return self.stage.clock()

    def is_over(self, consent: Consent) -> bool:
        return consent.ended or consent.link.removed or consent.user.id in self.disabled

    def stands(self, consent: Consent) -> bool:
        return not (self.is_over(consent) or consent.link.suspended or self.account_suspended)

    def reach(self, access: Access) -> frozenset[str] | None:
        expired = access.expires_at is not None and self.now >= access.expires_at
        if access.ended or expired or not self.stands(access.consent):
            return None
        return access.scope & access.consent.link.scope

    def lives(self, consent: Consent, generation: int) -> bool:
        idle = consent.kind != "still" and self.now >= consent.born[-1] + 90 * DAY
        return self.stands(consent) and generation == len(consent.chain) and not idle

    def others(self, consent: Consent) -> list[Consent]:
        """Live grants of the same connection that are still in the storage, and codes that can still be exchanged."""
        rows = {row.id for row in self.stage.all(Grant)}
        return [
            each
            for each in self.made
            if each is not consent and each.link is consent.link and not each.ended and each.grant_id in rows
            if each.born or self.now < each.code_expires_at
        ]

    def end_on_purpose(self, consent: Consent) -> None:
        consent.ended = True
        if not self.others(consent):
            consent.link.removed = True

    def keep(self, consent: Consent, tokens: Tokens) -> Access:
        access = Access(tokens.access, consent, frozenset(tokens.scope), tokens.issued.access.expires_at)
        assert access.scope <= consent.scope  # no scope ever widens
        assert access.scope <= consent.link.scope
        self.given.append(access)
        self.secrets |= {tokens.access, tokens.issued.secret}
        if tokens.refresh:
            self.secrets.add(tokens.refresh)
        return access

    # --- what customers do

    @rule(
        kind=st.sampled_from(KINDS),
        who=st.integers(0, 1),
        scope=st.lists(st.sampled_from(SCOPES), min_size=1, max_size=3, unique=True),
        at_once=st.sampled_from([True, True, False]),
    )
    def connect(self, kind: str, who: int, scope: list[str], at_once: bool) -> None:
        self.authorize(kind, who, scope)
        if at_once:
            self.exchange(0, wrong=False)

    def authorize(self, kind: str, who: int, scope: list[str]) -> None:
        user = self.users[who]
        link = self.links.get(kind)
        held = link is not None and not link.removed and link.by_operator
        if self.account_suspended or user.id in self.disabled or held:
            return
        client = self.clients[kind]
        code = self.stage.code(client, user, scope=tuple(scope))
        asked = frozenset({"integration"} if kind == "sunshine" else scope)
        (grant,) = [each for each in self.stage.all(Grant) if each.id not in {known.grant_id for known in self.made}]
        if link is None or link.removed:
            link = self.links[kind] = Link(grant.connection_id, asked)
        else:
            link.scope = asked if asked <= link.scope else link.scope | asked
            link.suspended = False  # the customer allowed it: that takes back what they had said
        consent = Consent(kind, user, link, asked, code, self.now + client.client.policy.code_lifetime, grant.id)
        superseded = [each for each in self.others(consent) if each.user is user]
        gone = [each for each in superseded if self.stage.stored(Grant, each.grant_id).revoked_at is not None]
        assert len(gone) == max(0, len(superseded) + 1 - LIVE_GRANTS)
        for each in gone:
            each.ended = True
        self.made.append(consent)
        self.secrets.add(code)

    @rule(kind=st.sampled_from(KINDS))
    def remove_and_connect_again(self, kind: str) -> None:
        link = self.links[kind]
        decision = self.stage.decide(remove, link.id, "customer", "operator")
        assert isinstance(decision.answer, Refusal) == link.removed
        link.removed = True
        self.what_must_hold()
        self.connect(kind, 0, list(SCOPES), at_once=True)

    @rule(
        what=st.sampled_from([*KINDS, "account", "Ada", "Bob"]),
        meanwhile=st.sampled_from(["wait", "authorize", "exchange", "refresh", "revoke"]),
        last=st.integers(0, 7),
        by_operator=st.booleans(),
    )
    def suspend_for_a_while(self, what: str, meanwhile: str, last: int, by_operator: bool) -> None:
        self.upset(what, by_operator)
        self.what_must_hold()
        match meanwhile:
            case "wait":
                self.stage.wait(seconds=31)
            case "authorize":
                self.authorize(what if what in KINDS else "confidential", last % 2, ["read"])
            case "exchange":
                self.exchange(last, wrong=False)
            case "refresh":
                self.refresh(last, last % 3, None, stranger=False)
            case "revoke":
                self.revoke(last, refresh_token=last % 2 == 0, back=0)
        self.what_must_hold()
        self.mend()

    def upset(self, what: str, by_operator: bool) -> None:
        """Suspend a connection or the account, or disable a user."""
        if what == "account":
            self.stage.amend(self.stage.acme, suspended_at=self.now)
            self.account_suspended = True
        elif what in KINDS:
            link = self.links[what]
            if link.removed:
                return
            if by_operator:
                decision = self.stage.decide(suspend, link.id, "operator")
            else:
                session = self.stage.browser(self.stage.ada).session
                decision = self.stage.decide(suspend_by_user, link.id, session)
            assert decision.reason == "connection_suspended"
            link.suspended, link.by_operator = True, by_operator
        else:
            user = next(each for each in self.users if each.name == what)
            self.stage.amend(user, disabled_at=self.now)
            self.disabled.add(user.id)

    def mend(self) -> None:
        """All that was suspended or disabled goes on as it was."""
        self.stage.amend(self.stage.acme, suspended_at=None)
        for user in self.users:
            self.stage.amend(user, disabled_at=None)
        for link in self.links.values():
            if link.suspended and not link.removed:
                assert self.stage.decide(resume, link.id, "operator").reason == "connection_resumed"
            link.suspended = link.by_operator = False
        self.account_suspended = False
        self.disabled.clear()

    # --- what clients do

    @rule(last=st.integers(0, 3), wrong=st.sampled_from([False, False, False, True]))
    def exchange(self, last: int, wrong: bool) -> None:
        consent = self.made[-1 - last % len(self.made)]
        client = self.clients[consent.kind]
        changes = {"code_verifier": "x" * 43} if wrong and client.dialect == "standard" else {}
        decision = self.stage.exchange(client, consent.code, **changes)
        if isinstance(decision.answer, Refusal):
            assert consent.born or changes or not self.stands(consent) or self.now >= consent.code_expires_at
            if decision.changes:
                # Only a fully valid second presentation, and not the echo of a race, ends anything.
                assert consent.born
                assert self.stands(consent)
                assert not changes
                assert self.now - consent.born[0] > 10 * SECONDS
                self.end_on_purpose(consent)
            elif consent.born and not changes and self.stands(consent):
                early = self.now - consent.born[0] <= 10 * SECONDS
                assert early or (len(consent.born) > 2 and self.now <= consent.code_expires_at + 10 * SECONDS)
            return
        assert not consent.born, "a code was exchanged twice"
        assert self.stands(consent)
        assert not changes
        assert self.now < consent.code_expires_at
        tokens = self.stage.minted(decision)
        consent.born.append(self.now)
        if tokens.refresh:
            consent.chain.append(tokens.refresh)
        self.keep(consent, tokens)

    @rule(
        last=st.integers(0, 7),
        back=st.sampled_from([0, 0, 0, 1, 1, 2, 3]),
        scope=st.none() | st.lists(st.sampled_from(SCOPES), min_size=1, unique=True),
        stranger=st.sampled_from([False, False, False, True]),
    )
    def refresh(self, last: int, back: int, scope: list[str] | None, stranger: bool) -> None:
        refreshable = [each for each in self.made if len(each.chain) > back]
        if not refreshable:
            return
        consent = refreshable[-1 - last % len(refreshable)]
        generation = len(consent.chain) - back
        kind = consent.kind if not stranger else "public" if consent.kind == "confidential" else "confidential"
        asked = None if scope is None else tuple(scope)
        decision = self.stage.refresh(self.clients[kind], consent.chain[generation - 1], scope=asked)
        fits = scope is None or consent.scope.issuperset(scope)
        verdict = self.verdict(consent, back)
        if stranger or not self.lives(consent, len(consent.chain)) or (not fits and verdict in {"new", "repeated"}):
            verdict = "refused"
        if verdict in {"refused", "reused"}:
            assert isinstance(decision.answer, Refusal)
            assert bool(decision.changes) == (verdict == "reused")
            if verdict == "reused":
                self.end_on_purpose(consent)
            return
        tokens = self.stage.minted(decision)
        if verdict == "new":
            assert tokens.refresh not in consent.chain
            consent.chain.append(tokens.refresh)
            consent.born.append(self.now)
        assert tokens.refresh == consent.chain[-1]  # a repetition is told the same successor
        self.keep(consent, tokens)

    @rule(
        last=st.integers(0, 7),
        pauses=st.lists(st.sampled_from([0, 1, 9, 21, 31]), min_size=1, max_size=3),
        back=st.integers(1, 3),
    )
    def refresh_often_and_then_show_an_older_one(self, last: int, pauses: list[int], back: int) -> None:
        for pause in pauses:
            self.refresh(last, 0, None, stranger=False)
            self.stage.wait(seconds=pause)
        self.what_must_hold()
        self.refresh(last, back, None, stranger=False)

    def verdict(self, consent: Consent, back: int) -> str:
        """The retry rule (docs/decisions/0004)."""
        if back == 0:
            return "repeated" if consent.kind == "still" else "new"
        superseded_at = consent.born[len(consent.chain) - back]
        within = self.now - superseded_at <= 30 * SECONDS
        if back == 1:
            return "repeated" if consent.kind == "confidential" or within else "reused"
        return "refused" if back == 2 and within else "reused"

    @rule(last=st.integers(0, 7), refresh_token=st.booleans(), back=st.integers(0, 2))
    def revoke(self, last: int, refresh_token: bool, back: int) -> None:
        access = self.given[-1 - last % len(self.given)]
        consent = access.consent
        if refresh_token and len(consent.chain) <= back:
            return
        text = consent.chain[-1 - back] if refresh_token else access.text
        self.stage.revoke(self.clients[consent.kind], text)
        if access.expires_at is not None and not refresh_token:
            access.ended = True
        elif not consent.ended:
            self.end_on_purpose(consent)

    # --- what time does

    @rule(duration=st.sampled_from([1, 5, 9, 25, 61, 660, 7_200, 86_400, 31 * 86_400]), sweep=st.booleans())
    def wait(self, duration: int, sweep: bool) -> None:
        self.stage.wait(seconds=duration)
        if sweep:
            drive(self.stage.storage.sweep())

    # --- what must hold

    @invariant()
    def what_must_hold(self) -> None:
        """At every step for what was handed out last, at the end for everything."""
        self.every_access_token_reaches_exactly_what_it_may(self.given[-10:])
        self.a_chain_never_has_two_live_successors(self.made[-6:])
        for link in self.links.values():
            assert (self.stage.stored(Connection, link.id).removed_at is not None) == link.removed

    def every_access_token_reaches_exactly_what_it_may(self, given: list[Access]) -> None:
        for access in given:
            proven = self.stage.prove(access.text)
            assert (None if proven is None else frozenset(proven.scope)) == self.reach(access)

    def a_chain_never_has_two_live_successors(self, made: list[Consent]) -> None:
        for consent in made:
            first = max(1, len(consent.chain) - 3)
            alive = [at for at in range(first, len(consent.chain) + 1) if self.stage.is_active(consent.chain[at - 1])]
            assert alive == [at for at in range(first, len(consent.chain) + 1) if self.lives(consent, at)]
            assert len(alive) <= 1

    @override
    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self.every_access_token_reaches_exactly_what_it_may(self.given)
        self.a_chain_never_has_two_live_successors(self.made)
        for access in self.given[::5]:
            asked = self.stage.scope_of(access.text)
            assert (None if asked is None else frozenset(asked)) == self.reach(access)
        everything = [
            value.encode() if isinstance(value, str) else value
            for record in self.stage.everything()
            for value in values_of(record)
            if isinstance(value, str | bytes)
        ]
        stored = b"\n".join(everything)
        for secret in self.secrets | {VERIFIER, "browser-1", "session-2"}:
            assert (secret.encode() if isinstance(secret, str) else secret) not in stored


LifeOfGrants.TestCase.settings = settings(max_examples=50, stateful_step_count=40)
TestLifeOfGrants = LifeOfGrants.TestCase
