"""An integration at work: who is connected, what was delivered, and why authorizations were refused."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol import portal, portal_log
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Refusal
from grantway.protocol.facts import NoticeState
from grantway.protocol.ids import parse, show
from grantway.protocol.notices import public_id
from grantway.server.connections.spelling import request_of, spell
from grantway.server.pages import problems
from grantway.server.pages.developers.common import HOME, client_id_of, integration_page, path_of, query_of, refused
from grantway.server.pages.developers.words import WHY
from grantway.server.pages.problems import Stop
from grantway.server.pages.visit import Visit

_STATES: dict[str, NoticeState] = {"waiting": "waiting", "delivered": "delivered", "dead": "dead"}


async def show_connections(visit: Visit) -> Response:
    """The accounts that it is connected to."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "connections")
    after = parse("cn", query_of(visit).one("after") or "")
    answer = (await visit.service.consult(portal_log.connected, visit.visitor.session, client_id, after)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    values = {
        "connections": answer.connections,
        "older": None if answer.older is None else f"{here}?after={show('cn', answer.older)}",
    }
    return await integration_page(visit, "integration_connections.html", answer.at_work, values)


async def show_deliveries(visit: Visit) -> Response:
    """What was to be delivered, newest first; those that were given up can be asked for alone."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "deliveries")
    query = query_of(visit)
    state = query.one("state") or "all"
    connection, webhook = query.one("connection"), query.one("webhook")
    asked = visit.service.consult(
        portal_log.deliveries,
        visit.visitor.session,
        client_id,
        after=parse("nt", query.one("after") or ""),
        state=_STATES.get(state, "all"),
        connection_id=_row("cn", connection),
        webhook_id=_row("wh", webhook),
    )
    answer = (await asked).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    kept = "".join(
        f"&{name}={value}" for name, value in (("connection", connection), ("webhook", webhook)) if value is not None
    )
    older = answer.older
    values = {
        "notices": answer.notices,
        "connection": answer.connection,
        "webhook": webhook,
        "state": state if state in _STATES else "all",
        "kept": kept,
        "older": None if older is None else f"{here}?state={state}{kept}&after={show('nt', older)}",
    }
    return await integration_page(visit, "integration_deliveries.html", answer.at_work, values)


async def show_delivery(visit: Visit) -> Response:
    """One of them: what was sent, and what was answered each time."""
    return await _show_delivery(visit)


async def _show_delivery(visit: Visit, problem: str | None = None) -> Response:
    client_id = client_id_of(visit)
    notice_id = _notice(visit)
    here = path_of(client_id, "deliveries", show("nt", notice_id))
    answer = (await visit.service.consult(portal_log.delivery, visit.visitor.session, client_id, notice_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    body = spell(answer.notice, answer.webhook, answer.event, visit.service.vault)
    values = {
        "delivery": answer,
        "message_id": public_id(answer.notice),
        "request": request_of(answer.notice, answer.notice.url, body),
        "problem": problem,
    }
    return await integration_page(
        visit, "integration_delivery.html", answer.at_work, values, status=422 if problem else 200
    )


async def replay(visit: Visit) -> Response:
    """Send it again."""
    client_id = client_id_of(visit)
    notice_id = _notice(visit)
    here = path_of(client_id, "deliveries", show("nt", notice_id))
    await visit.form(again=here)
    answer = (await visit.service.settle(portal_log.replay, visit.visitor.session, client_id, notice_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _show_delivery(visit, answer.sentence)
    return visit.redirect(f"{here}?done=replayed")


async def show_refusals(visit: Visit) -> Response:
    """Why authorizations were refused: in full, because the browser was told little."""
    client_id = client_id_of(visit)
    answer = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, path_of(client_id, "refused"))
    gettext = visit.site.templates.catalogue(visit.language).gettext
    values = {"refused": [(one, gettext(WHY.get(one.reason, one.reason))) for one in answer.refused]}
    return await integration_page(visit, "integration_refused.html", answer.at_work, values)


def _row(prefix: str, text: str | None) -> bytes | None:
    """The row that is asked for; one that cannot be is asked for all the same, so that the answer is "nothing"."""
    return None if text is None else parse(prefix, text) or b""


def _notice(visit: Visit) -> bytes:
    notice_id = parse("nt", visit.request.path_params["notice_id"])
    if notice_id is None:
        raise Stop(problems.NOT_FOUND, reason="notice_malformed")
    return notice_id


_INTEGRATION = HOME + "/{client_id}"
PAGES = [
    ("GET", _INTEGRATION + "/connections", show_connections),
    ("GET", _INTEGRATION + "/deliveries", show_deliveries),
    ("GET", _INTEGRATION + "/deliveries/{notice_id}", show_delivery),
    ("POST", _INTEGRATION + "/deliveries/{notice_id}/replay", replay),
    ("GET", _INTEGRATION + "/refused", show_refusals),
]
