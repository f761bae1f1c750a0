"""What browsers are told about scripts of other origins (Fetch §3.3, "CORS").

No endpoint of machines ever looks at a cookie, so nothing is given away by a preflight: the request that follows brings
what it has to prove itself with. Which endpoint tells whom is ``Endpoint.open_to_browsers`` and ``open_to_pages``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.server.answer import Endpoint, Said
from grantway.server.service import Service
from grantway.wire.http import Headers, HttpRequest

P = ParamSpec("P")
_PageRule = Callable[Concatenate[Facts, Moment, str, P], Coroutine[Any, Any, Decision[bool]]]

EVERYBODY = (b"access-control-allow-origin", b"*")
_PREFLIGHT = (
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key"),
    (b"access-control-max-age", b"86400"),
)
_VARY = (b"vary", b"Origin")
# RFC 6454 §6.1; "null" is nobody's.
_ORIGIN = re.compile(rb"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def preflight(endpoint: Endpoint, headers: Headers, methods: bytes) -> Headers | None:
    """What a preflight is answered with; ``None`` when this is none, or nobody's scripts may call the endpoint.

    Where only a client's own pages may read answers, any origin may still ask: a preflight brings no credentials, so
    whose page it is nobody can know yet, and looking it up among all clients would tell strangers who is one.
    """
    allowed = (b"access-control-allow-methods", methods)
    if endpoint.open_to_browsers:
        return (allowed, EVERYBODY, *_PREFLIGHT)
    origin = _origin_in(headers)
    if origin is None or not endpoint.open_to_pages:
        return None
    return (allowed, (b"access-control-allow-origin", origin), _VARY, *_PREFLIGHT)


async def page_of(
    service: Service, request: HttpRequest, rule: _PageRule[P], *args: P.args, **kwargs: P.kwargs
) -> str | None:
    """The page that asks, if the rule knows it for one of the client's own.

    Asked before anything is decided: an answer that is paid for with a code must not fail over this.
    """
    origin = _origin_in(request.headers)
    if origin is None:
        return None
    decision = await service.consult(rule, origin.decode(), *args, **kwargs)
    return origin.decode() if decision.answer else None


def readable(said: Said, page: str | None) -> Said:
    """The answer, which scripts of this page may read."""
    if page is None:
        return said
    headers = (*said.answer.headers, (b"access-control-allow-origin", page.encode()), _VARY)
    return replace(said, answer=replace(said.answer, headers=headers))


def _origin_in(headers: Headers) -> bytes | None:
    """The origin of the page that asks. Not an error if it is odd: it is no part of the question."""
    found = [value for name, value in headers if name == b"origin"]
    return found[0] if len(found) == 1 and _ORIGIN.fullmatch(found[0]) else None
