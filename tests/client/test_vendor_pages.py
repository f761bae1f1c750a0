"""Every method of the vendors' five documentation pages is here, with every parameter and every field that they name.

The names were read off the pages by hand, as each language spells them.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from grantway.client import (
    AsyncPhoneCom,
    AsyncSquare,
    AsyncSunshine,
    CreateOauthParams,
    GetTokenRequest,
    ObtainTokenRequest,
    PhoneCom,
    RenewTokenRequest,
    RevokeTokenRequest,
    Square,
    Sunshine,
)

# page, method, its parameters (JavaScript's ``opts`` by their own names)
METHODS: list[tuple[str, str, tuple[str, ...]]] = [
    ("sunshine python", "authorize", ("client_id", "response_type", "state", "redirect_uri")),
    ("sunshine python", "get_token", ("get_token_request",)),
    ("sunshine python", "get_token_info", ()),
    ("sunshine python", "revoke_access", ()),
    ("sunshine javascript", "authorize", ("clientId", "responseType", "state", "redirectUri")),
    ("sunshine javascript", "getToken", ("inlineObject",)),
    ("sunshine javascript", "revokeAccess", ()),
    ("sunshine ruby", "authorize", ("client_id", "response_type", "state", "redirect_uri")),
    ("sunshine ruby", "get_token", ("inline_object",)),
    ("sunshine ruby", "revoke_access", ()),
    ("phonecom ruby", "create_oauth_access_token", ("data",)),
    ("phonecom ruby", "create_oauth_authorization", ("client_id", "response_type", "scope", "redirect_uri")),
    ("phonecom ruby", "get_oauth_access_token", ()),
    ("square ruby", "renew_token", ("client_id", "body", "authorization")),
    ("square ruby", "revoke_token", ("body", "authorization")),
    ("square ruby", "obtain_token", ("body",)),
]
# How a request object is called in libraries that had no better name for it.
RENAMED = {"inline_object": "get_token_request"}
CONFIGURED = {
    "sunshine": ("access_token", "username", "password", "base_url"),
    "phonecom": ("access_token", "base_url"),
    "square": ("base_url",),
}
CLASSES: dict[str, tuple[type, type]] = {
    "sunshine": (Sunshine, AsyncSunshine),
    "phonecom": (PhoneCom, AsyncPhoneCom),
    "square": (Square, AsyncSquare),
}
# The fields of the request objects: the pages' examples and sentences, and the objects that they refer to.
FIELDS: list[tuple[Any, set[str]]] = [
    (GetTokenRequest, {"code", "grant_type", "client_id", "client_secret"}),
    (CreateOauthParams, {
        "grant_type", "client_id", "client_secret", "code", "redirect_uri", "scope", "username", "password",
        "refresh_token"}),
    (RenewTokenRequest, {"access_token"}),
    (RevokeTokenRequest, {"client_id", "access_token", "merchant_id", "revoke_only_access_token"}),
    (ObtainTokenRequest, {
        "client_id", "client_secret", "code", "redirect_uri", "grant_type", "refresh_token", "migration_token", "scopes",
        "short_lived", "code_verifier", "use_jwt"}),
]  # fmt: skip


def python_spelling(name: str) -> str:
    return re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name)


@pytest.mark.parametrize(
    ("page", "method", "parameters"), METHODS, ids=[f"{page} {method}" for page, method, _ in METHODS]
)
def test_every_method_and_parameter_of_the_pages_is_here(page: str, method: str, parameters: tuple[str, ...]) -> None:
    for vendor in CLASSES[page.partition(" ")[0]]:
        found = inspect.signature(getattr(vendor, python_spelling(method))).parameters
        wanted = [RENAMED.get(name, name) for name in map(python_spelling, parameters)]
        assert [name for name in found if name in wanted] == wanted, "named as there, and in that order"


@pytest.mark.parametrize("vendor", CLASSES)
def test_what_the_libraries_are_configured_with_is_what_ours_are_made_with(vendor: str) -> None:
    for each in CLASSES[vendor]:
        assert set(CONFIGURED[vendor]) <= set(inspect.signature(each).parameters)


@pytest.mark.parametrize(("body", "fields"), FIELDS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_field_of_a_request_is_here_and_no_other(body: Any, fields: set[str]) -> None:
    assert set(body.__annotations__) == fields


@pytest.mark.parametrize("vendor", CLASSES)
def test_both_classes_have_the_same_calls_with_the_same_parameters(vendor: str) -> None:
    blocking, awaiting = CLASSES[vendor]
    calls = {name for name, _ in inspect.getmembers(blocking, inspect.isfunction) if not name.startswith("_")}
    assert calls == {name for name, _ in inspect.getmembers(awaiting, inspect.isfunction) if not name.startswith("_")}
    for name in calls - {"run"}:
        ours, theirs = (inspect.signature(getattr(each, name)).parameters for each in (blocking, awaiting))
        assert list(ours.values()) == list(theirs.values())
