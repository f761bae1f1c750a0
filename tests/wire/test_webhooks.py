"""Webhooks on the wire: what one end writes the other reads back equal, and any bytes are read or ``Malformed``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.wire.dialects.standard import webhooks as standard
from grantway.wire.dialects.sunshine import webhooks as sunshine
from grantway.wire.errors import Malformed
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.times import read_time, write_time
from grantway.wire.webhook_messages import (
    WebhookAnswer,
    WebhookFields,
    WebhookListAnswer,
    WebhookRequest,
    WebhookTestAnswer,
)
from tests.wire import strategies as some
from tests.wire.strategies import maybe, property_of, visible

DIALECTS = [standard, sunshine]
events = st.lists(visible, min_size=1, max_size=3).map(tuple)
times = st.datetimes(timezones=st.just(UTC))
flags = st.dictionaries(st.sampled_from([sunshine.FULL_USER, sunshine.FULL_SOURCE]), st.booleans())
tokens = maybe(some.bearer_tokens)
standard_fields = st.builds(WebhookFields, maybe(visible), maybe(events), maybe(visible))
sunshine_fields = st.builds(WebhookFields, maybe(visible), maybe(events), maybe(visible), flags)
standard_answers = st.builds(
    WebhookAnswer, visible, visible, events, visible, times, maybe(times), maybe(visible), maybe(times)
)
both_flags = st.fixed_dictionaries({name: st.booleans() for name in (sunshine.FULL_USER, sunshine.FULL_SOURCE)})
sunshine_answers = st.builds(
    WebhookAnswer, visible, visible, events, visible, secret=maybe(visible), options=both_flags
)


@property_of
@given(message=st.builds(WebhookRequest, tokens, maybe(visible)), fields=standard_fields)
def test_a_standard_call_comes_back_as_it_was_written(message: WebhookRequest, fields: WebhookFields) -> None:
    path = standard.WEBHOOKS_PATH if message.webhook_id is None else standard.WEBHOOK_PATH
    written = standard.write_webhook_request(message, "PATCH", path, fields)
    assert standard.read_webhook_request(written) == message
    assert standard.read_webhook_fields_request(written) == fields


@property_of
@given(message=st.builds(WebhookRequest, tokens, maybe(visible), visible, visible), fields=sunshine_fields)
def test_a_sunshine_call_comes_back_as_it_was_written(message: WebhookRequest, fields: WebhookFields) -> None:
    written = sunshine.write_webhook_request(message, "POST", fields)
    assert sunshine.read_webhook_request(written) == message
    assert sunshine.read_webhook_fields_request(written) == fields


@property_of
@given(answer=standard_answers)
def test_a_standard_answer_comes_back_as_it_was_written(answer: WebhookAnswer) -> None:
    assert standard.read_webhook_answer(standard.write_webhook_answer(answer)) == answer
    many = WebhookListAnswer((answer, answer))
    assert standard.read_webhook_list_answer(standard.write_webhook_list_answer(many)) == many


@property_of
@given(answer=sunshine_answers)
def test_a_sunshine_answer_comes_back_as_it_was_written(answer: WebhookAnswer) -> None:
    assert sunshine.read_webhook_answer(sunshine.write_webhook_answer(answer)) == answer
    many = WebhookListAnswer((answer, answer))
    assert sunshine.read_webhook_list_answer(sunshine.write_webhook_list_answer(many)) == many


def test_the_answer_to_a_test_comes_back_as_it_was_written() -> None:
    answer = WebhookTestAnswer("nt_1")
    assert standard.read_webhook_test_answer(standard.write_webhook_test_answer(answer)) == answer


@pytest.mark.parametrize("dialect", DIALECTS)
@property_of
@given(request=some.odd_requests)
def test_any_request_is_read_or_malformed(dialect: Any, request: HttpRequest) -> None:
    others = [header for header in request.headers if header[0] != b"content-type"]
    for one in (request, replace(request, method="POST", headers=(*others, JSON))):
        with suppress(Malformed):
            dialect.read_webhook_request(one)
        with suppress(Malformed):
            dialect.read_webhook_fields_request(one)


@pytest.mark.parametrize(
    "read",
    [
        getattr(dialect, name)
        for dialect in DIALECTS
        for name in dir(dialect)
        if name.endswith("_answer") and "read_w" in name
    ],
)
@property_of
@given(
    status=st.sampled_from([200, 201, 400, 500]),
    body=st.binary(max_size=40)
    | some.mutated(standard_answers.map(lambda answer: standard.write_webhook_answer(answer).body)),
)
def test_any_answer_is_read_or_malformed(read: Any, status: int, body: bytes) -> None:
    with suppress(Malformed):
        read(HttpAnswer(status, (JSON,), body))


@property_of
@given(at=times)
def test_a_time_comes_back_as_it_was_written(at: datetime) -> None:
    assert read_time(write_time(at)) == at


def test_times_are_written_in_utc() -> None:
    at = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert write_time(at) == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "0001-01-01T00:00:00+10:00"]
)
def test_what_is_no_point_in_time_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read_time(text)
