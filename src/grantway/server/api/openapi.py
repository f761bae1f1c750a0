"""The OpenAPI 3.1 document of the API, made from the table of calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from grantway import __version__
from grantway.protocol.administration.operator_keys import SCOPES
from grantway.server.api.call import Call
from grantway.wire.api.message import (
    AccountId,
    ClientId,
    ConnectionId,
    DeliveryId,
    Listing,
    OperatorKeyId,
    Request,
    ResourceId,
    ScopeName,
    SignInId,
    TokenId,
    UserId,
)
from grantway.wire.api.problem import PROBLEM_TYPE, Problem
from grantway.wire.encoding import JSON_TYPE

OPENAPI_PATH = "/v1/openapi.json"

_REF = "#/components/schemas/{name}"
_IN_PATH: dict[str, tuple[Any, str]] = {
    "user": (UserId, "us_0000000000000000000001"),
    "account": (AccountId, "acme"),
    "client": (ClientId, "helpdesk"),
    "connection": (ConnectionId, "cn_0000000000000000000001"),
    "resource": (ResourceId, "rs_0000000000000000000001"),
    "delivery": (DeliveryId, "nt_0000000000000000000001"),
    "token": (TokenId, "gr_0000000000000000000001"),
    "key": (OperatorKeyId, "ok_0000000000000000000001"),
    "scope": (ScopeName, "orders:read"),
    "sign_in": (SignInId, "0000000000000000000000000000000000000000000"),
}
"""What the values in addresses are, and an example of each."""

_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request within 24 hours gets the answer that was given before.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]*$"},
}


def describe(calls: Iterable[Call], issuer: str) -> dict[str, Any]:
    """The document."""
    calls = tuple(calls)
    kinds = [kind for call in calls for kind in (answer_kind(call), call.body) if kind is not None]
    schemas, components = msgspec.json.schema_components([*kinds, Problem], ref_template=_REF)
    ref_of = dict(zip([*map(repr, kinds), repr(Problem)], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, ref_of)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Grantway operator API",
            "version": __version__,
            "description": "What an operator does, as JSON. Keys come from `grantway operator-keys create`.",
        },
        "servers": [{"url": issuer}],
        "security": [{"operator_key": []}],
        "tags": [{"name": group} for group in dict.fromkeys(call.group for call in calls)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "operator_key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "\n".join(f"- `{name}`: {sentence}" for name, sentence in SCOPES.items()),
                }
            },
            "responses": {
                "Problem": {
                    "description": "No, and why (RFC 9457).",
                    "headers": {"X-Request-Id": {"schema": {"type": "string"}}},
                    "content": {PROBLEM_TYPE: {"schema": ref_of[repr(Problem)], "example": _problem(issuer)}},
                }
            },
        },
    }


def answer_kind(call: Call) -> Any:
    """The message of the whole answer: for a page the listing, ``None`` where nothing is said."""
    listing: Any = Listing
    return listing[call.answer] if call.paged else call.answer


def path_names(call: Call) -> list[str]:
    """The names of the values in the call's address."""
    return re.findall(r"\{(\w+)\}", call.path)


def query_schema(kind: type[Request]) -> dict[str, Any]:
    """The query's parameters by name, each with its schema, and which of them are needed."""
    schema = msgspec.json.schema_components([kind], ref_template=_REF)[1][kind.__name__]
    return dict(schema)


def _operation(call: Call, ref_of: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.name,
        "tags": [call.group],
        "summary": call.summary,
        "description": f"The key has the scope `{call.scope}`.",
        "security": [{"operator_key": [call.scope]}],
        "parameters": [*map(_in_path, path_names(call)), *_in_query(call)],
        "responses": {str(call.status): _answer(call, ref_of)}
        | {f"{family}XX": {"$ref": "#/components/responses/Problem"} for family in (4, 5)},
    }
    if call.honours_idempotency:
        operation["parameters"].append(_IDEMPOTENCY)
    if call.body is not None:
        needed = bool(msgspec.json.schema_components([call.body])[1][call.body.__name__].get("required"))
        operation["requestBody"] = {"required": needed, "content": {JSON_TYPE: {"schema": ref_of[repr(call.body)]}}}
    return operation


def _answer(call: Call, ref_of: dict[str, Any]) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"schema": {"type": "string"}}}
    if call.paged:
        headers["Link"] = {"description": 'The next page, rel="next" (RFC 8288).', "schema": {"type": "string"}}
    kind = answer_kind(call)
    if kind is None:
        return {"description": "Done.", "headers": headers}
    return {"description": "Done.", "headers": headers, "content": {JSON_TYPE: {"schema": ref_of[repr(kind)]}}}


def _in_path(name: str) -> dict[str, Any]:
    kind, example = _IN_PATH[name]
    return {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(kind), "example": example}


def _in_query(call: Call) -> list[dict[str, Any]]:
    if call.query is None:
        return []
    schema = query_schema(call.query)
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _without_null(one)}
        for name, one in schema["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: what may be left out is left out."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    return {**kinds[0], **rest} if len(kinds) == 1 else rest


def _problem(issuer: str) -> dict[str, Any]:
    return {
        "type": f"{issuer}/v1/problems#invalid_request",
        "title": "The request is missing a parameter, repeats one, or is malformed.",
        "status": 400,
        "instance": "5f0c1e9a7b3d2c41",
        "errors": [{"pointer": "#/name", "detail": "This is needed."}],
    }
