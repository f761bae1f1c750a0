"""One-time links: whoever opens one may do one thing, once, until it expires.

Looking at a link spends nothing (scanners of mail open every link); what is sent from its page does. Only the digest of
its secret is stored. In the outbox the secret lies sealed until the letter is sent.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from grantway.protocol import audit
from grantway.protocol.decision import Add, Change, Decision, EndSessions, Forget, Refusal, Replace, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.known_browser import remember
from grantway.protocol.mail import Letter, mail_notice
from grantway.protocol.model import OneTimeLink, User
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import draw_session, end_session
from grantway.protocol.sign_in import LONGEST_EMAIL, Browser, SignedIn, fold, opened, read_in
from grantway.protocol.throttle import buckets_of, count_failure, pace
from grantway.protocol.vault import Unsealable, Vault
from grantway.wire.errors import ACCESS_DENIED, NOT_FOUND, TOO_MANY_REQUESTS
from grantway.wire.record import record
from grantway.wire.words import read_word, write_word

Purpose = Literal["invitation", "password", "email", "operator"]

LIFETIMES: Mapping[Purpose, timedelta] = {
    "invitation": timedelta(days=7),
    "password": timedelta(hours=1),
    "email": timedelta(days=1),
    "operator": timedelta(minutes=15),
}
LIVE_LINKS = 3
"""So many links for a new password may be on their way to one person; who asks for more is not written to."""
SETTING_PASSWORD = frozenset({"invitation", "password", "operator"})

_ABOUT = b"grantway letter"


@record
class NewLink:
    """A link just drawn, with its secret (raw; only the digest is stored)."""

    link: OneTimeLink
    secret: str = field(repr=False)


@record
class Asked:
    """It was asked for. Whether anybody was written to is not said."""


@record
class Opened:
    """What a link is for, and whose it is."""

    link: OneTimeLink
    user: User


@record
class EmailChanged:
    """The person signs in with another address from now on."""

    user: User


def draw_link(at: Moment, user: User, purpose: Purpose, email: str | None = None) -> NewLink:
    """A new link. ``email`` is the address that an ``email`` link proves."""
    secret = urlsafe_b64encode(at.draw(32)).rstrip(b"=").decode()
    return NewLink(OneTimeLink(digest(secret), purpose, user.id, at.now, at.now + LIFETIMES[purpose], email), secret)


def letter_with(
    at: Moment, drawn: NewLink, letter: Letter, *, to: str | None = None, **told: Any
) -> tuple[Change, ...]:
    """The link and the letter that brings it; ``to`` an address that is not the person's (yet)."""
    told |= {"link": seal(at, drawn.secret), "until": drawn.link.expires_at.isoformat()}
    if to is not None:
        told["to"] = seal(at, to)
    return Add(drawn.link), Add(mail_notice(at, drawn.link.user_id, letter, **told))


def seal(at: Moment, text: str) -> str:
    """A text that only the sender of a letter is to read."""
    return f"{at.vault.current}.{write_word(at.vault.seal(text.encode(), _ABOUT))}"


def unseal(vault: Vault, sealed: str) -> str:
    """What was sealed for a letter. Raises ``Unsealable``."""
    key_id, _, word = sealed.rpartition(".")
    value = read_word(word)
    if value is None:
        raise Unsealable(key_id)
    return vault.open(key_id, value, _ABOUT).decode()


async def live_link(facts: Facts, now: datetime, secret: str) -> Opened | None:
    """The link of this secret, as long as it is good for something."""
    found = await facts.link(digest(secret))
    if found is None or now >= found[0].expires_at or found[1].disabled_at is not None:
        return None
    return Opened(*found)


async def look_at_link(facts: Facts, at: Moment, secret: str) -> Decision[Opened | Refusal]:
    """What the page of a link shows. Spends nothing."""
    found = await live_link(facts, at.now, secret)
    return refuse(NOT_FOUND, "link_unknown") if found is None else Decision(found, reason="link_looked_at")


async def ask_for_password_link(facts: Facts, at: Moment, email: str, address: str) -> Decision[Asked | Refusal]:
    """Somebody forgot a password. Known and unknown addresses get one answer; asking counts as a failed sign-in does."""
    folded = fold(email)
    buckets = buckets_of(folded, address)
    if (retry_after := (await pace(facts, at.now, buckets)).retry_after) is not None:
        return refuse(TOO_MANY_REQUESTS, "password_link_address_limited", retry_after=retry_after)
    counted = await count_failure(facts, at.now, buckets)
    user = await facts.user_by_email(folded) if 0 < len(folded) <= LONGEST_EMAIL else None
    if user is None or user.disabled_at is not None or not at.house.sends_mail:
        return Decision(Asked(), counted, "password_link_for_nobody")
    live = [link for link in await facts.links_of(user.id) if link.purpose == "password" and at.now < link.expires_at]
    if len(live) >= LIVE_LINKS:
        return Decision(Asked(), counted, "password_links_enough")
    written = audit.note(at, "system", "password_link_sent", user_id=user.id)
    letter = letter_with(at, draw_link(at, user, "password"), "password")
    return Decision(Asked(), (*counted, *letter, written), "password_link_sent")


async def set_password_by_link(
    facts: Facts,
    at: Moment,
    secret: str,
    password_hash: str,
    previous_session: str | None = None,
    browser: Browser = Browser(),  # noqa: B008 - frozen
) -> Decision[SignedIn | Refusal]:
    """The link is spent on a password and a session. All other sessions and links of the person end."""
    found = await live_link(facts, at.now, secret)
    if found is None or found.link.purpose not in SETTING_PASSWORD:
        return refuse(NOT_FOUND, "link_unknown")
    user = with_password(read_in(found.user, browser.language), password_hash, over=found.user)
    drawn = draw_session(at, user, at.now, browser.label)
    changes: tuple[Change, ...] = (
        Replace(user),
        *await end_session(facts, previous_session),  # maybe somebody else's
        EndSessions(user.id),
        *await ended_links(facts, user.id),
        *opened(at, drawn, user),
        audit.note(at, audit.by_user(user), "password_set", reason=found.link.purpose, user_id=user.id),
    )
    return Decision(SignedIn(user, drawn.session_id, remember(user, at)), changes, "password_set")


async def change_email_by_link(facts: Facts, at: Moment, secret: str) -> Decision[EmailChanged | Refusal]:
    """The link is spent on the new address, which has now been proven. The old one is told."""
    found = await live_link(facts, at.now, secret)
    if found is None or found.link.purpose != "email" or found.link.email is None:
        return refuse(NOT_FOUND, "link_unknown")
    user, email = found.user, found.link.email
    holder = await facts.user_by_email(email)
    if holder is not None and holder.id != user.id:
        return refuse(ACCESS_DENIED, "email_taken", Forget(found.link))
    changed = replace(user, email=email, version=user.version + 1)
    told: tuple[Change, ...] = ()
    if user.email is not None and user.email != email and at.house.sends_mail:
        told = (Add(mail_notice(at, user.id, "email_changed", to=seal(at, user.email))),)
    changes: tuple[Change, ...] = (
        Replace(changed),
        # A link for a new password that went to the old address must not outlive it.
        *await ended_links(facts, user.id),
        *told,
        audit.note(at, audit.by_user(user), "email_changed", user_id=user.id),
    )
    return Decision(EmailChanged(changed), changes, "email_changed")


def with_password(user: User, password_hash: str, *, over: User | None = None) -> User:
    """The person with another password; ``over`` is what is stored of them, where ``user`` is changed already."""
    stored = over or user
    return replace(
        user,
        password_hash=password_hash,
        password_version=stored.password_version + 1,
        version=stored.version + 1,
    )


async def ended_links(facts: Facts, user_id: bytes) -> tuple[Change, ...]:
    """What ends all links of a person."""
    return tuple(Forget(link) for link in await facts.links_of(user_id))
