"""The first page of the portal, and registering an integration."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.clients import NewClient
from grantway.protocol.decision import Refusal
from grantway.protocol.ids import parse
from grantway.protocol.policy import PROFILES
from grantway.protocol.portal import Workshop, register, workshop
from grantway.server.connections.signing import notice_secret
from grantway.server.pages import problems
from grantway.server.pages.developers.common import HOME, path_of, query_of, refused
from grantway.server.pages.developers.fields import Fields, check_remove_url
from grantway.server.pages.problems import Stop
from grantway.server.pages.steps import icons
from grantway.server.pages.visit import Visit

_FORM = f"{HOME}?register=1"


async def show_workshop(visit: Visit) -> Response:
    """The person's integrations; with ``register``, the form for another."""
    found = (await visit.service.consult(workshop, visit.visitor.session)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, HOME)
    query = query_of(visit)
    if query.one("register") is not None:
        if not found.may_register:
            raise Stop(problems.REGISTRATION_CLOSED, again=HOME, reason="registration_closed")
        return _form(visit, found, Fields())
    values = {
        "user": found.user,
        "csrf": visit.token("session"),
        "clients": found.clients,
        "may_register": found.may_register,
        "icons": await icons(visit, found.clients),
        "done": query.one("done"),
    }
    return visit.page("developers.html", values)


async def register_integration(visit: Visit) -> Response:
    """A new draft; its secret is shown on the page that answers."""
    sent = await visit.form(again=_FORM)
    found = (await visit.service.consult(workshop, visit.visitor.session)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, HOME)
    fields = Fields.read(sent, found.scopes)
    wanted = NewClient(
        fields.name,
        fields.profile,
        public=fields.public,
        redirect_uris=fields.redirect_uris,
        remove_url=fields.remove_url or None,
        scopes=fields.scopes or None,
        default_scopes=fields.default_scopes or None,
        required_scopes=fields.required_scopes,
        account_id=(parse("ac", fields.account) or b"") if fields.account else None,
    )
    problem = check_remove_url(visit, fields.remove_url)
    if problem is not None:
        return _form(visit, found, fields, problem)
    made = (await visit.service.settle(register, visit.visitor.session, wanted)).answer
    if isinstance(made, Refusal):
        return refused(visit, made, HOME)
    if isinstance(made, Rejected):
        visit.reason = made.reason
        return _form(visit, found, fields, made.sentence)
    values = {
        "user": found.user,
        "csrf": visit.token("session"),
        "client": made.client,
        "client_secret": made.client_secret,
        "notice_secret": notice_secret(made.client, visit.service.vault) if made.client.remove_url else None,
        "here": path_of(made.client.client_id),
    }
    return visit.page("developers_registered.html", values)


def _form(visit: Visit, found: Workshop, fields: Fields, problem: str | None = None) -> Response:
    values = {
        "user": found.user,
        "csrf": visit.token("session"),
        "fields": fields,
        "profiles": tuple(PROFILES),
        "catalogue": found.scopes,
        "accounts": found.accounts,
        "problem": problem,
    }
    return visit.page("developers_register.html", values, status=200 if problem is None else 422)


PAGES = [
    ("GET", HOME, show_workshop),
    ("POST", HOME, register_integration),
]
