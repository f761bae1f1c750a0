"""The API's endpoints, made from the table of calls; and what anybody may read: its description and its problems."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec

from grantway.server.answer import Endpoint, Said
from grantway.server.api.answering import endpoint, error_writer
from grantway.server.api.calls import CALLS
from grantway.server.api.openapi import OPENAPI_PATH, describe
from grantway.server.service import Service
from grantway.wire.api.message import Whole
from grantway.wire.api.problem import PROBLEMS, PROBLEMS_PATH, No, ProblemKind, write_problem
from grantway.wire.errors import NOT_FOUND
from grantway.wire.http import JSON, HttpAnswer, HttpRequest

PREFIX = "/v1/"

_HEADERS = (JSON, (b"cache-control", b"public, max-age=600"))


def endpoints(issuer: str) -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path."""
    writer = error_writer(issuer)

    @cache  # made when first asked for: the document takes 30 ms
    def openapi() -> bytes:
        return msgspec.json.encode(describe(CALLS, issuer))

    @cache
    def problems() -> bytes:
        kinds = [ProblemKind(code=one.code, status=one.status, title=one.description) for one in PROBLEMS]
        return msgspec.json.encode(Whole(data=kinds))

    def public(name: str, body: Callable[[], bytes]) -> Endpoint:
        async def handle(service: Service, request: HttpRequest) -> Said:
            return Said(HttpAnswer(200, _HEADERS, body()), f"{name}_told")

        return Endpoint(f"api.{name}", handle, writer, open_to_browsers=True)

    return {(call.method, call.path): endpoint(call, issuer) for call in CALLS} | {
        ("GET", OPENAPI_PATH): public("openapi", openapi),
        ("GET", PROBLEMS_PATH): public("problems", problems),
    }


def nowhere(issuer: str) -> Endpoint:
    """What answers where no call is: a problem, not a page."""

    async def handle(service: Service, request: HttpRequest) -> Said:
        return Said(write_problem(No(NOT_FOUND), issuer, request.request_id), "call_unknown")

    return Endpoint("api.nowhere", handle, error_writer(issuer))
