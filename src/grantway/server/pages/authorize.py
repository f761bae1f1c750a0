"""The authorization endpoint's addresses: a client's request comes in, and each visit is shown the next step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from grantway.protocol.authorize import Chosen, Opened, SendBack, allow, change_account, choose_account, deny, next_step
from grantway.protocol.authorize import open_authorization as opened_by
from grantway.protocol.decision import Refusal
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import pending_id_of
from grantway.server.pages.client_language import speak_as_asked
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.steps import answer_step, send_back
from grantway.server.pages.visit import Visit
from grantway.wire.dialects import phonecom, square, standard, sunshine
from grantway.wire.encoding import read_form
from grantway.wire.errors import INVALID_REQUEST, Malformed

PATHS = {
    "standard": "/authorize",
    "sunshine": "/oauth/authorize",
    "square": "/oauth2/authorize",
    "phonecom": "/v4/oauth/authorization",
}
BOX = "scope:"
"""Before the name of a scope: the box in which the customer leaves it checked."""
_READERS = {
    "standard": standard.read_authorization_request,
    "sunshine": sunshine.read_authorization_request,
    "square": square.read_authorization_request,
    "phonecom": phonecom.read_authorization_request,
}


def open_authorization(dialect: str) -> Callable[[Visit], Awaitable[Response]]:
    """The handler of a dialect's address for authorization requests, GET and POST (RFC 6749 §3.1)."""

    async def handler(visit: Visit) -> Response:
        message = await visit.message()
        if visit.request.method == "POST" and visit.visitor.browser is None:
            return _as_get(visit, dialect, message.body)
        request = _READERS[dialect](message)
        decision = await visit.service.settle(opened_by, request, dialect, visit.greet())
        match decision.answer:
            case Opened(pending_id):
                return visit.redirect(f"/authorize/{pending_id}", status=302)
            case Refusal() as refusal:
                raise stop(problems.REQUEST_UNUSABLE, refusal)

    return handler


def _as_get(visit: Visit, dialect: str, body: bytes) -> Response:
    """The same request by GET.

    A POST from the client's site comes without our Lax cookies. Opened right here it would need a new browser cookie,
    and that would cut the ties of every request that this browser has open; the redirect brings the cookies back.
    """
    if not body.isascii() or any(byte <= 0x20 or byte == 0x7F for byte in body):
        raise Malformed(INVALID_REQUEST, "form_malformed")
    read_form(body)
    return visit.redirect(f"{PATHS[dialect]}?{body.decode()}")


async def show_step(visit: Visit) -> Response:
    """The dispatcher: whatever is to be shown next is asked for anew at every visit."""
    pending_id = _pending_id(visit)
    if visit.visitor.browser is None:
        # No cookies: this cannot be the browser that started, or it keeps none. The sign-in page says what is needed.
        return visit.redirect(f"/sign-in?request={pending_id}")
    await speak_as_asked(visit, pending_id)
    decision = await visit.service.settle(next_step, pending_id, visit.visitor, visit.service.issuer)
    return await answer_step(visit, pending_id, decision.answer)


async def choose(visit: Visit) -> Response:
    """The customer picked an account."""
    pending_id = _pending_id(visit)
    here = f"/authorize/{pending_id}"
    account = (await visit.form(again=here)).one("account")
    if account is None:
        return visit.redirect(here)
    decision = await visit.service.settle(choose_account, pending_id, visit.visitor, account)
    return _chosen(visit, here, decision.answer)


async def change(visit: Visit) -> Response:
    """The customer wants to pick again."""
    pending_id = _pending_id(visit)
    here = f"/authorize/{pending_id}"
    await visit.form(again=here)
    decision = await visit.service.settle(change_account, pending_id, visit.visitor)
    return _chosen(visit, here, decision.answer)


async def decide(visit: Visit) -> Response:
    """Allow or Deny. Whether what was shown still holds is settled with it."""
    pending_id = _pending_id(visit)
    here = f"/authorize/{pending_id}"
    fields = await visit.form(again=here)
    issuer, shown = visit.service.issuer, fields.one("shown") or ""
    match fields.one("decision"):
        case "allow":
            chosen = tuple(name.removeprefix(BOX) for name in fields.plain if name.startswith(BOX))
            answer = (await visit.service.settle(allow, pending_id, visit.visitor, shown, issuer, chosen)).answer
        case "deny":
            answer = (await visit.service.settle(deny, pending_id, visit.visitor, issuer)).answer
        case _:
            return visit.redirect(here)
    match answer:
        case SendBack() as back:
            return send_back(visit, back)
        case Refusal() as refusal:
            nothing = refusal.reason == "nothing_chosen"
            raise stop(problems.NOTHING_CHOSEN if nothing else problems.SHOWN_DIFFERS, refusal, again=here)


def _chosen(visit: Visit, here: str, answer: Chosen | Refusal) -> Response:
    if isinstance(answer, Refusal):
        raise stop(problems.SHOWN_DIFFERS, answer, again=here)
    return visit.redirect(here)


def _pending_id(visit: Visit) -> str:
    pending_id = pending_id_of(visit.request.path_params["pending_id"])
    if pending_id is None:
        raise Stop(problems.REQUEST_GONE, reason="pending_id_missing")
    return pending_id
