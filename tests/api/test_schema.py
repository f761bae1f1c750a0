"""The API is what its OpenAPI document says: everything that may be sent is sent, and much that may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from grantway.server.api.calls import CALLS
from grantway.server.api.openapi import describe
from grantway.server.api.reference import reference
from tests.api.conftest import PUBLIC_URL, Api, Furnished, api_in_memory
from tests.house.documents import ROOT

# Not positive_data_acceptance: a rule may refuse (422) what the document allows. That it could be read is looked at here.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
bounded = settings(max_examples=5, suppress_health_check=list(HealthCheck))
described = schemathesis.openapi.from_dict(describe(CALLS, PUBLIC_URL))
operations = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
each_operation = pytest.mark.parametrize("operation", operations, ids=lambda one: one.label)


@pytest.fixture
def furnished() -> Iterator[Furnished]:
    with api_in_memory() as api:
        yield api.furnish()


def test_every_call_is_described() -> None:
    assert {one.label for one in operations} == {f"{call.method} {call.path}" for call in CALLS}


@each_operation
def test_what_the_document_allows_is_read_and_answered_as_it_says(operation: Any, furnished: Furnished) -> None:
    """With a key that may and with one that may not, at addresses of nothing and of what is there."""
    call = next(call for call in CALLS if f"{call.method} {call.path}" == operation.label)
    useless = furnished.api.new_key("audit:read" if call.scope != "audit:read" else "users:read")
    statuses = set()

    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @bounded
    def holds(case: Any) -> None:
        assert _check(case, furnished.api, useless, CHECKS).status_code == 403
        for path_values in (case.path_parameters, {**case.path_parameters, **furnished.of(case.path_parameters)}):
            case.path_parameters = path_values
            reply = _check(case, furnished.api, furnished.api.key, CHECKS)
            assert reply.status_code != 400 or _cannot_be_told(reply), reply.text
            statuses.add(reply.status_code)

    holds()
    assert statuses != {404} or not furnished.of(one.name for one in operation.path_parameters)


@each_operation
def test_what_the_document_does_not_allow_is_refused(operation: Any, furnished: Furnished) -> None:
    if not operation.body and not operation.query and not operation.path_parameters:
        pytest.skip("takes nothing")

    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @bounded
    def holds(case: Any) -> None:
        _check(case, furnished.api, furnished.api.key, [*CHECKS, negative_data_rejection])

    holds()


def _check(case: Any, api: Api, key: str, checks: list[Any]) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    sent = requests.Request(**case.as_transport_kwargs(base_url=PUBLIC_URL, headers=headers)).prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    got = api.caller.request(str(sent.method), str(sent.url), sent.headers.items(), body)
    told: dict[str, list[str]] = {}
    for name, value in got.headers:
        told.setdefault(name, []).append(value)
    reply = Response(got.status, told, got.body, sent, 0.0, verify=False)
    if got.status == 413:  # refused, but not in a way that schemathesis counts
        checks = CHECKS
    case.validate_response(reply, checks=checks)
    return reply


def _cannot_be_told(reply: Response) -> bool:
    """JSON Schema takes 1.0 for an integer and knows neither NULs nor how deep or long a body as a whole may be."""
    places = reply.json().get("errors")
    return not places or (places[0]["detail"].startswith("Expected int") and places[0]["detail"].endswith("got float."))


def test_the_reference_is_what_the_table_says() -> None:
    written = (ROOT / "docs/reference/api.md").read_text()
    assert written == reference(), "run: python -m grantway.server.api.reference > docs/reference/api.md"
