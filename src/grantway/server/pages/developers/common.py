"""What the pages of the portal share: how a refusal is answered, and what every page of an integration shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from grantway.protocol.decision import Refusal
from grantway.protocol.portal import AtWork
from grantway.server.pages import problems
from grantway.server.pages.after_sign_in import sign_in_address
from grantway.server.pages.problems import stop
from grantway.server.pages.steps import icons
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import Parameters, read_form
from grantway.wire.errors import ACCESS_DENIED, LOGIN_REQUIRED

HOME = "/developers"


def path_of(client_id: str, *rest: str) -> str:
    """The address of an integration's page."""
    return "/".join([HOME, quote(client_id, safe=""), *rest])


def client_id_of(visit: Visit) -> str:
    """The integration that the address names."""
    named: str = visit.request.path_params["client_id"]
    return named


def query_of(visit: Visit) -> Parameters:
    return read_form(visit.request.scope.get("query_string", b""))


def refused(visit: Visit, refusal: Refusal, back: str) -> Response:
    """What a refusal comes to in the portal. Raises ``Stop``, unless signing in helps."""
    if refusal.error is LOGIN_REQUIRED:
        return visit.redirect(sign_in_address(back, again=refusal.reason == "sign_in_too_old"))
    if refusal.error is ACCESS_DENIED:
        raise stop(problems.REGISTRATION_CLOSED, refusal, again=HOME)
    raise stop(problems.NOT_YOUR_INTEGRATION, refusal, again=HOME)


async def integration_page(
    visit: Visit, template: str, work: AtWork, values: Mapping[str, Any], *, status: int = 200, **more: Any
) -> Response:
    """A page of one integration, with its tabs."""
    shared = {
        "user": work.user,
        "client": work.client,
        "recently": work.recently,
        "csrf": visit.token("session"),
        "icons": await icons(visit, [work.client]),
        "here": path_of(work.client.client_id),
        "problem": None,
        "done": query_of(visit).one("done"),
    }
    return visit.page(template, {**shared, **values}, status=status, **more)
