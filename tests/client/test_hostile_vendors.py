"""Each of the vendors' calls against the hostile twin: every row is a typed error, never an answer, and shows no secret."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from grantway.client import (
    ClientError,
    ErrorEntry,
    NoAnswer,
    PhoneComServer,
    Refused,
    SquareServer,
    Timeouts,
    Tokens,
)
from tests.helpers.hostile import PATIENT, Hostile, Row, everything_shown, http, rows, says, transport_rows

SECRET, CODE, PASSWORD = "sq0csp-secret123", "sq0cgb-code456", "hunter2hunter2"
ACCESS, REFRESH, NEW_ACCESS, NEW_REFRESH = "EAAAaccess012", "EQAArefresh345", "EAAAnewaccess678", "EQAAnewrefresh901"
SECRETS = (SECRET, CODE, PASSWORD, ACCESS, REFRESH, NEW_ACCESS, NEW_REFRESH)
CLIENT = f"Client {SECRET}"
APP = {"client_id": "app", "client_secret": SECRET}
HELD = Tokens(ACCESS, refresh_token=REFRESH)

SUNSHINE_TOKEN = {"access_token": NEW_ACCESS, "token_type": "Bearer"}
SUNSHINE_APP = {"id": "5698edbf2a43bd081be982f1", "displayName": "Acme", "subdomain": "acme", "settings": {}}
PHONECOM_TOKEN = {**SUNSHINE_TOKEN, "scope": "account-owner", "refresh_token": NEW_REFRESH, "expires_in": 3600}
PHONECOM_DETAILS = {"scope": "account-owner", "expires_at": 2000000000, "scope_details": [{"voip_id": 42}]}
SQUARE_RENEWED = {
    "access_token": NEW_ACCESS,
    "token_type": "bearer",
    "expires_at": "2026-04-03T18:31:06Z",
    "merchant_id": "MLQ",
}
SQUARE_TOKEN = {**SQUARE_RENEWED, "refresh_token": NEW_REFRESH, "short_lived": False}
SQUARE_STATUS = {
    "scopes": ["PAYMENTS_READ"],
    "expires_at": "2026-04-03T18:31:06Z",
    "client_id": "app",
    "merchant_id": "MLQ",
}
SQUARE_ERROR = {"category": "AUTHENTICATION_ERROR", "code": "UNAUTHORIZED", "detail": "no"}
MASON = {"@error": {"@message": "no", "@httpStatusCode": 422, "@code": "invalid_scope", "fields": {"scope": ["no"]}}}

Calls = Callable[..., Any]


def spoilt(good: dict[str, Any], *wrong: tuple[str, Any]) -> list[Row]:
    """Rows with one member of the wrong type."""
    return [
        Row(f"{name} is {value!r}", says(200, {**good, name: value}), NoAnswer, {"kind": "wrong_type"})
        for name, value in wrong
    ]


def error_rows(good: dict[str, Any], members: dict[str, Any], code: str) -> list[Row]:
    """The vendor's own refusal with a good status: alone, and beside what was asked for."""
    return [
        Row("200 with an error", says(200, members), Refused, {"code": code, "status": 200}),
        Row("200 with an error and the answer", says(200, {**good, **members}), Refused, {"code": code}),
    ]


def token_rows(good: dict[str, Any], texts: Sequence[str]) -> list[Row]:
    half = {name: value for name, value in good.items() if name != "refresh_token"}
    return [
        *rows(good, needed=("access_token", "token_type"), texts=texts),
        Row("another type of token", says(200, {**good, "token_type": "DPoP"}), NoAnswer, {"kind": "token_type"}),
        Row("half of it in camel case", says(200, {**half, "refreshToken": "x"}), NoAnswer, {"kind": "camel_case"}),
    ]


@dataclass(frozen=True)
class Case:
    """One documented call: what it is, a good answer to it, and all the bad ones."""

    name: str
    vendor: str
    call: Callable[[Any], Any]
    good: Any
    table: list[Row] = field(repr=False)


def get_token(to: Any) -> Any:
    return to.get_token(code=CODE, grant_type="authorization_code", **APP)


def obtain_token(to: Any) -> Any:
    return to.obtain_token(grant_type="authorization_code", code=CODE, refresh_token=REFRESH, **APP)


def renew_token(to: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return to.renew_token("app", {"access_token": ACCESS}, CLIENT)


SUNSHINE_ERROR = {"errors": [{"code": "bad_request", "title": "no"}]}
TIMES: tuple[tuple[str, Any], ...] = tuple(
    ("expires_at", value) for value in ("soon", 7, "2026-13-01T00:00:00Z", "2026-03-01T00:00:00", ["2026"], True)
)
NOT_EMPTY = [row for row in transport_rows() if row.expected.get("kind") != "empty"]

CASES = [
    Case("get_token", "Sunshine", get_token, SUNSHINE_TOKEN, [
        *token_rows(SUNSHINE_TOKEN, ("access_token", "token_type")),
        *error_rows(SUNSHINE_TOKEN, SUNSHINE_ERROR, "bad_request"),
        *error_rows(SUNSHINE_TOKEN, {"error": {"code": "invalid", "description": "no"}}, "invalid"),
        *error_rows(SUNSHINE_TOKEN, {"error": "invalid_grant"}, "invalid_grant"),
    ]),
    Case("get_token_info", "Sunshine", lambda to: to.get_token_info(), {"app": SUNSHINE_APP}, [
        *rows({"app": SUNSHINE_APP}, needed=(), texts=()),
        *spoilt({}, ("app", "x"), ("app", [SUNSHINE_APP])),
        *[Row(f"id {value!r}", says(200, {"app": {**SUNSHINE_APP, "id": value}}), NoAnswer, {"kind": kind})
          for value, kind in ((7, "wrong_type"), (None, "missing_field"), ("", "missing_field"))],
        *[Row(f"{name} {value!r}", says(200, {"app": {**SUNSHINE_APP, name: value}}), NoAnswer, {"kind": "wrong_type"})
          for name, value in (("displayName", 7), ("subdomain", []), ("settings", "x"), ("metadata", [1]))],
        *error_rows({"app": SUNSHINE_APP}, SUNSHINE_ERROR, "bad_request"),
    ]),
    Case("revoke_access", "Sunshine", lambda to: to.revoke_access(), {}, [
        *transport_rows(), *error_rows({}, SUNSHINE_ERROR, "bad_request"),
    ]),
    Case("create_oauth_access_token", "PhoneCom", lambda to: to.create_oauth_access_token(
            grant_type="password", username="ada", password=PASSWORD, refresh_token=REFRESH, code=CODE, **APP),
        PHONECOM_TOKEN, [
        *token_rows(PHONECOM_TOKEN, ("access_token", "refresh_token", "scope")),
        *spoilt(PHONECOM_TOKEN, ("expires_in", "soon"), ("expires_in", -1), ("expires_in", 2**62), ("scope", ["a"])),
        *error_rows(PHONECOM_TOKEN, MASON, "invalid_scope"),
    ]),
    Case("get_oauth_access_token", "PhoneCom", lambda to: to.get_oauth_access_token(), PHONECOM_DETAILS, [
        *rows(PHONECOM_DETAILS, needed=(), texts=("scope",)),
        *spoilt(PHONECOM_DETAILS, ("expires_at", "soon"), ("expires_at", -1), ("expires_at", 1.5), ("expires_at", True),
                ("expires_at", 10**30), ("expires_at", 10**15), ("scope_details", {"voip_id": 1}), ("scope_details", [1]),
                ("scope_details", [{"voip_id": "x"}]), ("scope_details", [{"extension_id": 1.5}])),
        *error_rows(PHONECOM_DETAILS, MASON, "invalid_scope"),
    ]),
    Case("delete_access_token", "PhoneCom", lambda to: to.delete_access_token(), {"success": True}, [
        *NOT_EMPTY, *spoilt({}, ("success", "yes"), ("success", False)), *error_rows({}, MASON, "invalid_scope"),
    ]),
    Case("obtain_token", "Square", obtain_token, SQUARE_TOKEN, [
        *token_rows(SQUARE_TOKEN, ("access_token", "refresh_token", "merchant_id")),
        *spoilt(SQUARE_TOKEN, *TIMES, ("refresh_token_expires_at", "soon"), ("short_lived", "yes")),
        *error_rows(SQUARE_TOKEN, {"errors": [SQUARE_ERROR]}, "invalid_grant"),
    ]),
    Case("renew_token", "Square", renew_token, SQUARE_RENEWED, [
        *token_rows(SQUARE_RENEWED, ("access_token", "merchant_id")), *spoilt(SQUARE_RENEWED, *TIMES),
        *error_rows(SQUARE_RENEWED, {"errors": [SQUARE_ERROR]}, "invalid_grant"),
    ]),
    Case("retrieve_token_status", "Square", lambda to: to.retrieve_token_status(), SQUARE_STATUS, [
        *rows(SQUARE_STATUS, needed=(), texts=("client_id", "merchant_id")),
        Row("no client_id", says(200, {**SQUARE_STATUS, "client_id": None}), NoAnswer, {"kind": "missing_field"}),
        *spoilt(SQUARE_STATUS, *TIMES, ("scopes", 7), ("scopes", [7]), ("scopes", {"a": "b"})),
        *error_rows(SQUARE_STATUS, {"errors": [SQUARE_ERROR]}, "invalid_token"),
    ]),
    Case("revoke_token", "Square", lambda to: to.revoke_token(
            {"client_id": "app", "access_token": ACCESS}, CLIENT), {"success": True}, [
        *transport_rows(), Row("an empty object", says(200, {}), NoAnswer, {"kind": "missing_field"}),
        Row("not successful", says(200, {"success": False}), NoAnswer, {"kind": "missing_field"}),
        *spoilt({}, ("success", "true")), *error_rows({"success": True}, {"errors": [SQUARE_ERROR]}, "invalid_grant"),
    ]),
]  # fmt: skip


def speaker(calls: Calls, vendor: str, twin: Hostile, timeouts: Timeouts = PATIENT) -> Any:
    base_url = twin.base_url + ("/v4" if vendor == "PhoneCom" else "")
    return calls(vendor, base_url, access_token=ACCESS, timeouts=timeouts)


def shows_no_secret(error: ClientError, logged: Sequence[logging.LogRecord] = ()) -> None:
    shown = everything_shown(error, logged)
    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize(
    ("case", "row"), [pytest.param(case, row, id=f"{case.name}-{row.name}") for case in CASES for row in case.table]
)
def test_a_wrong_answer_to_a_vendors_call_is_a_typed_error(
    case: Case, row: Row, calls: Calls, twin: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    twin.play(row.play)
    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError) as raised:
        case.call(speaker(calls, case.vendor, twin, row.timeouts))
    row.is_met_by(raised.value)
    shows_no_secret(raised.value, caplog.records)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_good_answer_of_each_call_is_good_and_shows_no_secret(case: Case, calls: Calls, twin: Hostile) -> None:
    twin.play(says(201 if case.good is PHONECOM_TOKEN else 200, case.good))
    to = speaker(calls, case.vendor, twin)
    answer = case.call(to)
    shown = repr(answer) + str(answer) + repr(to)
    assert [secret for secret in SECRETS if secret in shown] == []
    if case.good.get("access_token"):
        assert answer.access_token == NEW_ACCESS


def test_signing_out_needs_no_answer_beyond_its_status(calls: Calls, twin: Hostile) -> None:
    """What Phone.com answers to it is not documented."""
    twin.play(lambda connection: connection.sendall(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n"))
    speaker(calls, "PhoneCom", twin).delete_access_token()


@pytest.mark.parametrize("server", [SquareServer, PhoneComServer])
def test_a_refresh_whose_answer_was_lost_is_repeated_with_the_same_key(
    server: Callable[[str], Any], make: Calls, twin: Hostile
) -> None:
    good = {**PHONECOM_TOKEN, "expires_at": "2026-04-03T18:31:06Z"}
    twin.play(lambda connection: None, says(200, good))
    client = make(server(twin.base_url), **APP, timeouts=PATIENT)
    assert client.refresh(HELD).refresh_token == NEW_REFRESH
    first, second = twin.received
    assert first == second
    assert b"\r\nidempotency-key: " in first.lower()


@pytest.mark.parametrize("case", [case for case in CASES if "token" in case.good or "access_token" in case.good],
                         ids=lambda case: case.name)  # fmt: skip
def test_what_makes_tokens_from_something_that_is_used_up_is_sent_once(case: Case, calls: Calls, twin: Hostile) -> None:
    twin.play(lambda connection: None)
    with pytest.raises(ClientError) as raised:
        case.call(speaker(calls, case.vendor, twin))
    assert raised.value.outcome_unknown
    assert len(twin.received) == 1


# What the vendor says of a refusal, and the entries that are kept of it.
VERBATIM: list[tuple[str, int, Any, list[ErrorEntry]]] = [
    ("obtain_token", 401, {"errors": [{**SQUARE_ERROR, "field": "code"}, {"category": "API_ERROR", "code": "OTHER"}]},
     [ErrorEntry("UNAUTHORIZED", "no", "AUTHENTICATION_ERROR", "code"), ErrorEntry("OTHER", None, "API_ERROR")]),
    ("obtain_token", 401, {"message": "Not Authorized", "type": "service.not_authorized"},
     [ErrorEntry("service.not_authorized", "Not Authorized")]),
    ("retrieve_token_status", 401, {"errors": [SQUARE_ERROR]},
     [ErrorEntry("UNAUTHORIZED", "no", "AUTHENTICATION_ERROR")]),
    ("get_token", 400, {"errors": [{"code": "bad_request", "title": "One"}, {"code": "missing", "title": "Two"}]},
     [ErrorEntry("bad_request", "One"), ErrorEntry("missing", "Two")]),
    ("create_oauth_access_token", 422, MASON, [ErrorEntry("invalid_scope", "no", None, "scope")]),
    ("create_oauth_access_token", 422, {"@error": {"@message": "no", "@httpStatusCode": 422}},
     [ErrorEntry(None, "no")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "said", "entries"), VERBATIM)
def test_the_vendors_own_entries_of_a_refusal_are_kept_word_for_word(
    name: str, status: int, said: Any, entries: list[ErrorEntry], calls: Calls, twin: Hostile
) -> None:
    case = next(case for case in CASES if case.name == name)
    twin.play(says(status, said))
    with pytest.raises(Refused) as raised:
        case.call(speaker(calls, case.vendor, twin))
    assert list(raised.value.errors) == entries
    assert ("UNAUTHORIZED" in repr(raised.value.errors)) is ("UNAUTHORIZED" in str(said))
    assert raised.value.status == status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_refusal_that_repeats_what_was_sent_does_not_show_it(case: Case, calls: Calls, twin: Hostile) -> None:
    everything = " ".join(SECRETS)
    for said in (
        {"errors": [{"code": ACCESS, "title": everything, "detail": everything, "category": CODE, "field": SECRET}]},
        {"message": everything, "type": SECRET},
        {"@error": {"@message": everything, "@code": ACCESS, "fields": {PASSWORD: [everything]}}},
    ):
        body = http(400, json.dumps(said).encode())
        twin.play(lambda connection, body=body: connection.sendall(body))  # type: ignore[misc]
        with pytest.raises(ClientError) as raised:
            case.call(speaker(calls, case.vendor, twin))
        shows_no_secret(raised.value)
        entries = repr(getattr(raised.value, "errors", ()))
        assert [secret for secret in SECRETS if secret in entries] == []
