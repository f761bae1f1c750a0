"""What people who sign in here with a password change about themselves: the password, and the address.

Both ask for the present password, in the three steps of a sign-in (``sign_in.py``): the attempt was begun for the
address of the person who is signed in, and the server found the password right.
"""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from math import ceil

from grantway.protocol import audit
from grantway.protocol.administration.people import normal_email
from grantway.protocol.decision import Change, Decision, EndSessions, Forget, Refusal, Replace, refuse
from grantway.protocol.facts import Facts, Page
from grantway.protocol.known_browser import remember
from grantway.protocol.model import Session, User
from grantway.protocol.moment import Moment
from grantway.protocol.one_time_links import draw_link, ended_links, letter_with, with_password
from grantway.protocol.sessions import signed_in
from grantway.protocol.sign_in import Attempt
from grantway.protocol.throttle import forgive
from grantway.wire.errors import ACCESS_DENIED, INVALID_REQUEST, LOGIN_REQUIRED, TOO_MANY_REQUESTS
from grantway.wire.record import record

LETTERS = 3
"""So many letters one person may have sent to addresses that are not theirs yet, within ``LETTERS_WITHIN``."""
LETTERS_WITHIN = timedelta(hours=1)


@record
class PasswordChanged:
    """The person has another password. This browser stays signed in and keeps ``kept``; all others are signed out."""

    user: User
    kept: str = field(repr=False)


@record
class EmailAsked:
    """A letter with a link goes to the new address; until it is opened nothing changes."""


async def change_password(
    facts: Facts, at: Moment, session_id: str | None, attempt: Attempt, password_hash: str
) -> Decision[PasswordChanged | Refusal]:
    """Another password; every other session and every link of the person ends."""
    proven = await _proven(facts, at, session_id, attempt)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    session, user = proven
    changed = with_password(user, password_hash)
    changes: tuple[Change, ...] = (
        Replace(changed),
        EndSessions(user.id, keep=session.digest),
        *await ended_links(facts, user.id),
        *await forgive(facts, attempt.buckets),
        audit.note(at, audit.by_user(user), "password_set", reason="changed", user_id=user.id),
    )
    return Decision(PasswordChanged(changed, remember(changed, at)), changes, "password_changed")


async def ask_for_email(
    facts: Facts, at: Moment, session_id: str | None, attempt: Attempt, email: str
) -> Decision[EmailAsked | Refusal]:
    """Another address, as soon as a link that goes there is opened.

    An address that belongs to somebody else gets the same answer and no letter: who has an account here is not told.
    ``LETTERS`` an hour, because whoever gets them has not asked for any.
    """
    proven = await _proven(facts, at, session_id, attempt)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    user = proven[1]
    folded = normal_email(email)
    if folded is None or not at.house.sends_mail:
        return refuse(INVALID_REQUEST, "email_malformed" if folded is None else "mail_not_sent")
    letters = await facts.audit(Page(LETTERS), user_id=user.id, action="email_asked")
    if len(letters) == LETTERS and at.now < (again_at := letters[-1].at + LETTERS_WITHIN):
        wait = ceil((again_at - at.now).total_seconds())
        return refuse(TOO_MANY_REQUESTS, "email_letters_enough", retry_after=wait)
    forgiven = await forgive(facts, attempt.buckets)
    if await facts.user_by_email(folded) is not None:
        return Decision(EmailAsked(), forgiven, "email_taken")
    # One address at a time: what was asked before is withdrawn.
    withdrawn = tuple(Forget(link) for link in await facts.links_of(user.id) if link.purpose == "email")
    letter = letter_with(at, draw_link(at, user, "email", folded), "email", to=folded)
    written = audit.note(at, audit.by_user(user), "email_asked", user_id=user.id)
    return Decision(EmailAsked(), (*forgiven, *withdrawn, *letter, written), "email_asked")


async def _proven(facts: Facts, at: Moment, session_id: str | None, attempt: Attempt) -> tuple[Session, User] | Refusal:
    """Who is signed in, if the attempt was theirs and the password that was verified is still the one."""
    found = await signed_in(facts, at, session_id)
    if found is None:
        return Refusal(LOGIN_REQUIRED, "login_required")
    user = found[1]
    if user.id != attempt.user_id or user.password_version != attempt.password_version:
        return Refusal(ACCESS_DENIED, "sign_in_overtaken")
    return found
