"""Hand-off: platforms that have users already say who somebody is; we keep no password of theirs.

Three steps. ``send_to_platform``: the browser goes to the platform's own sign-in with the id of a request.
``complete``: the platform says by an authenticated call who signed in there, and learns an address with a second id.
``come_back``: the browser returns there, and only the browser that left is signed in, once.

The second id is known to the platform alone and goes to whoever sits at the platform's sign-in. Without it, somebody
could leave with a browser of theirs, let another person's browser sign in at the platform with that request, and find
themselves signed in as that person. For the same reason the way back needs the cookie with which the browser left.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import field, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from grantway.protocol.administration.answers import Rejected, reject
from grantway.protocol.decision import Add, Change, Decision, Forget, Refusal, Replace, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.identity import Identity, check_identity, settle_identity
from grantway.protocol.keys import same
from grantway.protocol.model import SignInRequest, User
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import RECENT, draw_session, end_session
from grantway.protocol.sign_in import Browser, SignedIn, opened, read_in
from grantway.protocol.steps import Visitor
from grantway.protocol.vault import Unsealable
from grantway.wire.errors import ACCESS_DENIED, INVALID_REQUEST
from grantway.wire.record import record

LIFETIME = timedelta(minutes=10)
"""From leaving to coming back."""
RETURN_PATH = "/sign-in/return"


@record
class Goal:
    """Where a browser goes on after signing in (a path of ours), and what sign-in that takes.

    ``since``: one before that is not enough. ``recently``: it must not be long ago.
    """

    destination: str
    since: datetime | None = None
    recently: bool = False

    def needed_since(self, at: Moment) -> datetime | None:
        """From when on a sign-in is good enough; ``None`` when any is."""
        recent = at.now - RECENT if self.recently else None
        return max(filter(None, (self.since, recent)), default=None)


@record
class Sent:
    """The browser goes to this address of the platform's."""

    url: str = field(repr=False)


@record
class Completed:
    """Who it is, is noted. The platform sends the browser to ``return_to``."""

    user: User
    return_to: str = field(repr=False)


@record
class CameBack:
    """The browser is signed in and goes on to ``destination``, a path of ours."""

    signed_in: SignedIn
    destination: str


@record
class SignInTooOld:
    """Signed in at the platform, but longer ago than what ``destination`` asks for."""

    destination: str


async def send_to_platform(facts: Facts, at: Moment, browser: str, login_url: str, goal: Goal) -> Decision[Sent]:
    """A browser (its cookie, raw) that has to sign in leaves for the platform.

    Where a sign-in of some time ago is not enough, the platform is asked by ``prompt=login`` for another; what counts
    is the time that it tells.
    """
    request_id = _draw_id(at)
    since = goal.needed_since(at)
    request = _request(at, request_id, digest(browser), at.now, replace(goal, since=since, recently=False))
    more = {"request": request_id} | ({} if since is None else {"prompt": "login"})
    return Decision(Sent(with_query(login_url, more)), (Add(request),), "handed_off")


async def complete(facts: Facts, at: Moment, request_id: str, identity: Identity) -> Decision[Completed | Rejected]:
    """The platform says who signed in. Users, accounts and memberships become as it says."""
    request = await facts.sign_in_request(digest(request_id))
    if request is None or at.now >= request.expires_at or request.user_id is not None:
        return reject("There is no such sign-in request, or it is over.", "sign_in_request_unknown")
    if problem := check_identity(identity, at.now):
        return reject(problem, "identity_malformed")
    settled = await settle_identity(facts, at, identity)
    if isinstance(settled, Rejected):
        return Decision(settled, reason=settled.reason)
    goal = _goal_of(at, request)
    if goal is None:
        return reject("There is no such sign-in request, or it is over.", "sign_in_request_unsealable")
    return_id = _draw_id(at)
    returning = replace(
        _request(at, return_id, request.browser_digest, request.created_at, goal),
        user_id=settled.user.id,
        auth_time=identity.auth_time,
    )
    answer = Completed(settled.user, with_query(at.house.issuer + RETURN_PATH, {"request": return_id}))
    # The first id is spent: what was said about it is said once.
    return Decision(answer, (*settled.changes, Forget(request), Add(returning)), "sign_in_completed")


async def come_back(
    facts: Facts, at: Moment, request_id: str, visitor: Visitor, browser: Browser
) -> Decision[CameBack | SignInTooOld | Refusal]:
    """The browser is back from the platform: the one that left, once."""
    request = await facts.sign_in_request(digest(request_id))
    if request is None or at.now >= request.expires_at or request.user_id is None or request.auth_time is None:
        return refuse(INVALID_REQUEST, "sign_in_request_unknown")
    if visitor.browser is None or not same(digest(visitor.browser), request.browser_digest):
        return refuse(INVALID_REQUEST, "sign_in_request_of_another_browser")
    goal = _goal_of(at, request)
    user = await facts.user(request.user_id)
    if goal is None or user is None or user.disabled_at is not None:
        return refuse(ACCESS_DENIED, "user_disabled" if goal else "sign_in_request_unsealable", Forget(request))
    return await _sign_in(facts, at, user, request.auth_time, goal, visitor, browser, Forget(request))


async def sign_in_at_once(
    facts: Facts,
    at: Moment,
    identity: Identity,
    visitor: Visitor,
    browser: Browser,
    goal: Goal,
) -> Decision[CameBack | SignInTooOld | Rejected | Refusal]:
    """The application that mounts this one says who it is, with the request itself: no browser has to leave."""
    if problem := check_identity(identity, at.now):
        return reject(problem, "identity_malformed")
    settled = await settle_identity(facts, at, identity)
    if isinstance(settled, Rejected):
        return Decision(settled, reason=settled.reason)
    if settled.user.disabled_at is not None:
        return refuse(ACCESS_DENIED, "user_disabled")
    return await _sign_in(facts, at, settled.user, identity.auth_time, goal, visitor, browser, *settled.changes)


def with_query(url: str, more: dict[str, str]) -> str:
    """The address with these parameters beside its own."""
    parts = urlsplit(url)
    own = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in more]
    return urlunsplit(parts._replace(query=urlencode([*own, *more.items()])))


async def _sign_in(
    facts: Facts,
    at: Moment,
    user: User,
    auth_time: datetime,
    goal: Goal,
    visitor: Visitor,
    browser: Browser,
    *changes: Change,
) -> Decision[CameBack | SignInTooOld]:
    # Platforms keep whole seconds; one that is told counts to its end, so that it is not before what led to it.
    told = auth_time if auth_time.microsecond else auth_time + timedelta(seconds=1)
    since = min(told, at.now)
    needed = goal.needed_since(at)
    if needed is not None and since < needed:
        return Decision(SignInTooOld(goal.destination), changes, "hand_off_sign_in_too_old")
    reader = read_in(user, browser.language)
    drawn = draw_session(at, reader, since, browser.label)
    signed_in: tuple[Change, ...] = (
        *changes,
        *(() if reader is user else (Replace(reader),)),
        *await end_session(facts, visitor.session),
        *opened(at, drawn, reader),
    )
    return Decision(CameBack(SignedIn(reader, drawn.session_id), goal.destination), signed_in, "signed_in")


def _draw_id(at: Moment) -> str:
    return urlsafe_b64encode(at.draw(32)).rstrip(b"=").decode()


def _request(at: Moment, request_id: str, browser_digest: bytes, created_at: datetime, goal: Goal) -> SignInRequest:
    key = digest(request_id)
    told = {"to": goal.destination, "since": None if goal.since is None else goal.since.isoformat()}
    sealed = at.vault.seal(json.dumps(told).encode(), key)
    return SignInRequest(key, browser_digest, sealed, at.vault.current, created_at, created_at + LIFETIME)


def _goal_of(at: Moment, request: SignInRequest) -> Goal | None:
    try:
        told = json.loads(at.vault.open(request.key_id, request.destination_sealed, request.digest))
    except Unsealable:
        return None
    return Goal(told["to"], None if told["since"] is None else datetime.fromisoformat(told["since"]))
