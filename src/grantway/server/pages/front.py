"""The first page, static files and icons."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol.model import User
from grantway.protocol.sign_in import who_is
from grantway.server.pages import problems
from grantway.server.pages.assets import A_WHILE, FOREVER, icon_of
from grantway.server.pages.problems import Stop
from grantway.server.pages.visit import Visit


async def show_front(visit: Visit) -> Response:
    """What this is, and where to go."""
    answer = (await visit.service.consult(who_is, visit.visitor.session)).answer
    user = answer if isinstance(answer, User) else None
    signed_out = visit.request.query_params.get("signed-out") == "here"
    return visit.page("front.html", {"user": user, "csrf": visit.token("session"), "signed_out": signed_out})


async def show_static(visit: Visit) -> Response:
    """A static file."""
    response = visit.site.assets.response(f"/static/{visit.request.path_params['name']}")
    if response is None:
        raise Stop(problems.NOT_FOUND)
    return visit.finish(response)


async def show_icon(visit: Visit) -> Response:
    """The icon of an integration. Asked for with its digest (``v``) it can be kept for ever."""
    icon = (await visit.service.consult(icon_of, visit.request.path_params["client_id"])).answer
    if icon is None:
        raise Stop(problems.NOT_FOUND)
    keep = FOREVER if visit.request.query_params.get("v") == icon.digest else A_WHILE
    return visit.finish(Response(icon.png, media_type="image/png", headers={"cache-control": keep}))
