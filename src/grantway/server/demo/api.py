"""The platform's own API, ``/demo/api``: what access tokens are for. ``grantway.resource`` stands in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from grantway.resource import InsufficientScope, Introspection, Protect, require, token_of

PREFIX = "/demo/api/"


@dataclass(frozen=True)
class Kind:
    """One kind of records in every account, and the scope that reaches them."""

    scope: str
    records: tuple[Mapping[str, Any], ...]


KINDS: Mapping[str, Kind] = {
    "tickets": Kind("tickets:read", ({"id": 4711, "subject": "Where is my order?", "from": "Nora"},)),
    "conversations": Kind("integration", ({"id": "5f2c", "participants": 2, "last_message": "Thank you!"},)),
    "payments": Kind("PAYMENTS_READ", ({"id": "pay_1", "amount": 480, "currency": "EUR", "note": "Filter coffee"},)),
    "calls": Kind("account-owner", ({"id": 9001, "from": "+4755550100", "seconds": 94},)),
}


def build_api(issuer: str, client_id: str, client_secret: str) -> Protect:
    """The API behind the middleware, which asks the authorization server at every call. Nothing is kept."""
    app = Starlette(
        routes=[Route(f"{PREFIX}{{kind}}", _show)], exception_handlers={InsufficientScope: _say_which_scope}
    )
    return Protect(app, Introspection(f"{issuer}/introspect", client_id, client_secret), audience=issuer)


async def _show(request: Request) -> Response:
    kind = KINDS.get(request.path_params["kind"])
    if kind is None:
        return JSONResponse({"error": "not_found"}, 404)
    token = token_of(request.scope)
    require(token, kind.scope)
    return JSONResponse({"account": token.account_name, request.path_params["kind"]: list(kind.records)})


async def _say_which_scope(request: Request, error: Any) -> Response:
    answer = error.answer
    return Response(answer.body, answer.status, {name.decode(): value.decode() for name, value in answer.headers})
