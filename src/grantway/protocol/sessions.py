"""Who is signed in with this browser, since when, and for what that is enough; and what a person sees of it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import field
from datetime import datetime, timedelta

from grantway.protocol import audit
from grantway.protocol.decision import Change, Decision, EndSessions, Forget, Refusal, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Operator, Session, User
from grantway.protocol.moment import Moment
from grantway.wire.errors import ACCESS_DENIED, LOGIN_REQUIRED, NOT_FOUND
from grantway.wire.record import record

SESSION_LIFETIME = timedelta(hours=12)
"""From sign-in, whatever happens in between."""
RECENT = timedelta(minutes=15)
"""How long after signing in a person may do what an unattended screen must not: remove for everybody, change as operator."""
LONGEST_LABEL = 80


@record
class Operating:
    """An operator at their browser."""

    session: Session
    user: User
    operator: Operator


@record
class OwnSessions:
    """Where a person is signed in. ``current`` is the session of the browser that asks."""

    user: User
    current: Session
    sessions: tuple[Session, ...]


@record
class SignedOut:
    """The session is over, or never was."""


async def signed_in(facts: Facts, at: Moment, session_id: str | None) -> tuple[Session, User] | None:
    """The session of this id (raw, as the cookie has it) and whose it is; ``None`` when it is over or never was."""
    found = await facts.session(digest(session_id)) if session_id else None
    if found is None or at.now >= found[0].expires_at or found[1].disabled_at is not None:
        return None
    return found


async def signed_in_operator(facts: Facts, at: Moment, session_id: str | None, *, change: bool) -> Operating | Refusal:
    """The operator who is signed in. To ``change`` something takes more than a viewer, and a sign-in not long ago."""
    found = await signed_in(facts, at, session_id)
    if found is None:
        return Refusal(LOGIN_REQUIRED, "login_required")
    session, user = found
    operator = await facts.operator(user.id)
    if operator is None:
        return Refusal(ACCESS_DENIED, "not_an_operator")
    if change and operator.role != "operator":
        return Refusal(ACCESS_DENIED, "operator_may_only_view")
    if change and not is_recent(session, at):
        return Refusal(LOGIN_REQUIRED, "sign_in_too_old")
    return Operating(session, user, operator)


def is_recent(session: Session, at: Moment) -> bool:
    """Whether the person signed in within ``RECENT``."""
    return at.now - session.auth_time <= RECENT


@record
class NewSession:
    """A session just drawn, with its id (raw; only the digest is stored)."""

    session: Session
    session_id: str = field(repr=False)


def draw_session(at: Moment, user: User, auth_time: datetime, label: str) -> NewSession:
    """A new session. ``label`` says what browser it is."""
    session_id = urlsafe_b64encode(at.draw(32)).rstrip(b"=").decode()
    ends = at.now + SESSION_LIFETIME
    return NewSession(
        Session(digest(session_id), user.id, auth_time, ends, at.new_id(), label[:LONGEST_LABEL]), session_id
    )


async def end_session(facts: Facts, session_id: str | None) -> tuple[Change, ...]:
    """What ends the session of this id, if there is one: a browser has one at most."""
    found = await facts.session(digest(session_id)) if session_id else None
    return (Forget(found[0]),) if found is not None else ()


async def sessions_of(facts: Facts, at: Moment, session_id: str | None) -> Decision[OwnSessions | Refusal]:
    """Where the person is signed in."""
    found = await signed_in(facts, at, session_id)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    current, user = found
    live = tuple(session for session in await facts.sessions_of(user.id) if at.now < session.expires_at)
    return Decision(OwnSessions(user, current, live), reason="sessions_shown")


async def end_own_session(
    facts: Facts, at: Moment, session_id: str | None, ended: bytes
) -> Decision[SignedOut | Refusal]:
    """A person ends one of their sessions (by its row id), maybe the one that they are asking with."""
    found = await signed_in(facts, at, session_id)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    user = found[1]
    named = next((session for session in await facts.sessions_of(user.id) if session.id == ended), None)
    if named is None:
        return refuse(NOT_FOUND, "session_unknown")
    written = audit.note(at, audit.by_user(user), "session_ended", user_id=user.id)
    return Decision(SignedOut(), (Forget(named), written), "session_ended")


async def end_own_sessions(facts: Facts, at: Moment, session_id: str | None) -> Decision[SignedOut | Refusal]:
    """A person signs out everywhere, here too."""
    found = await signed_in(facts, at, session_id)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    user = found[1]
    written = audit.note(at, audit.by_user(user), "sessions_ended", user_id=user.id)
    return Decision(SignedOut(), (EndSessions(user.id), written), "sessions_ended")
