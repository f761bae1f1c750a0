"""Scopes and resources that narrow and never widen; proof keys (RFC 6749 §3.3, RFC 8707 §2, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.protocol.pkce import is_challenge, verifies
from grantway.protocol.scope import at_positions, common, is_resource, positions, within
from tests.helpers.stage import CHALLENGE, VERIFIER

scopes = st.lists(st.sampled_from("abcdefghij"), unique=True).map(tuple)
UNRESERVED = string.ascii_letters + string.digits + "-._~"


@given(scopes, scopes)
def test_what_two_have_in_common_is_within_both_and_in_the_order_of_the_first(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    both = common(one, other)
    assert within(both, one)
    assert within(both, other)
    assert both == tuple(each for each in one if each in set(both))
    assert within(one, other) == (set(one) <= set(other))


@given(scopes, st.data())
def test_positions_name_the_chosen_ones(ordered: tuple[str, ...], data: st.DataObject) -> None:
    chosen = tuple(each for each in ordered if data.draw(st.booleans()))
    assert at_positions(positions(chosen, ordered), ordered) == chosen
    assert positions(chosen, ordered) < 1 << len(ordered)


@given(scopes, st.integers(0, 2**70))
def test_no_bitmap_names_more_than_the_list_has(ordered: tuple[str, ...], bitmap: int) -> None:
    assert within(at_positions(bitmap, ordered), ordered)


@pytest.mark.parametrize("uri", ["https://api.example", "https://api.example/a?b=c", "urn:example:api", "app:/x"])
def test_an_absolute_uri_names_a_resource(uri: str) -> None:
    assert is_resource(uri)


@pytest.mark.parametrize(
    "uri", ["", "api", "/api", "//api.example", "https:", "https://api.example#", "https://a.example/#b", "http://["]
)
def test_anything_else_names_none(uri: str) -> None:
    assert not is_resource(uri)


def test_the_example_of_rfc_7636_verifies() -> None:
    assert verifies(VERIFIER, CHALLENGE)


@given(st.text(UNRESERVED, min_size=43, max_size=128), st.text(UNRESERVED, min_size=43, max_size=128))
def test_a_verifier_fits_its_own_challenge_only(verifier: str, other: str) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert is_challenge(challenge)
    assert verifies(verifier, challenge)
    assert verifies(other, challenge) == (other == verifier)
    assert not verifies(challenge, challenge)  # plain


@pytest.mark.parametrize(
    "verifier", ["", "x" * 42, "x" * 129, "x" * 42 + "é", "x" * 42 + " ", "x" * 43 + "\n", "x" * 42 + "/"]
)
def test_what_is_no_verifier_verifies_nothing(verifier: str) -> None:
    """RFC 7636 §4.1: 43 to 128 unreserved characters, even when the digest would fit."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert not verifies(verifier, challenge)


@pytest.mark.parametrize(
    "text", ["", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE + "=", CHALLENGE[:-1] + "+", CHALLENGE + "\n"]
)
def test_what_is_no_challenge_is_refused_at_once(text: str) -> None:
    assert not is_challenge(text)


@given(st.text(), st.text())
def test_any_texts_verify_nothing_unless_they_fit(verifier: str, challenge: str) -> None:
    assert not (challenge.isascii() and verifies(verifier, challenge))
