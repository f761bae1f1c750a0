"""``grantway tokens``: made by hand, and brought along from an older system, a line at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from grantway.cli import tokens as command
from tests.cli.conftest import Grantway

Tell = Callable[..., dict[str, Any]]
MIGRATION = "sq0atp-0123456789abcdef"


@pytest.fixture
def till(tell: Tell) -> Tell:
    """A client that speaks as Square's do, and an account."""
    tell("accounts", "create", "--name", "Acme", "--id", "acme")
    at = ("--redirect-uri", "https://client.example/cb")
    tell("clients", "create", "--name", "Till", "--client-id", "till", "--profile", "square", *at)
    return tell


def line(*tokens: dict[str, Any], **more: Any) -> str:
    return json.dumps({"client_id": "till", "account": "acme", "tokens": tokens, **more}) + "\n"


def one(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"kind": "migration", "token": f"{MIGRATION}-{number}", **more}


def test_a_token_is_shown_once_listed_without_its_text_and_ended(till: Tell, grantway: Grantway) -> None:
    made = till("tokens", "create", "--client", "till", "--account", "acme", "--scope", "PAYMENTS_READ ORDERS_READ")
    assert made["access_token"].startswith("gwa_")
    (listed,) = till("tokens", "list", "--client", "till")["tokens"]
    assert listed == {name: value for name, value in made.items() if name != "access_token"}
    assert listed["scope"] == ["PAYMENTS_READ", "ORDERS_READ"]
    assert till("tokens", "end", made["id"])["id"] == made["id"]
    assert till("tokens", "list", "--client", "till")["tokens"] == []
    ran = grantway("tokens", "end", made["id"], "--json")
    assert (ran.code, ran.answer["reason"]) == (1, "token_ended")


def test_people_are_told_that_the_token_is_shown_this_once(till: Tell, grantway: Grantway) -> None:
    assert "shown this once" in grantway("tokens", "create", "--client", "till", "--account", "acme").out


def test_a_file_is_brought_along_and_the_same_again_changes_nothing(till: Tell, tmp_path: Path) -> None:
    file = tmp_path / "older.jsonl"
    file.write_text("".join(line(one(number)) for number in range(250)) + "\n  \n")
    first = till("tokens", "import", str(file))
    assert (first["lines"], first["imported"], first["tokens"], first["failed"]) == (250, 250, 250, 0)
    again = till("tokens", "import", str(file))
    assert (again["imported"], again["imported_before"], again["errors"]) == (0, 250, [])
    (connection,) = till("connections", "list")["connections"]
    assert connection["state"] == "active"


def test_the_same_line_twenty_times_at_once_is_brought_along_once(till: Tell) -> None:
    told = till("tokens", "import", "-", stdin=line(one()) * 20)
    assert (told["imported"], told["tokens"], told["imported_before"], told["failed"]) == (1, 1, 19, 0)
    assert len(till("connections", "list")["connections"]) == 1


def test_a_token_may_be_told_by_its_digest(till: Tell) -> None:
    by_text, by_digest = line(one()), {"kind": "migration", "sha256": sha256(one()["token"].encode()).hexdigest()}
    assert till("tokens", "import", "-", stdin=by_text)["imported"] == 1
    assert till("tokens", "import", "-", stdin=line(by_digest))["imported_before"] == 1


def test_a_dry_run_says_what_would_come_of_it_and_does_nothing(till: Tell) -> None:
    told = till("tokens", "import", "-", "--dry-run", stdin=line(one()))
    assert (told["imported"], told["dry_run"]) == (1, True)
    assert till("connections", "list")["connections"] == []
    assert till("tokens", "import", "-", stdin=line(one()))["imported"] == 1


def test_a_line_that_is_wrong_is_named_and_the_others_are_brought_along(till: Tell, grantway: Grantway) -> None:
    lines = [
        line(one(1)),
        "nonsense\n",
        "[]\n",
        line(one(2), extra=MIGRATION),
        line(one(3) | {MIGRATION: 1}),
        line(one(4), account="nonesuch"),
        line({"kind": MIGRATION, "token": MIGRATION}),
        line({"kind": "migration"}),
        line({"kind": "migration", "token": "short"}),
        line({"kind": "migration", "token": "gwa_" + "0" * 40}),
        line({"kind": "access", "token": "x" * 20, "expires_at": MIGRATION}),
        line(one(5), scope="A" * command.LONGEST_LINE),
        "\n",
        line(one(6)).rstrip("\n"),
    ]
    ran = grantway("tokens", "import", "-", "--json", stdin="".join(lines))
    assert ran.code == 1
    answer = ran.answer
    assert (answer["lines"], answer["imported"], answer["failed"]) == (13, 2, 11)
    assert [(each["line"], each["reason"]) for each in answer["errors"]] == [
        (number, "account_unknown" if number == 6 else "line_unfit") for number in range(2, 13)
    ]
    assert MIGRATION not in ran.out
    assert [each["line"] for each in answer["errors"] if "tokens/0/kind" in each["error"]] == [7]


def test_nobody_is_told_a_token_by_an_error_for_people_either(till: Tell, grantway: Grantway) -> None:
    ran = grantway("tokens", "import", "-", stdin=line(one(), account="nonesuch"))
    assert ran.code == 1
    assert "There is no such account." in ran.out
    assert MIGRATION not in ran.out + ran.err


def test_a_file_that_is_not_there_is_said_so(till: Tell, grantway: Grantway) -> None:
    ran = grantway("tokens", "import", "/nonexistent", "--json")
    assert (ran.code, ran.answer["reason"]) == (1, "file_unreadable")


def test_a_client_belongs_to_an_account_and_shows_there(till: Tell, grantway: Grantway) -> None:
    account = till("accounts", "show", "acme")["id"]
    assert till("clients", "update", "till", "--account", "acme")["account_id"] == account
    assert [one["client_id"] for one in till("accounts", "show", "acme")["clients"]] == ["till"]
    assert till("clients", "update", "till", "--name", "Till 2")["account_id"] == account
    assert till("clients", "update", "till", "--account", "")["account_id"] is None
    at = ("--redirect-uri", "https://client.example/cb")
    made = till("clients", "create", "--name", "Dialer", "--profile", "phonecom", "--account", account, *at)
    assert made["account_id"] == account
    ran = grantway("clients", "create", "--name", "X", "--account", "nonesuch", *at, "--json")
    assert (ran.code, ran.answer["reason"]) == (1, "account_unknown")
