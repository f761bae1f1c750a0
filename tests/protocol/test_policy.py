"""Profiles and the single fields that a client may override."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.policy import PROFILES, Policy, resolve


def test_a_profile_without_overrides_is_itself() -> None:
    for name, policy in PROFILES.items():
        assert resolve(name) == policy


def test_the_standard_profile_is_oauth_2_1() -> None:
    policy = resolve("standard")
    assert (policy.pkce, policy.rotates_refresh_tokens, policy.names_issuer) == ("required", True, True)
    assert policy.grant_types == {"authorization_code", "refresh_token", "client_credentials"}
    assert policy.code_lifetime <= timedelta(minutes=10)  # RFC 6749 §4.1.2


def test_the_sunshine_profile_gives_one_token_without_end() -> None:
    policy = resolve("sunshine")
    assert (policy.access_token_format, policy.access_token_lifetime) == ("account_jwt", None)
    assert (policy.issues_refresh_tokens, policy.takes_scope, policy.names_issuer) == (False, False, False)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("access_token_lifetime", 90, timedelta(seconds=90)),
        ("access_token_lifetime", None, None),
        ("refresh_idle_lifetime", None, None),
        ("retry_window", 2.5, timedelta(seconds=2.5)),
        ("grant_types", "authorization_code refresh_token", frozenset({"authorization_code", "refresh_token"})),
        ("rotates_refresh_tokens", False, False),
        ("live_grants", 3, 3),
        ("access_token_format", "jwt", "jwt"),
    ],
)
def test_a_field_is_read_from_json(field: str, value: Any, read: Any) -> None:
    assert getattr(resolve("standard", ((field, value),)), field) == read


@pytest.mark.parametrize(
    ("overrides", "about"),
    [
        ({"nonesuch": 1}, "nonesuch"),
        ({"pkce": "perhaps"}, "pkce"),
        ({"code_lifetime": "soon"}, "code_lifetime"),
        ({"code_lifetime": True}, "code_lifetime"),
        ({"code_lifetime": -1}, "code_lifetime"),
        ({"code_lifetime": float("nan")}, "code_lifetime"),
        ({"access_token_lifetime": 3_651 * 86_400}, "access_token_lifetime"),
        ({"live_grants": True}, "live_grants"),
        ({"live_grants": "many"}, "live_grants"),
        ({"takes_scope": 1}, "takes_scope"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_sentence(overrides: dict[str, Any], about: str) -> None:
    with pytest.raises(ValueError, match=about):
        resolve("standard", tuple(sorted(overrides.items())))


def test_a_profile_that_there_is_not_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="standard, sunshine"):
        resolve("nonesuch")


@pytest.mark.parametrize(
    "field", ["code_lifetime", "retry_window", "retry_window_with_key", "code_reuse_window", "renewal_grace"]
)
def test_only_tokens_can_be_without_end(field: str) -> None:
    """A code without a lifetime, or a window without an end, was taken and failed at the first request."""
    with pytest.raises(ValueError, match=field):
        resolve("standard", ((field, None),))


@pytest.mark.parametrize(
    ("profile", "overrides"),
    [
        ("standard", {"access_token_format": "account_jwt", "access_token_lifetime": None}),
        ("sunshine", {"access_token_lifetime": 600}),
    ],
)
def test_token_formats_that_cannot_keep_the_policy_are_refused(profile: str, overrides: dict[str, Any]) -> None:
    """Such a client's tokens failed after the commit, or never expired although their answer said so."""
    with pytest.raises(ValueError, match=r"lifetime|account"):
        resolve(profile, tuple(sorted(overrides.items())))


def test_a_policy_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Policy.__setattr__(resolve("standard"), "live_grants", 1)
