"""Signing in and out."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from grantway.protocol.authorize import AskSignIn, Visitor, next_step
from grantway.protocol.decision import Refusal
from grantway.protocol.sign_in import Attempt, SignedIn, begin_sign_in, fail_sign_in, finish_sign_in, sign_out
from grantway.server.address import client_address
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import AfterSignIn
from grantway.server.pages.browsers import browser_of
from grantway.server.pages.client_language import speak_as_asked
from grantway.server.pages.hand_off import sign_in_elsewhere, signs_in_elsewhere
from grantway.server.pages.problems import stop
from grantway.server.pages.steps import answer_step
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import read_form


async def show_sign_in(visit: Visit) -> Response:
    """The form, or the way to whoever else knows our users.

    A browser that came without cookies gets the form, too; that it is the right one is looked at with the form.
    (Vendors' SDKs follow the redirects of an authorize call without cookies and count on a page at the end.)
    """
    after = AfterSignIn.of(read_form(visit.request.scope.get("query_string", b"")))
    asked = None
    if after.pending_id is not None and visit.visitor.browser is not None:
        await speak_as_asked(visit, after.pending_id)
        step = (await visit.service.settle(next_step, after.pending_id, visit.visitor, visit.service.issuer)).answer
        if not isinstance(step, AskSignIn):
            return await answer_step(visit, after.pending_id, step)
        asked = step
    elsewhere = await sign_in_elsewhere(visit, after, asked.since if asked else None)
    return elsewhere or sign_in_page(visit, after, asked)


def sign_in_page(visit: Visit, after: AfterSignIn, step: AskSignIn | None, *, failed_as: str | None = None) -> Response:
    """The form, at first or again after a failure (then with the name that was tried)."""
    visit.greet()
    values = {
        "client": step.client if step else None,
        "again": step.again if step else False,
        "after": after,
        "csrf": visit.token("sign-in"),
        "failed": failed_as is not None,
        "username": failed_as or "",
        "forgot": sends_password_links(visit),
    }
    # Where nothing else has to be asked, signing in leads straight back to the client.
    target = step.redirect_uri if step else None
    return visit.page("sign_in.html", values, status=200 if failed_as is None else 403, form_target=target)


def sends_password_links(visit: Visit) -> bool:
    """Whether somebody who forgot a password can help themselves."""
    return visit.service.house.sends_mail and not signs_in_elsewhere(visit)


async def sign_in(visit: Visit) -> Response:
    """Verify name and password, as slowly as the failures before ask for."""
    fields = await visit.fields()
    after = AfterSignIn.of(fields)
    visit.check(fields, "sign-in", again=after.address)
    asked = None
    if after.pending_id is not None:
        await speak_as_asked(visit, after.pending_id)
        # Without the session: whoever is signed in already, this form is about signing in.
        browser = Visitor(visit.visitor.browser, None)
        step = (await visit.service.settle(next_step, after.pending_id, browser, visit.service.issuer)).answer
        if not isinstance(step, AskSignIn):
            return await answer_step(visit, after.pending_id, step)
        asked = step
    username, password = fields.one("username") or "", fields.exact("password") or ""
    outcome = await _attempt(visit, username, password)
    if isinstance(outcome, Refusal):
        visit.reason = outcome.reason
        return sign_in_page(visit, after, asked, failed_as=username)
    return signed_in_response(visit, outcome, after.destination)


def signed_in_response(visit: Visit, outcome: SignedIn, destination: str) -> Response:
    """On to a page of ours, signed in."""
    response = visit.redirect(destination)
    visit.site.cookies.set_session(response, outcome.session_id)
    if outcome.kept is not None:
        visit.site.cookies.set_known(response, outcome.kept)
    return response


async def verified(visit: Visit, username: str, password: str) -> Attempt | Refusal:
    """Whether this is that person's password, as slowly as the failures before ask for. A failure counts."""
    service = visit.service
    address = client_address(visit.request, service.settings.trusted_proxies)
    kept = visit.request.cookies.get(visit.site.cookies.known)
    attempt = (await service.consult(begin_sign_in, username, address, kept)).answer
    if not isinstance(attempt, Attempt):
        raise stop(problems.TOO_MANY, attempt)
    if attempt.delay:
        await asyncio.sleep(attempt.delay)
    if not await visit.service.passwords.verify(password, attempt.password_hash):
        return (await service.settle(fail_sign_in, attempt)).answer
    return attempt


async def _attempt(visit: Visit, username: str, password: str) -> SignedIn | Refusal:
    attempt = await verified(visit, username, password)
    if isinstance(attempt, Refusal):
        return attempt
    return (await visit.service.settle(finish_sign_in, attempt, visit.visitor.session, browser_of(visit))).answer


async def leave(visit: Visit) -> Response:
    """Sign out. With a waiting request (somebody said "not you?") on to its sign-in, else to the first page."""
    fields = await visit.fields()
    after = AfterSignIn.of(fields)
    visit.check(fields, "session", again=after.destination if after.pending_id else "/")
    await visit.service.settle(sign_out, visit.visitor.session)
    elsewhere = signs_in_elsewhere(visit)
    if after.pending_id:
        # Elsewhere they may be signed in still, and would come back as the same person unless asked to sign in anew.
        response = visit.redirect(AfterSignIn(after.pending_id, again=elsewhere).address)
    else:
        response = visit.redirect("/?signed-out=here" if elsewhere else "/")
    visit.site.cookies.clear_session(response)
    return response
