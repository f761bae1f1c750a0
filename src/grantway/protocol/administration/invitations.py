"""People who are asked by letter to choose a password."""

from __future__ import annotations

from typing import Literal

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.people import create_user, normal_email
from grantway.protocol.decision import Decision, Forget
from grantway.protocol.facts import Facts
from grantway.protocol.model import User
from grantway.protocol.moment import Moment
from grantway.protocol.one_time_links import draw_link, letter_with


async def invite_user(
    facts: Facts, at: Moment, email: str, name: str, *, actor: str = OPERATOR
) -> Decision[User | Rejected]:
    """A new user without a password, and the letter with the link to choose one.

    Somebody who was invited and has no password yet is invited anew; the links before do nothing any more.
    """
    if not at.house.sends_mail:
        return reject("This installation sends no mail: set GRANTWAY_SMTP, or give a password.", "mail_not_sent")
    known = await facts.user_by_email(normal_email(email) or "")
    if known is not None and known.password_hash is None and known.disabled_at is None:
        before = tuple(Forget(link) for link in await facts.links_of(known.id) if link.purpose == "invitation")
        letter = letter_with(at, draw_link(at, known, "invitation"), "invitation")
        return Decision(known, (*before, *letter, recorded(at, "user_invited", actor=actor, user_id=known.id)))
    created = await create_user(facts, at, email, name)
    user = created.answer
    if isinstance(user, Rejected):
        return Decision(user, reason=user.reason)
    letter = letter_with(at, draw_link(at, user, "invitation"), "invitation")
    return Decision(user, (*created.changes, *letter, recorded(at, "user_invited", actor=actor, user_id=user.id)))


async def send_password_link(facts: Facts, at: Moment, user_id: bytes) -> Decision[User | Rejected]:
    """The letter with the link to choose a password, for somebody who cannot help themselves; links before end."""
    if not at.house.sends_mail:
        return reject("This installation sends no mail: set GRANTWAY_SMTP, or give a password.", "mail_not_sent")
    user = await facts.user(user_id)
    if user is None:
        return reject("There is no such user.", "user_unknown")
    if user.disabled_at is not None:
        return reject("This user is disabled.", "user_disabled")
    if user.email is None:
        return reject("This user has no e-mail address.", "email_missing")
    purpose: Literal["invitation", "password"] = "invitation" if user.password_hash is None else "password"
    before = tuple(Forget(link) for link in await facts.links_of(user.id) if link.purpose == purpose)
    letter = letter_with(at, draw_link(at, user, purpose), purpose)
    entry = recorded(at, "password_link_sent", user_id=user.id)
    return Decision(user, (*before, *letter, entry), "password_link_sent")
