"""Which address shows what, and what happens when a handler cannot go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter_ns

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from grantway.server.hand_off import SignInHook
from grantway.server.log import log, where
from grantway.server.pages import (
    admin,
    authorize,
    connections,
    developers,
    front,
    hand_off,
    links,
    own_account,
    problems,
    signing_in,
)
from grantway.server.pages.problems import Stop, told
from grantway.server.pages.visit import Site, Visit
from grantway.server.service import Service
from grantway.server.slow_work import Busy
from grantway.server.storage.port import OutcomeUnknown, OutcomeUntold, StorageError
from grantway.wire.errors import Malformed

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are named in logs and metrics; of others there are as many as somebody cares to send."""

Handler = Callable[[Visit], Awaitable[Response]]


def build_pages(service: Service, sign_in: SignInHook | None = None) -> Starlette:
    """All pages as one application, which also answers what is not there."""
    site = Site(service, sign_in)
    pages: list[tuple[str, str, Handler]] = [
        ("GET", "/", front.show_front),
        ("GET", "/sign-in", signing_in.show_sign_in),
        ("POST", "/sign-in", signing_in.sign_in),
        ("GET", "/sign-in/return", hand_off.come_back_from_platform),
        ("POST", "/sign-out", signing_in.leave),
        ("GET", "/forgot", links.show_forgot),
        ("POST", "/forgot", links.ask_for_link),
        ("GET", "/links/{secret}", links.show_link),
        ("POST", "/links/{secret}", links.use_link),
        ("GET", "/account", own_account.show_account),
        ("GET", "/account/password", own_account.show_password),
        ("POST", "/account/password", own_account.new_password),
        ("GET", "/account/email", own_account.show_email),
        ("POST", "/account/email", own_account.new_email),
        ("POST", "/account/sessions/end", own_account.end_all_sessions),
        ("POST", "/account/sessions/{session_id}/end", own_account.end_session),
        ("GET", "/authorize/{pending_id}", authorize.show_step),
        ("POST", "/authorize/{pending_id}", authorize.decide),
        ("POST", "/authorize/{pending_id}/account", authorize.choose),
        ("POST", "/authorize/{pending_id}/account/change", authorize.change),
        *connections.PAGES,
        *developers.PAGES,
        *admin.PAGES,
        ("GET", "/static/{name}", front.show_static),
        ("GET", "/icons/{client_id}.png", front.show_icon),
    ]
    for dialect, path in authorize.PATHS.items():
        opening = authorize.open_authorization(dialect)
        pages += [("GET", path, opening), ("POST", path, opening)]
    by_path: dict[str, dict[str, Handler]] = {}
    for method, path, handler in pages:
        by_path.setdefault(path, {})[method] = handler
    routes = [Route(path, Address(site, path, handlers)) for path, handlers in by_path.items()]
    application = Starlette(routes=routes)
    application.router.default = Address(site, "unknown", {})
    application.router.redirect_slashes = False
    return application


class Address:
    """One address and the methods it takes. Plain ASGI, so that Starlette leaves methods and errors to it."""

    def __init__(self, site: Site, route: str, handlers: Mapping[str, Handler]) -> None:
        self._site = site
        self._route = route
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter_ns()
        visit = Visit(self._site, Request(scope, receive))
        response = await self._answer(visit)
        method = visit.request.method if visit.request.method in METHODS else "OTHER"
        ms = (perf_counter_ns() - began) // 10_000 / 100
        route = f"{method} {self._route}"
        self._site.service.decisions.write(route, response.status_code, visit.reason, None, ms, visit.request_id)
        await response(scope, receive, send)

    async def _answer(self, visit: Visit) -> Response:
        method = visit.request.method
        handler = self._handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            return self._wrong_address(visit)
        try:
            return await handler(visit)
        except Stop as stopped:
            return problem_page(visit, stopped)
        except Malformed as malformed:
            return problem_page(visit, Stop(problems.UNREADABLE, reason=malformed.reason))
        except OutcomeUnknown:
            raise  # no answer may leave; the process stops
        except (Busy, StorageError) as busy:
            problem = problems.UNTOLD if isinstance(busy, OutcomeUntold) else problems.BUSY
            return problem_page(visit, Stop(problem, reason=type(busy).__name__.lower(), retry_after=2))
        except Exception as error:  # noqa: BLE001 - whatever it was, a person gets a page and the log its place
            log.error(
                "fault", route=self._route, error=type(error).__name__, at=where(error), request_id=visit.request_id
            )
            return problem_page(visit, Stop(problems.FAILED, reason="fault"))

    def _wrong_address(self, visit: Visit) -> Response:
        if not self._handlers:
            return problem_page(visit, Stop(problems.NOT_FOUND, reason="page_unknown"))
        response = problem_page(visit, Stop(problems.WRONG_METHOD, reason="method_not_allowed"))
        response.headers["allow"] = ", ".join(sorted({*self._handlers, *(["HEAD"] if "GET" in self._handlers else [])}))
        return response


def problem_page(visit: Visit, stopped: Stop) -> Response:
    """The page that tells of it."""
    visit.reason = stopped.reason or "page_stopped"
    title, advice = told(stopped.problem, visit.site.templates.catalogue(visit.language).gettext)
    values = {"title": title, "advice": advice, "again": stopped.again, "request_id": visit.request_id}
    response = visit.page("problem.html", values, status=stopped.problem.status)
    if stopped.retry_after is not None:
        response.headers["retry-after"] = str(stopped.retry_after)
    return response
