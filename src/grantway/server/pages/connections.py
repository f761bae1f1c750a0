"""What is connected to the customer's accounts, and its removal."""

from __future__ import annotations

from itertools import groupby

from starlette.responses import Response

from grantway.protocol.connections import connections_of, remove_by_user
from grantway.protocol.decision import Refusal
from grantway.protocol.ids import parse
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import sign_in_address
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.steps import icons, scopes_of
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import read_form
from grantway.wire.errors import LOGIN_REQUIRED, NOT_FOUND


async def show_connections(visit: Visit) -> Response:
    """Per account, what is connected: since when, by whom, for what, and when it was last used."""
    if visit.visitor.session is None:
        return visit.redirect("/sign-in")
    answer = (await visit.service.consult(connections_of, visit.visitor.session)).answer
    if isinstance(answer, Refusal):
        return visit.redirect("/sign-in")
    user, connections = answer
    catalogue = {
        scope.name: scope for scope in await scopes_of(visit, {n for s in connections for n in s.connection.scope})
    }
    groups = [
        {
            "account": account,
            "connections": [
                {
                    "seen": seen,
                    "scopes": tuple(catalogue[name] for name in seen.connection.scope),
                }
                for seen in group
            ],
        }
        for account, group in groupby(connections, key=lambda seen: seen.account)
    ]
    values = {
        "user": user,
        "groups": groups,
        "icons": await icons(visit, (seen.client for seen in connections)),
        "csrf": visit.token("session"),
        "removed": read_form(visit.request.scope.get("query_string", b"")).one("removed"),
    }
    return visit.page("connections.html", values)


async def remove(visit: Visit) -> Response:
    """Remove a connection. Its tokens are dead when the answer leaves."""
    await visit.form(again="/connections")
    connection_id = parse("cn", visit.request.path_params["connection_id"])
    if connection_id is None:
        raise Stop(problems.NOT_FOUND)
    answer = (await visit.service.settle(remove_by_user, connection_id, visit.visitor.session)).answer
    if isinstance(answer, Refusal):
        if answer.error is LOGIN_REQUIRED:
            return visit.redirect(sign_in_address("/connections", again=answer.reason == "sign_in_too_old"))
        gone = answer.error is NOT_FOUND
        raise stop(problems.NOT_CONNECTED if gone else problems.NOT_YOURS, answer, again="/connections")
    return visit.redirect(f"/connections?removed={'whole' if answer.whole else 'own'}")
