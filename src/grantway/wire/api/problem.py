"""How the API says no: problem details (RFC 9457)."""

from __future__ import annotations

from typing import Any

import msgspec

from grantway.wire.api.message import Answer
from grantway.wire.errors import (
    ACCESS_DENIED,
    CONFLICT,
    CONTENT_TOO_LARGE,
    IDEMPOTENCY_KEY_REUSED,
    INSUFFICIENT_SCOPE,
    INVALID_REQUEST,
    INVALID_TOKEN,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    OUTCOME_UNKNOWN,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    UNPROCESSABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.http import NO_STORE, HttpAnswer
from grantway.wire.record import record

PROBLEM_TYPE = "application/problem+json"
PROBLEMS_PATH = "/v1/problems"

PROBLEMS = (
    INVALID_REQUEST, INVALID_TOKEN, INSUFFICIENT_SCOPE, ACCESS_DENIED, NOT_FOUND, METHOD_NOT_ALLOWED, CONFLICT,
    CONTENT_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, UNPROCESSABLE, IDEMPOTENCY_KEY_REUSED, SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE, OUTCOME_UNKNOWN,
)  # fmt: skip
"""All kinds there are; the end of ``type`` names one."""

_CHALLENGE = (b"www-authenticate", b'Bearer realm="grantway"')
_CONTENT = (b"content-type", PROBLEM_TYPE.encode())


class Place(Answer, frozen=True, kw_only=True):
    """What is wrong where: in the body (``pointer``, RFC 6901) or in the query or address (``parameter``)."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(Answer, frozen=True, kw_only=True):
    """Problem details (RFC 9457). ``instance`` is the id of the request; ``reason`` a stable slug, where there is one."""

    type: str
    title: str
    status: int
    instance: str
    detail: str | None = None
    reason: str | None = None
    errors: list[Place] = []


class ProblemKind(Answer, frozen=True, kw_only=True):
    """One kind of problem: the end of its ``type``, its status and its title."""

    code: str
    status: int
    title: str


@record
class No:
    """What is to be said when the answer is no. ``detail`` is for the operator who asked."""

    error: OAuthError
    detail: str | None = None
    reason: str | None = None
    places: tuple[Place, ...] = ()
    retry_after: int | None = None


class Unfit(Malformed):
    """A body or query that can be read but does not fit its schema (or, by ``error``, what is there)."""

    def __init__(self, reason: str, *places: Place, error: OAuthError = INVALID_REQUEST) -> None:
        super().__init__(error, reason)
        self.places = places


def write_problem(no: No, issuer: str, request_id: str) -> HttpAnswer:
    """The problem as it is sent. A 401 names the scheme (RFC 9110 §15.5.2)."""
    error = no.error
    problem = Problem(
        type=f"{issuer}{PROBLEMS_PATH}#{error.code}",
        title=error.description,
        status=error.status,
        instance=request_id,
        detail=None if no.detail is None else str(no.detail),  # the encoder takes no sentence that knows more
        reason=no.reason,
        errors=list(no.places),
    )
    headers = [_CONTENT, NO_STORE]
    if error.status == 401:
        headers.append(_CHALLENGE)
    if no.retry_after is not None:
        headers.append((b"retry-after", b"%d" % no.retry_after))
    return HttpAnswer(error.status, tuple(headers), msgspec.json.encode(_without_nulls(problem)))


def _without_nulls(problem: Problem) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(problem)
    told["errors"] = [{name: value for name, value in one.items() if value is not None} for one in told["errors"]]
    return {name: value for name, value in told.items() if value not in (None, [])}
