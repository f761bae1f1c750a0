"""Signing in with a password, and out again.

In three steps, because hashing a password takes a tenth of a second and no rule may take that long: ``begin_sign_in``
reads what is to be verified, the server verifies it, ``finish_sign_in`` or ``fail_sign_in`` makes the outcome true. The
first and the last are bound by the password's version. Whether the address or the password was wrong is never said.
"""

from __future__ import annotations

from dataclasses import field, replace

from grantway.protocol import audit
from grantway.protocol.decision import Add, Change, Decision, Refusal, Replace, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.known_browser import knows, remember
from grantway.protocol.model import User
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import NewSession, SignedOut, draw_session, end_session, signed_in
from grantway.protocol.throttle import Buckets, buckets_of, buckets_of_browser, count_failure, forgive, pace
from grantway.wire.errors import ACCESS_DENIED, TOO_MANY_REQUESTS
from grantway.wire.record import record

LONGEST_EMAIL = 254
"""RFC 5321 §4.5.3.1.3, without the angle brackets."""


@record
class Attempt:
    """What the server has to verify, and how slowly. ``password_hash`` is ``None`` for nobody: verify a dummy then."""

    buckets: Buckets
    delay: float
    user_id: bytes | None
    password_hash: str | None = field(repr=False)
    password_version: int


@record
class Browser:
    """What is noted of the browser that signs in: a ``label`` for the list of sessions, and the ``language`` it reads."""

    label: str = ""
    language: str | None = None


@record
class SignedIn:
    """The browser is signed in under this session id (raw; only its digest is stored).

    After a sign-in with a password it keeps ``kept`` (``known_browser.py``).
    """

    user: User
    session_id: str = field(repr=False)
    kept: str | None = field(default=None, repr=False)


@record
class Anonymous:
    """Nobody is signed in."""


async def begin_sign_in(
    facts: Facts, at: Moment, email: str, address: str, kept: str | None = None
) -> Decision[Attempt | Refusal]:
    """Who wants to sign in, what their password has to match, and what they have to wait.

    ``kept`` is what the browser keeps of an earlier sign-in; if it is this person's, what others at the same address do
    does not count here. Refused only for too many failures (``TOO_MANY_REQUESTS``). People that are unknown, disabled
    or without a password look like any other from here on.
    """
    folded = fold(email)
    user = await facts.user_by_email(folded) if 0 < len(folded) <= LONGEST_EMAIL else None
    is_known = kept is not None and user is not None and knows(kept, user, at)
    buckets = buckets_of_browser(folded, kept) if is_known and kept is not None else buckets_of(folded, address)
    speed = await pace(facts, at.now, buckets)
    if speed.retry_after is not None:
        return refuse(TOO_MANY_REQUESTS, "sign_in_address_limited", retry_after=speed.retry_after)
    if user is None or user.disabled_at is not None or user.password_hash is None:
        return Decision(Attempt(buckets, speed.delay, None, None, 0))
    return Decision(Attempt(buckets, speed.delay, user.id, user.password_hash, user.password_version))


async def fail_sign_in(facts: Facts, at: Moment, attempt: Attempt) -> Decision[Refusal]:
    """The password was wrong or there is nobody of that name; both look the same, and both count."""
    reason = "sign_in_unknown_user" if attempt.user_id is None else "sign_in_wrong_password"
    return refuse(ACCESS_DENIED, reason, *await count_failure(facts, at.now, attempt.buckets))


async def finish_sign_in(
    facts: Facts,
    at: Moment,
    attempt: Attempt,
    previous_session: str | None = None,
    browser: Browser = Browser(),  # noqa: B008 - frozen
) -> Decision[SignedIn | Refusal]:
    """The password was right: draw a session, end the one that this browser had."""
    user = await proven_person(facts, attempt)
    if user is None:
        return refuse(ACCESS_DENIED, "sign_in_overtaken", *await count_failure(facts, at.now, attempt.buckets))
    reader = read_in(user, browser.language)
    drawn = draw_session(at, reader, at.now, browser.label)
    changes: tuple[Change, ...] = (
        *opened(at, drawn, user),
        *(() if reader is user else (Replace(reader),)),
        *await end_session(facts, previous_session),
        *await forgive(facts, attempt.buckets),
    )
    return Decision(SignedIn(reader, drawn.session_id, remember(reader, at)), changes, "signed_in")


async def proven_person(facts: Facts, attempt: Attempt) -> User | None:
    """Whose password it was.

    Read again: a password changed or a person disabled while the old hash was being verified is a failure (``None``).
    """
    user = await facts.user(attempt.user_id) if attempt.user_id is not None else None
    if user is None or user.disabled_at is not None or user.password_version != attempt.password_version:
        return None
    return user


def opened(at: Moment, drawn: NewSession, user: User) -> tuple[Change, ...]:
    """What becomes true of a sign-in, however it came about."""
    return Add(drawn.session), audit.note(at, audit.by_user(user), "signed_in", user_id=user.id)


def read_in(user: User, language: str | None) -> User:
    """The person, who reads this language now."""
    if language is None or language == user.language:
        return user
    return replace(user, language=language, version=user.version + 1)


async def sign_out(facts: Facts, at: Moment, session_id: str | None) -> Decision[SignedOut]:
    """End the session. Nothing to end is as well."""
    return Decision(SignedOut(), await end_session(facts, session_id), "signed_out")


async def who_is(facts: Facts, at: Moment, session_id: str | None) -> Decision[User | Anonymous]:
    """The person who is signed in with this session id."""
    found = await signed_in(facts, at, session_id)
    return Decision(Anonymous() if found is None else found[1])


def fold(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().casefold()
