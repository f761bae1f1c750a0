"""The first operator is made on the host, by a link that works once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cli.conftest import Grantway

Tell = Callable[..., dict[str, Any]]


def test_an_operator_is_made_listed_and_removed(tell: Tell) -> None:
    made = tell("operators", "create", "--email", "Ops@Example.com", "--name", "Olga")
    assert made["link"].startswith("http://127.0.0.1:8080/links/")
    assert {name: made[name] for name in ("email", "name", "role", "has_password")} == {
        "email": "ops@example.com", "name": "Olga", "role": "operator", "has_password": False,
    }  # fmt: skip
    (listed,) = tell("operators", "list")["operators"]
    assert "link" not in listed
    tell("operators", "remove", "--email", "ops@example.com")
    assert tell("operators", "list") == {"operators": []}
    assert [user["email"] for user in tell("users", "list")["users"]] == ["ops@example.com"]


def test_making_an_operator_again_changes_the_role_and_gives_another_link(tell: Tell) -> None:
    first = tell("operators", "create", "--email", "ops@example.com")
    second = tell("operators", "create", "--email", "ops@example.com", "--role", "viewer")
    assert first["id"] == second["id"]
    assert first["link"] != second["link"]
    assert [one["role"] for one in tell("operators", "list")["operators"]] == ["viewer"]


def test_nobody_is_removed_who_is_no_operator(grantway: Grantway) -> None:
    ran = grantway("operators", "remove", "--email", "nobody@example.com", "--json")
    assert (ran.code, ran.answer["reason"]) == (1, "operator_unknown")


def test_there_is_no_operator_and_no_password_before_somebody_makes_one(tell: Tell) -> None:
    assert tell("operators", "list") == {"operators": []}
    assert tell("users", "list") == {"users": []}
