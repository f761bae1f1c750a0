"""What the client makes of a server that gives every answer but the right one. Each row is a typed error, never tokens."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grantway.client import ClientError, NoAnswer, NotReached, Tokens
from grantway.client.standard import Metadata, Standard
from tests.helpers.hostile import (
    PATIENT,
    Hostile,
    Row,
    dripping_rows,
    everything_shown,
    hostile,
    rows,
    says,
    token_rows,
    transport_rows,
)
from tests.helpers.receiver import certificate

SECRET, ACCESS, REFRESH = "gws_secret123", "gwa_access456", "gwr_refresh789"
NEW_ACCESS, NEW_REFRESH = "gwa_newaccess012", "gwr_newrefresh345"
GOOD_TOKENS = {
    "access_token": NEW_ACCESS,
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": NEW_REFRESH,
    "scope": "read",
}
GOOD_INFO = {"active": True, "scope": "read", "client_id": "me", "exp": 2000000000}
HELD = Tokens(ACCESS, refresh_token=REFRESH)

TOKEN_TABLE = [*rows(GOOD_TOKENS, needed=("access_token", "token_type")), *token_rows(GOOD_TOKENS)]
GOOD_METADATA = {
    "issuer": "replaced",
    "authorization_endpoint": "https://login.example/authorize",
    "token_endpoint": "https://login.example/token",
}
# A 4xx sends the client to the next address where metadata may be.
METADATA_TABLE = [
    row
    for row in rows(GOOD_METADATA, needed=("issuer",), texts=("issuer", "token_endpoint"))
    if row.name != "a page with 404"
]
INFO_TABLE = rows(GOOD_INFO, needed=(), texts=("client_id", "scope"))

BODIES = {"nothing", "204", "not JSON", "bytes", "a byte order mark", "a list", "a text", "null", "too deep"}

Make = Callable[..., Any]


def client_of(make: Make, twin: Hostile, **settings: Any) -> Any:
    base = twin.base_url
    metadata = Metadata(base, f"{base}/authorize", f"{base}/token", f"{base}/introspect", f"{base}/revoke")
    settings = {"timeouts": PATIENT} | settings
    return make(Standard(base, metadata), client_id="me", client_secret=SECRET, **settings)


def shows_no_secret(error: ClientError, logged: list[logging.LogRecord]) -> None:
    shown = everything_shown(error, logged)
    assert [secret for secret in (SECRET, ACCESS, REFRESH, NEW_ACCESS, NEW_REFRESH) if secret in shown] == []


@pytest.mark.parametrize("row", TOKEN_TABLE + dripping_rows(), ids=lambda row: row.name)
def test_a_wrong_answer_to_a_refresh_is_a_typed_error(
    row: Row, make: Make, twin: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    twin.play(row.play)
    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError) as raised:
        client_of(make, twin, timeouts=row.timeouts).refresh(HELD)
    row.is_met_by(raised.value)
    shows_no_secret(raised.value, caplog.records)
    assert len(twin.received) == 1, "a server that knows no Idempotency-Key is asked once"


@pytest.mark.parametrize("row", INFO_TABLE, ids=lambda row: row.name)
def test_a_wrong_answer_to_what_a_token_is_good_for_is_a_typed_error(
    row: Row, make: Make, twin: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    twin.play(row.play)
    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError) as raised:
        client_of(make, twin, timeouts=row.timeouts).info(HELD)
    row.is_met_by(raised.value)
    shows_no_secret(raised.value, caplog.records)


@pytest.mark.parametrize("row", METADATA_TABLE, ids=lambda row: row.name)
def test_wrong_metadata_is_a_typed_error(row: Row, make: Make, twin: Hostile) -> None:
    twin.play(row.play)
    with pytest.raises(ClientError) as raised:
        make(twin.base_url, client_id="me", timeouts=row.timeouts).begin()
    row.is_met_by(raised.value)


@pytest.mark.parametrize(
    "row",
    [row for row in transport_rows() if row.name not in BODIES]
    + [Row("200 with an error", says(200, {"error": "x"}), NoAnswer, {"kind": "error_in_success"})],
    ids=lambda row: row.name,
)
def test_a_wrong_answer_to_a_revocation_has_revoked_nothing(row: Row, make: Make, twin: Hostile) -> None:
    twin.play(row.play)
    with pytest.raises(ClientError) as raised:
        client_of(make, twin, timeouts=row.timeouts).revoke(HELD)
    row.is_met_by(raised.value)


@pytest.mark.parametrize("row", [row for row in transport_rows() if row.name in BODIES], ids=lambda row: row.name)
def test_what_stands_in_the_answer_to_a_revocation_is_not_looked_at(row: Row, make: Make, twin: Hostile) -> None:
    """RFC 7009 §2.2."""
    twin.play(row.play)
    client_of(make, twin).revoke(HELD)


def test_the_good_answers_of_the_table_are_good(make: Make, twin: Hostile) -> None:
    client = client_of(make, twin)
    twin.play(says(200, GOOD_TOKENS))
    assert client.refresh(HELD).access_token == NEW_ACCESS
    twin.play(says(200, GOOD_INFO))
    assert client.info(HELD).active


def test_an_error_that_repeats_what_was_sent_does_not_show_it(make: Make, twin: Hostile) -> None:
    """A server may put a secret into its error code or its description: both are there to look at, and not in the text."""
    twin.play(says(400, {"error": REFRESH, "error_description": f"bad token {REFRESH} of {SECRET}"}))
    with pytest.raises(ClientError) as raised:
        client_of(make, twin).refresh(HELD)
    shows_no_secret(raised.value, [])
    assert raised.value.description == f"bad token {REFRESH} of {SECRET}"  # type: ignore[attr-defined]


def test_nothing_packed_is_asked_for_and_no_cookie_is_sent_back(make: Make, twin: Hostile) -> None:
    client = client_of(make, twin)
    twin.play(says(200, GOOD_TOKENS, ("Set-Cookie", "session=1; Path=/")))
    client.refresh(HELD)
    client.refresh(HELD)
    heads = [received.partition(b"\r\n\r\n")[0].lower() for received in twin.received]
    assert all(b"accept-encoding: identity" in head for head in heads)
    assert not any(b"cookie:" in head for head in heads)


def test_where_no_connection_stands_nothing_was_sent_and_it_is_tried_again(make: Make, twin: Hostile) -> None:
    twin.close()
    with pytest.raises(ClientError) as raised:
        client_of(make, twin).refresh(HELD)
    assert (type(raised.value).__name__, raised.value.outcome_unknown) == ("NotReached", False)


def test_a_proxy_variable_does_not_decide_who_sees_secrets(
    make: Make, twin: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    twin.play(says(200, GOOD_TOKENS))
    assert client_of(make, twin).refresh(HELD).access_token == NEW_ACCESS


def test_over_http_nothing_is_sent_to_another_machine(make: Make) -> None:
    metadata = Metadata("http://login.example", token_endpoint="http://login.example/token")
    client = make(Standard("http://login.example", metadata), client_id="me", client_secret=SECRET, timeouts=PATIENT)
    with pytest.raises(ClientError) as raised:
        client.refresh(HELD)
    assert type(raised.value).__name__ == "UnsafeAddress"


def test_members_in_both_spellings_are_understood(make: Make, twin: Hostile) -> None:
    twin.play(says(200, {**GOOD_TOKENS, "accessToken": "other", "refreshToken": "other"}))
    assert client_of(make, twin).refresh(HELD).refresh_token == NEW_REFRESH


def test_json_is_read_whatever_it_is_called(make: Make, twin: Hostile) -> None:
    def play(connection: Any) -> None:
        body = json.dumps(GOOD_TOKENS).encode()
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )

    twin.play(play)
    assert client_of(make, twin).refresh(HELD).access_token == NEW_ACCESS


# --- TLS


def test_a_server_whose_certificate_nobody_vouches_for_is_not_spoken_to(make: Make, tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, "127.0.0.1")
    with hostile(tls) as twin:
        twin.play(says(200, GOOD_TOKENS))
        with pytest.raises(NotReached) as raised:
            client_of(make, twin).refresh(HELD)
        assert (raised.value.reason, raised.value.outcome_unknown, twin.received) == ("tls", False, [])


def test_a_certificate_for_another_name_is_none(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, _ = certificate(tmp_path, "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "receiver.pem"))
    with hostile(tls) as twin:
        twin.play(says(200, GOOD_TOKENS))
        with pytest.raises(NotReached) as raised:
            client_of(make, twin).refresh(HELD)
        assert (raised.value.reason, twin.received) == ("tls", [])


@pytest.mark.parametrize("name", ["", "headers that drip", "a body that drips", "silence"])
def test_over_tls_it_is_the_same(name: str, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Authorities of the environment count; so does the time of the whole call."""
    tls, _ = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "receiver.pem"))
    row = next((row for row in transport_rows() if row.name == name), None)
    with hostile(tls) as twin:
        client = client_of(make, twin)
        twin.play(says(200, GOOD_TOKENS) if row is None else row.play)
        if row is None:
            assert client.refresh(HELD).access_token == NEW_ACCESS
            return
        with pytest.raises(ClientError) as raised:
            client.refresh(HELD)
        row.is_met_by(raised.value)
