"""The API in words: ``docs/reference/api.md``.

``python -m grantway.server.api.reference`` prints the document; a test keeps the file current.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grantway.protocol.administration.operator_keys import SCOPES
from grantway.server.api.call import Call
from grantway.server.api.calls import CALLS
from grantway.server.api.openapi import describe
from grantway.wire.api.problem import PROBLEMS

_HEAD = """# The operator's API

Written from the table of calls in `src/grantway/server/api/calls` (`python -m grantway.server.api.reference`). The same as
OpenAPI 3.1 is served at `/v1/openapi.json`. How to begin: [Use the API](../how-to/use-the-api.md).

Every call takes `Authorization: Bearer gwo_…`, a key from `grantway operator-keys create`, and is answered with JSON and
`X-Request-Id`. Bodies are JSON objects of at most 64 KiB, with at most 8 objects inside one another; a member or parameter
that is not known is refused, and so is one that occurs twice. Times are RFC 3339.

**Pages.** Listings are newest first: `{"data": […], "next": "…"}`. `?cursor=` with the `next` of a page gives the page after
it (the `Link` header has the whole address, RFC 8288); `limit` is 1 to 200, and 50 if it is not said. `next` is null at the
end. What is added meanwhile does not move the pages.

**Repetitions.** Every POST takes an `Idempotency-Key` of up to 255 visible characters: the same request with the same key
gets the answer that was given before, secrets included, for 24 hours and with the same operator key; another request with
it is refused. What was refused is not kept. The answer is stored in the commit of what it tells of.

**Accounts** are named by `ac_…` or by your own id, **connections** by `cn_…` or by their integration id.

## Problems

A no is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `instance` (the request id), and where they help
`detail`, `reason` (a stable slug) and `errors`, each with a JSON `pointer` into the body or the name of a `parameter`. Also
at `/v1/problems`.

| end of `type` | status | title |
|---|---|---|
"""

_SCOPES = """
## Scopes of keys

| scope | opens |
|---|---|
"""


def reference() -> str:
    """The document."""
    document = describe(CALLS, "")
    schemas: dict[str, Any] = document["components"]["schemas"]
    problems = [f"| `{one.code}` | {one.status} | {one.description} |" for one in PROBLEMS]
    scopes = [f"| `{name}` | {sentence} |" for name, sentence in SCOPES.items()]
    calls = [line for group in _groups() for line in _group(group, document["paths"])]
    messages = [line for name in sorted(schemas) if "_" not in name for line in _message(name, schemas[name])]
    return (
        _HEAD
        + "\n".join(problems)
        + "\n"
        + _SCOPES
        + "\n".join(scopes)
        + "\n\n"
        + "\n".join(calls)
        + "\n## Messages\n\nA member without a default is needed in a request and always there in an answer.\n\n"
        + "\n".join(messages).rstrip()
        + "\n"
    )


def _groups() -> list[list[Call]]:
    names = dict.fromkeys(call.group for call in CALLS)
    return [[call for call in CALLS if call.group == name] for name in names]


def _group(calls: list[Call], paths: dict[str, Any]) -> Iterator[str]:
    yield f"## {calls[0].group.replace('_', ' ').capitalize()}"
    yield ""
    yield "| call | scope | query | body | answer | |"
    yield "|---|---|---|---|---|---|"
    for call in calls:
        operation = paths[call.path][call.method.lower()]
        query = ", ".join(f"`{one['name']}`" for one in operation["parameters"] if one["in"] == "query")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        told = operation["responses"][str(call.status)].get("content", {}).get("application/json", {}).get("schema")
        answer = f"{call.status} {'' if told is None else _kind(told)}".strip()
        cells = (f"`{call.method} {call.path}`", f"`{call.scope}`", query, _kind(body or {}), answer, call.summary)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _message(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if not schema.get("properties"):
        return
    yield f"### {name}"
    yield ""
    yield schema.get("description", "").replace("``", "`").replace("\n", " ")
    yield ""
    yield "| member | | default |"
    yield "|---|---|---|"
    for member, kind in schema["properties"].items():
        default = "" if member in schema.get("required", ()) else f"`{_default(kind)}`"
        yield f"| `{member}` | {_kind(kind)} | {default} |"
    yield ""


def _default(schema: dict[str, Any]) -> str:
    if "default" not in schema:
        return "as it is"
    return {None: "null", True: "true", False: "false"}.get(_hashable(schema["default"]), str(schema["default"]))


def _hashable(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value)


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return _named(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "")


def _named(name: str) -> str:
    if name == "Nothing":
        return ""
    outer, _, inner = name.partition("_")
    names = {"Listing": "page of", "Whole": "list of"}
    return f"{names[outer]} {inner.strip('_')}" if outer in names else name


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201
