"""What is connected to the customer's accounts: seen, suspended, resumed, removed."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from grantway.protocol.connections import remove_by_user
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.ids import parse, show
from grantway.protocol.lifecycle import THEIRS, is_held_by_an_operator, resume_by_user, suspend_by_user
from grantway.protocol.model import Scope
from grantway.protocol.overview import Listed, Overview, detail, of_account, overview
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import sign_in_address
from grantway.server.pages.history import history_in_words
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.steps import icons
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import read_form
from grantway.wire.errors import LOGIN_REQUIRED, NOT_FOUND

HOME = "/connections"


async def show_connections(visit: Visit) -> Response:
    """Per account, what is connected: its state, for what, by whom, and when it was last used. Or one account, in pages."""
    query = read_form(visit.request.scope.get("query_string", b""))
    session = visit.visitor.session
    account_id = parse("ac", query.one("account") or "")
    answer: Overview | Refusal
    if account_id is None:
        answer = (await visit.service.consult(overview, session)).answer
    else:
        after = parse("cn", query.one("after") or "")
        answer = (await visit.service.consult(of_account, session, account_id, after)).answer
    if isinstance(answer, Refusal):
        return _refused(visit, answer, HOME)
    listed = [one for account in answer.accounts for one in account.connections]
    values = {
        "user": answer.user,
        "accounts": [
            {
                "account": each.account,
                "connections": [_shown(one, answer.scopes) for one in each.connections],
                "older": None
                if each.older is None
                else f"{HOME}?account={show('ac', each.account.id)}&after={show('cn', each.older)}",
            }
            for each in answer.accounts
        ],
        "further": answer.further,
        "any": bool(listed),
        "alone": account_id is not None,
        "icons": await icons(visit, (one.view.client for one in listed)),
        "csrf": visit.token("session"),
        "removed": query.one("removed"),
    }
    return visit.page("connections.html", values)


async def show_connection(visit: Visit) -> Response:
    """One connection: what it can do, what happened to it, and what would go with it."""
    here = _address(visit)
    answer = (await visit.service.consult(detail, visit.visitor.session, _connection(visit))).answer
    if isinstance(answer, Refusal):
        return _refused(visit, answer, here)
    connection, gettext = answer.listed.view.connection, visit.site.templates.catalogue(visit.language).gettext
    may = answer.membership.may_connect
    kinds = sorted({one.kind for one in answer.resources})
    values = {
        "user": answer.user,
        "entry": _shown(answer.listed, answer.scopes),
        "may_suspend": may and not any(one.reason == "customer" for one in connection.suspensions),
        "may_resume": may and any(one.reason in THEIRS for one in connection.suspensions),
        "by_operator": is_held_by_an_operator(connection),
        "whole": answer.whole,
        "webhooks": answer.webhooks,
        "resources": [(kind, sum(one.kind == kind for one in answer.resources)) for kind in kinds],
        "history": history_in_words(answer.history, gettext),
        "icons": await icons(visit, [answer.listed.view.client]),
        "csrf": visit.token("session"),
        "here": here,
        "done": read_form(visit.request.scope.get("query_string", b"")).one("done"),
    }
    return visit.page("connection.html", values)


async def remove(visit: Visit) -> Response:
    """Remove a connection. Its tokens are dead when the answer leaves."""
    await visit.form(again=HOME)
    answer = (await visit.service.settle(remove_by_user, _connection(visit), visit.visitor.session)).answer
    if isinstance(answer, Refusal):
        return _refused(visit, answer, _address(visit))
    return visit.redirect(f"{HOME}?removed={'whole' if answer.whole else 'own'}")


async def suspend(visit: Visit) -> Response:
    """Pause a connection: its tokens are good for nothing until it is resumed."""
    await visit.form(again=_address(visit))
    return _changed(visit, await visit.service.settle(suspend_by_user, _connection(visit), visit.visitor.session))


async def resume(visit: Visit) -> Response:
    """Let a connection go on where it was."""
    await visit.form(again=_address(visit))
    return _changed(visit, await visit.service.settle(resume_by_user, _connection(visit), visit.visitor.session))


def _changed(visit: Visit, decision: Decision[Any]) -> Response:
    if isinstance(decision.answer, Refusal):
        return _refused(visit, decision.answer, _address(visit))
    return visit.redirect(f"{_address(visit)}?done={decision.reason}")


def _refused(visit: Visit, refusal: Refusal, back: str) -> Response:
    if refusal.error is LOGIN_REQUIRED:
        return visit.redirect(sign_in_address(back, again=refusal.reason == "sign_in_too_old"))
    gone = refusal.error is NOT_FOUND
    raise stop(problems.NOT_CONNECTED if gone else problems.NOT_YOURS, refusal, again=HOME)


def _shown(one: Listed, catalogue: tuple[Scope, ...]) -> dict[str, Any]:
    by_name = {scope.name: scope for scope in catalogue}
    return {
        "view": one.view,
        "state": one.state,
        "used": one.used,
        "scopes": tuple(by_name.get(name) or Scope(name, {}) for name in one.view.connection.scope),
    }


def _connection(visit: Visit) -> bytes:
    connection_id = parse("cn", visit.request.path_params["connection_id"])
    if connection_id is None:
        raise Stop(problems.NOT_FOUND)
    return connection_id


def _address(visit: Visit) -> str:
    return f"{HOME}/{show('cn', _connection(visit))}"


PAGES = [
    ("GET", HOME, show_connections),
    ("GET", HOME + "/{connection_id}", show_connection),
    ("POST", HOME + "/{connection_id}/remove", remove),
    ("POST", HOME + "/{connection_id}/suspend", suspend),
    ("POST", HOME + "/{connection_id}/resume", resume),
]
