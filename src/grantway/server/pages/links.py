"""One-time links from letters, and the page that asks for one. Opening a link shows a form; sending it spends the link."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from grantway.protocol.administration.people import MIN_PASSWORD, check_password
from grantway.protocol.decision import Refusal
from grantway.protocol.one_time_links import (
    SETTING_PASSWORD,
    Asked,
    Opened,
    ask_for_password_link,
    change_email_by_link,
    look_at_link,
    set_password_by_link,
)
from grantway.server.address import client_address
from grantway.server.pages import problems
from grantway.server.pages.browsers import browser_of
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.signing_in import sends_password_links, signed_in_response
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import Parameters
from grantway.wire.errors import NOT_FOUND

ANSWERS_AFTER = 0.5
"""Seconds that asking for a link takes, whether somebody is written to or not."""


async def show_forgot(visit: Visit) -> Response:
    """The form for people who forgot their password."""
    if not sends_password_links(visit):
        raise Stop(problems.NOT_FOUND, reason="page_unknown")
    visit.greet()
    return visit.page("forgot.html", {"csrf": visit.token("sign-in"), "asked": False})


async def ask_for_link(visit: Visit) -> Response:
    """One answer for every address, after one time."""
    if not sends_password_links(visit):
        raise Stop(problems.NOT_FOUND, reason="page_unknown")
    fields = await visit.fields()
    visit.check(fields, "sign-in", again="/forgot")
    address = client_address(visit.request, visit.service.settings.trusted_proxies)
    asking = visit.service.settle(ask_for_password_link, fields.one("username") or "", address)
    decision, _ = await asyncio.gather(asking, asyncio.sleep(ANSWERS_AFTER))
    match decision.answer:
        case Asked():
            visit.reason = decision.reason
            return visit.page("forgot.html", {"csrf": visit.token("sign-in"), "asked": True})
        case Refusal() as refusal:
            raise stop(problems.TOO_MANY, refusal)


async def show_link(visit: Visit) -> Response:
    """What the link is for. Scanners of mail come this far."""
    opened = await _opened(visit)
    visit.greet()
    return _link_page(visit, opened, None)


async def use_link(visit: Visit) -> Response:
    """The form of a link is sent."""
    fields = await visit.fields()
    visit.check(fields, "sign-in", again=visit.request.url.path)
    opened = await _opened(visit)
    if opened.link.purpose in SETTING_PASSWORD:
        return await _set_password(visit, fields, opened)
    answer = (await visit.service.settle(change_email_by_link, _secret(visit))).answer
    if isinstance(answer, Refusal):
        raise stop(problems.LINK_GONE if answer.error is NOT_FOUND else problems.EMAIL_TAKEN, answer)
    return visit.redirect("/account?done=email")


def trouble_with(fields: Parameters) -> str | None:
    """What is wrong with a new password that was typed twice: a word for the template, or ``None``."""
    password = fields.exact("new-password") or ""
    if check_password(password) is not None:
        return "length"
    return None if password == fields.exact("repeated") else "repeated"


async def _set_password(visit: Visit, fields: Parameters, opened: Opened) -> Response:
    if (trouble := trouble_with(fields)) is not None:
        return _link_page(visit, opened, trouble)
    password_hash = await visit.service.passwords.hash(fields.exact("new-password") or "")
    answer = (
        await visit.service.settle(
            set_password_by_link, _secret(visit), password_hash, visit.visitor.session, browser_of(visit)
        )
    ).answer
    if isinstance(answer, Refusal):
        raise stop(problems.LINK_GONE, answer)
    return signed_in_response(visit, answer, "/admin" if opened.link.purpose == "operator" else "/connections")


async def _opened(visit: Visit) -> Opened:
    answer = (await visit.service.consult(look_at_link, _secret(visit))).answer
    if isinstance(answer, Refusal):
        raise stop(problems.LINK_GONE, answer)
    return answer


def _link_page(visit: Visit, opened: Opened, trouble: str | None) -> Response:
    values = {
        "purpose": opened.link.purpose,
        "new_email": opened.link.email,
        "user": opened.user,
        "secret": _secret(visit),
        "csrf": visit.token("sign-in"),
        "trouble": trouble,
        "shortest": MIN_PASSWORD,
    }
    return visit.page("link.html", values, status=200 if trouble is None else 422)


def _secret(visit: Visit) -> str:
    secret: str = visit.request.path_params["secret"]
    return secret
