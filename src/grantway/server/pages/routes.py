"""Which address shows what, and what happens when a handler cannot go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from grantway.server.pages import authorize, connections, front, problems, signing_in
from grantway.server.pages.problems import Stop, told
from grantway.server.pages.visit import Site, Visit
from grantway.server.passwords import Busy
from grantway.server.service import Service
from grantway.server.storage.port import Contended, OutcomeUnknown, Overloaded
from grantway.wire.errors import Malformed

Handler = Callable[[Visit], Awaitable[Response]]

log = structlog.get_logger("grantway.pages")


def build_pages(service: Service) -> Starlette:
    """All pages as one application, which also answers what is not there."""
    site = Site(service)
    pages: list[tuple[str, str, Handler]] = [
        ("GET", "/", front.show_front),
        ("GET", "/sign-in", signing_in.show_sign_in),
        ("POST", "/sign-in", signing_in.sign_in),
        ("POST", "/sign-out", signing_in.leave),
        ("GET", "/authorize/{pending_id}", authorize.show_step),
        ("POST", "/authorize/{pending_id}", authorize.decide),
        ("POST", "/authorize/{pending_id}/account", authorize.choose),
        ("POST", "/authorize/{pending_id}/account/change", authorize.change),
        ("GET", "/connections", connections.show_connections),
        ("POST", "/connections/{connection_id}/remove", connections.remove),
        ("GET", "/static/{name}", front.show_static),
        ("GET", "/icons/{client_id}.png", front.show_icon),
    ]
    for dialect, path in authorize.PATHS.items():
        opening = authorize.open_authorization(dialect)
        pages += [("GET", path, opening), ("POST", path, opening)]
    by_path: dict[str, dict[str, Handler]] = {}
    for method, path, handler in pages:
        by_path.setdefault(path, {})[method] = handler
    routes = [Route(path, Address(site, handlers)) for path, handlers in by_path.items()]
    routes.append(Route("/{anything:path}", Address(site, {})))
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


class Address:
    """One address and the methods it takes. Plain ASGI, so that Starlette leaves methods and errors to it."""

    def __init__(self, site: Site, handlers: Mapping[str, Handler]) -> None:
        self._site = site
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = Visit(self._site, Request(scope, receive))
        response = await self._answer(visit)
        await response(scope, receive, send)

    async def _answer(self, visit: Visit) -> Response:
        method = visit.request.method
        handler = self._handlers.get("GET" if method == "HEAD" else method)
        try:
            if handler is None:
                raise Stop(problems.WRONG_METHOD if self._handlers else problems.NOT_FOUND)
            return await handler(visit)
        except Stop as stopped:
            visit.note(stopped.reason or "page_stopped")
            response = problem_page(visit, stopped)
        except Malformed as malformed:
            visit.note(malformed.reason)
            response = problem_page(visit, Stop(problems.UNREADABLE))
        except (Busy, Contended, Overloaded) as busy:
            visit.note(type(busy).__name__.lower())
            response = problem_page(visit, Stop(problems.BUSY, retry_after=2))
        except OutcomeUnknown:
            raise  # no answer may leave; the process stops
        except Exception:
            visit.note("page_failed")
            log.exception("page_failed", request_id=visit.request_id)
            response = problem_page(visit, Stop(problems.FAILED))
        if handler is None and self._handlers:
            response.headers["allow"] = ", ".join(
                sorted({*self._handlers, *(["HEAD"] if "GET" in self._handlers else [])})
            )
        return response


def problem_page(visit: Visit, stopped: Stop) -> Response:
    """The page that tells of it."""
    title, advice = told(stopped.problem, visit.site.templates.catalogue(visit.language).gettext)
    values = {"title": title, "advice": advice, "again": stopped.again, "request_id": visit.request_id}
    response = visit.page("problem.html", values, status=stopped.problem.status)
    if stopped.retry_after is not None:
        response.headers["retry-after"] = str(stopped.retry_after)
    return response
