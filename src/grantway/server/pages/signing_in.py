"""Signing in and out. ``request`` is the id of a waiting authorization request and never an address."""

from __future__ import annotations

import asyncio
import re

from starlette.responses import Response

from grantway.protocol.authorize import AskSignIn, Visitor, next_step
from grantway.protocol.decision import Refusal
from grantway.protocol.sign_in import Attempt, SignedIn, begin_sign_in, fail_sign_in, finish_sign_in, sign_out
from grantway.server.pages import problems
from grantway.server.pages.address import client_address
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.steps import answer_step
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import read_form

_PENDING_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def pending_id_of(text: str | None) -> str | None:
    """The id, when it is one by its looks."""
    if text is None:
        return None
    if not _PENDING_ID.fullmatch(text):
        raise Stop(problems.REQUEST_GONE, reason="pending_id_malformed")
    return text


def address_of_sign_in(pending_id: str | None) -> str:
    return f"/sign-in?request={pending_id}" if pending_id else "/sign-in"


async def show_sign_in(visit: Visit) -> Response:
    """The form. A browser that came without cookies gets it, too; that it is the right one is looked at with the form.

    (Vendors' SDKs follow the redirects of an authorize call without cookies and count on a page at the end.)
    """
    query = read_form(visit.request.scope.get("query_string", b""))
    pending_id = pending_id_of(query.one("request"))
    asked = None
    if pending_id is not None and visit.visitor.browser is not None:
        step = (await visit.service.settle(next_step, pending_id, visit.visitor, visit.service.issuer)).answer
        if not isinstance(step, AskSignIn):
            return await answer_step(visit, pending_id, step)
        asked = step
    return sign_in_page(visit, pending_id, asked, recently=query.one("again") is not None)


def sign_in_page(
    visit: Visit,
    pending_id: str | None,
    step: AskSignIn | None,
    *,
    failed_as: str | None = None,
    recently: bool = False,
) -> Response:
    """The form, at first or again after a failure (then with the name that was tried).

    ``recently``: what the person wants to do asks for a sign-in that is not long ago.
    """
    visit.greet()
    values = {
        "client": step.client if step else None,
        "again": step.again if step else False,
        "recently": recently,
        "pending_id": pending_id,
        "csrf": visit.token("sign-in"),
        "failed": failed_as is not None,
        "username": failed_as or "",
    }
    # Where nothing else has to be asked, signing in leads straight back to the client.
    target = step.redirect_uri if step else None
    return visit.page("sign_in.html", values, status=200 if failed_as is None else 403, form_target=target)


async def sign_in(visit: Visit) -> Response:
    """Verify name and password, as slowly as the failures before ask for."""
    fields = await visit.fields()
    pending_id = pending_id_of(fields.one("request"))
    visit.check(fields, "sign-in", again=address_of_sign_in(pending_id))
    asked = None
    if pending_id is not None:
        # Without the session: whoever is signed in already, this form is about signing in.
        browser = Visitor(visit.visitor.browser, None)
        step = (await visit.service.settle(next_step, pending_id, browser, visit.service.issuer)).answer
        if not isinstance(step, AskSignIn):
            return await answer_step(visit, pending_id, step)
        asked = step
    username, password = fields.one("username") or "", fields.exact("password") or ""
    outcome = await _attempt(visit, username, password)
    if isinstance(outcome, Refusal):
        visit.reason = outcome.reason
        return sign_in_page(visit, pending_id, asked, failed_as=username)
    response = visit.redirect(f"/authorize/{pending_id}" if pending_id else "/connections")
    visit.site.cookies.set_session(response, outcome.session_id)
    visit.site.cookies.set_known(response, outcome.kept)
    return response


async def _attempt(visit: Visit, username: str, password: str) -> SignedIn | Refusal:
    service, visitor = visit.service, visit.visitor
    address = client_address(visit.request, service.settings.trusted_proxies)
    kept = visit.request.cookies.get(visit.site.cookies.known)
    attempt = (await service.consult(begin_sign_in, username, address, kept)).answer
    if not isinstance(attempt, Attempt):
        raise stop(problems.TOO_MANY, attempt)
    if attempt.delay:
        await asyncio.sleep(attempt.delay)
    if not await visit.site.passwords.verify(password, attempt.password_hash):
        return (await service.settle(fail_sign_in, attempt)).answer
    return (await service.settle(finish_sign_in, attempt, visitor.session)).answer


async def leave(visit: Visit) -> Response:
    """Sign out. With a waiting request (somebody said "not you?") on to its sign-in, else to the first page."""
    fields = await visit.fields()
    pending_id = pending_id_of(fields.one("request"))
    visit.check(fields, "session", again=f"/authorize/{pending_id}" if pending_id else "/")
    await visit.service.settle(sign_out, visit.visitor.session)
    response = visit.redirect(address_of_sign_in(pending_id) if pending_id else "/")
    visit.site.cookies.clear_session(response)
    return response
