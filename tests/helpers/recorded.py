"""Requests that vendors' own packages were recorded to send: as they are, with what is ours put in, byte for byte."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.helpers.asgi import Reply

Recorded = dict[str, Any]
"""One request: ``method``, ``target``, ``headers`` (pairs, in their order and case) and ``body``."""

_WHERE = Path(__file__).parents[1] / "wire/recorded"


def recordings(vendor: str) -> dict[str, list[Recorded]]:
    """What was recorded of the vendor's packages, by package."""
    found: dict[str, list[Recorded]] = json.loads((_WHERE / f"{vendor}.json").read_text())
    return found


def each_of(vendor: str) -> list[Any]:
    """Every recorded request as a parameter of a test, named after package, number, method and path."""
    return [
        pytest.param(request, id=f"{package.replace(' ', '-')}-{number}-{request['method']}-{path}")
        for package, requests in recordings(vendor).items()
        for number, request in enumerate(requests)
        for path in [urlsplit(request["target"]).path.strip("/").replace("/", ".")]
    ]


def authorization_of(request: Recorded) -> str | None:
    """Its ``Authorization`` header, whatever its name's case."""
    return next((value for name, value in request["headers"] if name.lower() == "authorization"), None)


def members_of(request: Recorded) -> dict[str, Any]:
    """What its JSON body says; nothing when it has none."""
    said: dict[str, Any] = json.loads(request["body"] or "{}")
    return said


def with_ours(
    request: Recorded,
    base_url: str,
    *,
    members: Mapping[str, Any] | None = None,
    target: Mapping[str, str] | None = None,
    authorization: Mapping[str, str] | None = None,
) -> Recorded:
    """The request for this server.

    ``members`` take the places of those in the JSON body, ``target`` says which text of the target becomes which, and
    ``authorization`` which whole header takes the place of one of that scheme. Nothing is added.
    """
    path, body = request["target"], request["body"]
    for theirs, ours in (target or {}).items():
        path = path.replace(theirs, ours)
    if body and members:
        compact = '", "' not in body and '": "' not in body
        sent = {name: members.get(name, value) for name, value in members_of(request).items()}
        body = json.dumps(sent, separators=(",", ":") if compact else None)
    changed = {"host": urlsplit(base_url).netloc, "content-length": str(len(body.encode()))}
    headers = [(name, changed.get(name.lower(), value)) for name, value in request["headers"]]
    if authorization:
        headers = [(name, authorization.get(value.partition(" ")[0], value)) for name, value in headers]
    return request | {"target": path, "headers": headers, "body": body}


def send(base_url: str, request: Recorded) -> Reply:
    """Send it as it stands: its headers and no others."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    try:
        connection.putrequest(request["method"], request["target"], skip_host=True, skip_accept_encoding=True)
        for name, value in request["headers"]:
            connection.putheader(name, value)
        connection.endheaders(request["body"].encode())
        answer = connection.getresponse()
        return Reply(answer.status, tuple(answer.getheaders()), answer.read())
    finally:
        connection.close()
