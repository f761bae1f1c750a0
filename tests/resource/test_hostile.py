"""An authorization server that answers anything but what it should: whoever calls the API stays outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grantway.resource import Introspection, SignedTokens, Verifier, asking
from tests.helpers.hostile import PATIENT, Hostile, Row, dripping_rows, hostile, rows, says, transport_rows
from tests.resource.conftest import Protected
from tests.resource.test_signed import EC, public, signed

GOOD = {"active": True, "token_type": "Bearer", "scope": "read", "client_id": "shop", "aud": "https://api.example"}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    monkeypatch.setattr(asking, "TIMEOUTS", PATIENT)
    with hostile() as one:
        yield one


def verifiers(base_url: str) -> list[tuple[Verifier, str]]:
    """Each kind, with a token that it would let in if the answer were right."""
    return [
        (Introspection(f"{base_url}/introspect", "api", "sesame"), "gwa_secret"),
        (SignedTokens("https://login.example", f"{base_url}/jwks.json"), signed()),
    ]


@pytest.mark.parametrize("row", [*transport_rows(), dripping_rows()[0]], ids=lambda row: row.name)
def test_no_answer_lets_nobody_in(
    there: Hostile, protected: Protected, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, row: Row
) -> None:
    monkeypatch.setattr(asking, "TIMEOUTS", row.timeouts)
    for verifier, token in verifiers(there.base_url):
        there.play(row.play)
        reply = protected(verifier, audience="https://api.example").get(token)
        assert (reply.status, reply.json()["error"]) == (503, "temporarily_unavailable"), row.name
        assert reply.header("retry-after") is not None
        assert token not in caplog.text + reply.text
        assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    "row", rows(GOOD, needed=("active",), texts=("token_type", "client_id")), ids=lambda row: row.name
)
def test_half_an_answer_lets_nobody_in(there: Hostile, protected: Protected, row: Row) -> None:
    there.play(row.play)
    verifier, token = verifiers(there.base_url)[0]
    assert protected(verifier, audience="https://api.example").get(token).status in {401, 503}


def test_the_right_answer_does(there: Hostile, protected: Protected) -> None:
    there.play(says(200, GOOD))
    verifier, token = verifiers(there.base_url)[0]
    assert protected(verifier, audience="https://api.example").get(token).status == 200


def test_an_answer_that_was_lost_is_asked_for_once_more(there: Hostile, protected: Protected) -> None:
    there.play(lambda connection: None, says(200, GOOD))
    verifier, token = verifiers(there.base_url)[0]
    assert protected(verifier, audience="https://api.example").get(token).status == 200
    there.play(lambda connection: None)
    assert protected(verifier, audience="https://api.example").get(token).status == 503
    assert len(there.received) == 2


def test_a_redirect_is_not_followed_with_the_token(there: Hostile, protected: Protected) -> None:
    with hostile() as elsewhere:
        elsewhere.play(says(200, GOOD))
        there.play(says(307, {}, ("Location", f"{elsewhere.base_url}/introspect")))
        verifier, token = verifiers(there.base_url)[0]
        assert protected(verifier, audience="https://api.example").get(token).status == 503
        assert elsewhere.received == []


def test_keys_are_read_where_they_come_as_they_should(there: Hostile, protected: Protected) -> None:
    there.play(says(200, {"keys": [public(EC)]}))
    verifier, _ = verifiers(there.base_url)[1]
    assert protected(verifier, audience="https://api.example").get(signed()).status == 401  # long expired by this clock
    assert len(there.received) == 1
