"""Before the load: one request of each operation, and whether its answer is what the figures will be said to be of."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.systems import (
    ES256,
    EXCHANGE,
    INTROSPECTION,
    OPAQUE,
    REFRESH,
    REVOCATION,
    RS256,
    Caller,
    Missing,
    Running,
)


def check(there: Running, operations: Iterable[str]) -> None:
    """Each of these operations that it has, with tokens that the load does not get."""
    for operation in operations:
        said = _ask(there, operation)
        if said is not None and not _is(operation, said, there):
            raise Missing(f"it answers otherwise than it is measured for ({operation}): {sorted(said)}")


def _ask(there: Running, operation: str) -> dict[str, Any] | None:
    material = there.material
    if operation == EXCHANGE:
        body = f"grant_type=authorization_code&code={_take(material.file('codes'))}{material.exchange}"
        return post(there.url, material.token, material.user, body)
    if operation == REFRESH:
        old = _take(material.file("refresh_tokens"))
        said = post(there.url, material.token, material.user, f"grant_type=refresh_token&refresh_token={quote(old)}")
        return {**said, "rotated": said.get("refresh_token", old) != old}
    if operation == INTROSPECTION:
        if material.introspection is None:
            return None
        token = _take(material.file("access_tokens"))
        return post(there.address(operation), material.introspection, material.user, f"token={token}")
    if operation == REVOCATION:
        if material.revocation is None:
            return None
        token = _take(material.file("revocable"))
        said = post(there.url, material.revocation, material.user, f"token={quote(token)}")
        after = post(there.url, material.token, material.user, f"grant_type=refresh_token&refresh_token={quote(token)}")
        return {"status": said["status"], "refused": after["status"] in (400, 401)}
    caller = material.callers.get(operation)
    return None if caller is None else post(there.url, material.token, caller, caller.body)


def _is(operation: str, said: dict[str, Any], there: Running) -> bool:
    if said["status"] != 200:
        return False
    if operation == EXCHANGE:
        return bool(said.get("access_token") and said.get("refresh_token")) and "id_token" not in said
    if operation == REFRESH:
        return bool(said["rotated"] and said.get("access_token"))
    if operation == INTROSPECTION:
        return said.get("active") is True
    if operation == REVOCATION:
        return bool(said["refused"])
    return _algorithm(str(said.get("access_token", ""))) == {OPAQUE: None, ES256: "ES256", RS256: "RS256"}[operation]


def _algorithm(token: str) -> str | None:
    """Of a signed token; None of an opaque one."""
    head, dot, _ = token.partition(".")
    if token.count(".") != 2 or not dot:
        return None
    said = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    return str(said["alg"])


def _take(file: Path) -> str:
    """The last token of a file, which is then not in it any more."""
    *rest, last = file.read_text().split()
    file.write_text("".join(f"{token}\n" for token in rest))
    return last


def post(url: str, path: str, caller: Caller, body: str) -> dict[str, Any]:
    """The answer's JSON, and its status."""
    proof = base64.b64encode(f"{caller.id}:{caller.secret}".encode()).decode()
    request = urllib.request.Request(
        url + path,
        body.encode(),
        {"Authorization": f"Basic {proof}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, said = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, said = error.code, error.read()
    try:
        return {**json.loads(said or b"{}"), "status": status}
    except ValueError:
        return {"status": status}
