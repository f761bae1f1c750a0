"""What people see and change of their own sign-in: where they are signed in, their password, their address."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol.administration.people import MIN_PASSWORD
from grantway.protocol.decision import Refusal
from grantway.protocol.ids import parse
from grantway.protocol.own_account import ask_for_email, change_password
from grantway.protocol.sessions import OwnSessions, end_own_session, end_own_sessions, sessions_of
from grantway.protocol.sign_in import Attempt
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import sign_in_address
from grantway.server.pages.links import trouble_with
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.signing_in import verified
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import Parameters, read_form
from grantway.wire.errors import LOGIN_REQUIRED, TOO_MANY_REQUESTS

HERE = "/account"


async def show_account(visit: Visit) -> Response:
    """Where the person is signed in; this browser is marked."""
    own = await _own(visit)
    if own is None:
        return visit.redirect(sign_in_address(HERE))
    done = read_form(visit.request.scope.get("query_string", b"")).one("done")
    values = {"user": own.user, "own": own, "csrf": visit.token("session"), "done": done}
    return visit.page("own_account.html", values | {"sends_mail": visit.service.house.sends_mail})


async def end_session(visit: Visit) -> Response:
    """Sign out of one browser, maybe this one."""
    await visit.form(again=HERE)
    session_id = parse("se", visit.request.path_params["session_id"])
    if session_id is None:
        raise Stop(problems.NOT_FOUND)
    answer = (await visit.service.settle(end_own_session, visit.visitor.session, session_id)).answer
    if isinstance(answer, Refusal) and answer.error is LOGIN_REQUIRED:
        return visit.redirect(sign_in_address(HERE))
    # One that is over already is what was wanted.
    return visit.redirect(f"{HERE}?done=session")


async def end_all_sessions(visit: Visit) -> Response:
    """Sign out everywhere, here too."""
    await visit.form(again=HERE)
    await visit.service.settle(end_own_sessions, visit.visitor.session)
    response = visit.redirect("/")
    visit.site.cookies.clear_session(response)
    return response


async def show_password(visit: Visit) -> Response:
    """The form for another password."""
    return await _form(visit, "own_password.html")


async def new_password(visit: Visit) -> Response:
    """Another password, once the present one is proven."""
    fields = await visit.form(again=f"{HERE}/password")
    own = await _own_with_password(visit)
    if (trouble := trouble_with(fields)) is not None:
        return _again(visit, "own_password.html", own, trouble)
    attempt = await _proof(visit, own, fields)
    if attempt is None:
        return _again(visit, "own_password.html", own, "current")
    password_hash = await visit.service.passwords.hash(fields.exact("new-password") or "")
    answer = (await visit.service.settle(change_password, visit.visitor.session, attempt, password_hash)).answer
    if isinstance(answer, Refusal):
        raise stop(problems.SHOWN_DIFFERS, answer, again=f"{HERE}/password")
    response = visit.redirect(f"{HERE}?done=password")
    visit.site.cookies.set_known(response, answer.kept)
    return response


async def show_email(visit: Visit) -> Response:
    """The form for another address."""
    if not visit.service.house.sends_mail:
        raise Stop(problems.NOT_FOUND, reason="page_unknown")
    return await _form(visit, "own_email.html")


async def new_email(visit: Visit) -> Response:
    """A letter to the new address, once the present password is proven."""
    fields = await visit.form(again=f"{HERE}/email")
    own = await _own_with_password(visit)
    attempt = await _proof(visit, own, fields)
    if attempt is None:
        return _again(visit, "own_email.html", own, "current")
    email = fields.one("email") or ""
    answer = (await visit.service.settle(ask_for_email, visit.visitor.session, attempt, email)).answer
    if isinstance(answer, Refusal):
        if answer.reason == "email_malformed":
            return _again(visit, "own_email.html", own, "email")
        if answer.error is TOO_MANY_REQUESTS:
            raise stop(problems.ENOUGH_LETTERS, answer, again=HERE)
        raise stop(problems.SHOWN_DIFFERS, answer, again=f"{HERE}/email")
    return visit.redirect(f"{HERE}?done=email-asked")


async def _own(visit: Visit) -> OwnSessions | None:
    answer = (await visit.service.consult(sessions_of, visit.visitor.session)).answer
    return None if isinstance(answer, Refusal) else answer


async def _own_with_password(visit: Visit) -> OwnSessions:
    own = await _own(visit)
    if own is None:
        raise Stop(problems.FOREIGN_FORM, again=HERE, reason="login_required")
    if own.user.password_hash is None:
        raise Stop(problems.NOT_FOUND, reason="password_elsewhere")
    return own


async def _form(visit: Visit, template: str) -> Response:
    own = await _own(visit)
    if own is None:
        return visit.redirect(sign_in_address(visit.request.url.path))
    if own.user.password_hash is None:
        raise Stop(problems.NOT_FOUND, reason="password_elsewhere")
    return _shown(visit, template, own, None)


def _again(visit: Visit, template: str, own: OwnSessions, trouble: str) -> Response:
    visit.reason = f"own_account_{trouble}"
    return _shown(visit, template, own, trouble)


def _shown(visit: Visit, template: str, own: OwnSessions, trouble: str | None) -> Response:
    values = {"user": own.user, "csrf": visit.token("session"), "trouble": trouble, "shortest": MIN_PASSWORD}
    return visit.page(template, values, status=200 if trouble is None else 422)


async def _proof(visit: Visit, own: OwnSessions, fields: Parameters) -> Attempt | None:
    """The present password, proven as at a sign-in: guessing it with a stolen session is slowed and counted, too."""
    attempt = await verified(visit, own.user.email or "", fields.exact("password") or "")
    return attempt if isinstance(attempt, Attempt) else None
