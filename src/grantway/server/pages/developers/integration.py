"""One integration: what it is, who looks after it, how it is approved, and its end."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol import portal
from grantway.protocol.administration.aftermath import remove_connections
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Refusal
from grantway.protocol.ids import parse
from grantway.protocol.portal_log import connected
from grantway.server.pages import problems
from grantway.server.pages.authorize import PATHS
from grantway.server.pages.developers.common import HOME, client_id_of, integration_page, path_of, refused
from grantway.server.pages.problems import Stop
from grantway.server.pages.visit import Visit

_AT_ONCE = 5
"""Commits of a hundred connections that the click waits for; the keeper goes on with the rest."""


async def show_integration(visit: Visit) -> Response:
    """What it is, as an operator and customers see it, and what it needs to know of us."""
    return await _show(visit)


async def _show(visit: Visit, problem: str | None = None) -> Response:
    client_id = client_id_of(visit)
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, path_of(client_id))
    client = found.at_work.client
    catalogue = {scope.name: scope for scope in found.scopes}
    values = {
        "developers": found.developers,
        "scopes": tuple(catalogue[name] for name in client.scopes if name in catalogue),
        "last_word": found.last_word,
        "account": found.account,
        "refusals": len(found.refused),
        "authorize_address": visit.service.issuer + PATHS[client.policy.dialect],
        "problem": problem,
    }
    return await integration_page(visit, "integration.html", found.at_work, values, status=422 if problem else 200)


async def submit(visit: Visit) -> Response:
    """Ask for approval."""
    client_id = client_id_of(visit)
    here = path_of(client_id)
    await visit.form(again=here)
    answer = (await visit.service.settle(portal.ask_approval, visit.visitor.session, client_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _show(visit, answer.sentence)
    return visit.redirect(f"{here}?done=submitted")


async def add_developer(visit: Visit) -> Response:
    """Let a colleague look after it."""
    client_id = client_id_of(visit)
    here = path_of(client_id)
    email = (await visit.form(again=here)).one("email") or ""
    answer = (await visit.service.settle(portal.add_developer, visit.visitor.session, client_id, email)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _show(visit, answer.sentence)
    return visit.redirect(f"{here}?done=developer")


async def remove_developer(visit: Visit) -> Response:
    """Let somebody look after it no more."""
    client_id = client_id_of(visit)
    here = path_of(client_id)
    user_id = parse("us", (await visit.form(again=here)).one("developer") or "")
    if user_id is None:
        raise Stop(problems.UNREADABLE, again=here, reason="developer_malformed")
    answer = (await visit.service.settle(portal.remove_developer, visit.visitor.session, client_id, user_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _show(visit, answer.sentence)
    return visit.redirect(f"{here}?done=developer")


async def show_deletion(visit: Visit) -> Response:
    """What would go with it."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "delete")
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id, recently=True)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, here)
    listed = (await visit.service.consult(connected, visit.visitor.session, client_id, None)).answer
    if isinstance(listed, Refusal):
        return refused(visit, listed, here)
    values = {"connections": len(listed.connections), "more": listed.older is not None}
    return await integration_page(visit, "integration_delete.html", found.at_work, values)


async def delete(visit: Visit) -> Response:
    """It is over. Its tokens are dead when the answer leaves; its connections are removed right after."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "delete")
    await visit.form(again=here)
    answer = (await visit.service.settle(portal.delete, visit.visitor.session, client_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        raise Stop(problems.NOT_YOUR_INTEGRATION, again=HOME, reason=answer.reason)
    for _ in range(_AT_ONCE):
        if not (await visit.service.settle(remove_connections)).answer:
            break
    return visit.redirect(f"{HOME}?done=deleted")


_INTEGRATION = HOME + "/{client_id}"
PAGES = [
    ("GET", _INTEGRATION, show_integration),
    ("POST", _INTEGRATION + "/submit", submit),
    ("POST", _INTEGRATION + "/developers", add_developer),
    ("POST", _INTEGRATION + "/developers/remove", remove_developer),
    ("GET", _INTEGRATION + "/delete", show_deletion),
    ("POST", _INTEGRATION + "/delete", delete),
]
