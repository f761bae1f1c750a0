"""Signing in elsewhere: at the platform's own sign-in, or with the application that mounts this one."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.hand_off import CameBack, Goal, Sent, SignInTooOld, come_back, send_to_platform, sign_in_at_once
from grantway.protocol.identity import Identity
from grantway.protocol.moment import Moment
from grantway.server.hand_off import SINCE
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import AfterSignIn
from grantway.server.pages.browsers import browser_of
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import read_form


async def sign_in_elsewhere(visit: Visit, after: AfterSignIn, since: datetime | None) -> Response | None:
    """The browser's way to whoever knows our users; ``None`` where we know them ourselves.

    Operators are always ours: what they may do here is nothing that a platform can hand out by naming somebody.
    """
    if after.is_for_operators:
        return None
    goal = Goal(after.destination, since, after.again)
    if visit.site.sign_in is not None:
        said = await _ask(visit, goal)
        if isinstance(said, Identity):
            visitor = visit.greet()
            answer = (await visit.service.settle(sign_in_at_once, said, visitor, browser_of(visit), goal)).answer
            return _signed_in(visit, answer)
        if said is not None:
            return visit.send_away(said)
    if visit.service.settings.login_url is None:
        return None
    browser = visit.greet().browser or ""
    sent: Sent = (await visit.service.settle(send_to_platform, browser, visit.service.settings.login_url, goal)).answer
    return visit.send_away(sent.url)


async def come_back_from_platform(visit: Visit) -> Response:
    """The browser is back from the platform's sign-in."""
    request_id = read_form(visit.request.scope.get("query_string", b"")).one("request") or ""
    answer = (await visit.service.settle(come_back, request_id, visit.visitor, browser_of(visit))).answer
    return _signed_in(visit, answer)


def signs_in_elsewhere(visit: Visit) -> bool:
    """Whether people have another sign-in than ours, of which ours cannot sign them out."""
    return visit.site.sign_in is not None or visit.service.settings.login_url is not None


async def _ask(visit: Visit, goal: Goal) -> Identity | str | None:
    hook = visit.site.sign_in
    if hook is None:
        return None
    since = (await visit.service.consult(_needed_since, goal)).answer
    return await hook({**visit.request.scope, SINCE: since})


async def _needed_since(facts: Facts, at: Moment, goal: Goal) -> Decision[datetime | None]:
    return Decision(goal.needed_since(at))


def _signed_in(visit: Visit, answer: CameBack | SignInTooOld | Rejected | Refusal) -> Response:
    match answer:
        case CameBack(signed_in, destination):
            visit.reason = "signed_in"
            response = visit.redirect(destination)
            visit.site.cookies.set_session(response, signed_in.session_id)
            return response
        case SignInTooOld(destination):
            raise Stop(problems.SIGN_IN_TOO_OLD, again=destination, reason="hand_off_sign_in_too_old")
        case Rejected(_, reason):
            raise Stop(problems.FAILED, reason=reason)  # the hook's fault
        case Refusal(reason="user_disabled"):
            raise stop(problems.NO_ENTRY, answer)
        case _:
            raise stop(problems.SIGN_IN_GONE, answer)
