"""The life of a client on the command line: changed, approved, looked after, ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Grantway
from tests.helpers.database import connect, draft, settle_in

Tell = Callable[..., dict[str, Any]]
URI = "https://client.example/cb"


@pytest.fixture
def helpdesk(tell: Tell) -> None:
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    tell(
        "clients", "create", "--name", "Helpdesk", "--client-id", "helpdesk", "--redirect-uri", URI,
        "--scope", "a b", "--create-scopes", "--set", "code_lifetime=30",
    )  # fmt: skip


@pytest.mark.usefixtures("helpdesk")
def test_an_update_changes_what_is_named_and_nothing_else(tell: Tell) -> None:
    before = tell("clients", "show", "helpdesk")
    after = tell("clients", "update", "helpdesk", "--name", "Desk", "--required-scope", "a", "--set", "pkce=accepted")
    changed = {"name": "Desk", "required_scopes": ["a"], "set": {"code_lifetime": 30, "pkce": "accepted"}}
    assert after == before | changed
    assert tell("clients", "update", "helpdesk", "--remove-url", "https://client.example/removed")["remove_url"]
    assert tell("clients", "update", "helpdesk", "--remove-url", "")["remove_url"] is None


@pytest.mark.usefixtures("helpdesk")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--redirect-uri", "ftp://x"), "client_malformed"),
        (("--scope", "nonesuch"), "scope_unknown"),
        (("--remove-url", "https://10.0.0.1/removed"), "remove_url_malformed"),
        (("--set", "nonesuch=1"), "policy_malformed"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    grantway: Grantway, tell: Tell, arguments: tuple[str, ...], reason: str
) -> None:
    before = tell("clients", "show", "helpdesk")
    assert grantway("clients", "update", "helpdesk", *arguments, "--json").answer["reason"] == reason
    assert tell("clients", "show", "helpdesk") == before


@pytest.mark.usefixtures("helpdesk")
def test_a_draft_is_approved_or_sent_back(grantway: Grantway, tell: Tell, data: Path) -> None:
    settle_in(data, draft, "draft", "ada@example.com")
    assert tell("clients", "show", "draft")["approved_at"] is None
    assert tell("clients", "waiting") == {"clients": []}
    sent_back = grantway("clients", "approve", "draft", "--send-back", "Who?", "--json")
    assert sent_back.answer["reason"] == "client_not_submitted"
    assert tell("clients", "approve", "draft")["approved_at"]
    assert grantway("clients", "approve", "draft", "--json").answer["reason"] == "client_approved"


@pytest.mark.usefixtures("helpdesk")
def test_an_ended_client_takes_its_connections_along(grantway: Grantway, tell: Tell, data: Path) -> None:
    account = tell("accounts", "create", "--name", "Acme")["id"]
    connection = settle_in(data, connect, "helpdesk", account)
    assert tell("clients", "end", "helpdesk")["removed_connections"] == 1
    assert tell("connections", "show", connection)["removed_at"]
    assert grantway("clients", "show", "helpdesk", "--json").answer["reason"] == "client_unknown"


@pytest.mark.usefixtures("helpdesk")
def test_people_look_after_a_client(grantway: Grantway, tell: Tell) -> None:
    tell("clients", "developers", "add", "helpdesk", "--user", "ADA@example.com")
    assert [one["email"] for one in tell("clients", "developers", "list", "helpdesk")["developers"]] == [
        "ada@example.com"
    ]
    tell("clients", "developers", "remove", "helpdesk", "--user", "ada@example.com")
    assert tell("clients", "developers", "list", "helpdesk") == {"developers": []}
    nobody = grantway("clients", "developers", "add", "helpdesk", "--user", "nobody@example.com", "--json")
    assert nobody.answer["reason"] == "user_unknown"
