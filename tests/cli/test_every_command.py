"""What holds for every command there is; the list comes from the command line itself, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from grantway.cli.main import app
from tests.cli.conftest import Grantway
from tests.helpers.database import connect, draft, settle_in

Tell = Callable[..., dict[str, Any]]

# The arguments of one successful run of each. {…} are filled in from the house below.
RUNS: dict[str, str] = {
    "migrate": "",
    "check-config": "",
    "keys list": "",
    "keys rotate": "--now",
    "scopes list": "",
    "scopes add": "more --sentence More --opens Much --withholds Little",
    "scopes remove": "unused",
    "users create": "--email new@example.com --name New",
    "users set-password": "--email ada@example.com --password-stdin",
    "users list": "",
    "accounts create": "--name Other",
    "accounts list": "",
    "accounts show": "acme",
    "members add": "--account acme --user ada@example.com --role owner",
    "members remove": "--account acme --user ada@example.com",
    "members list": "--account acme",
    "connections list": "",
    "connections show": "{connection}",
    "connections remove": "{connection}",
    "connections create-key": "{connection}",
    "clients create": "--name Other --redirect-uri https://client.example/cb",
    "clients list": "",
    "clients show": "helpdesk",
    "clients rotate-secret": "helpdesk",
    "clients notice-secret": "helpdesk",
    "clients set-icon": "helpdesk {icon}",
    "clients disable": "helpdesk",
    "clients update": "helpdesk --name Desk --set code_lifetime=30",
    "clients approve": "draft",
    "clients waiting": "",
    "clients end": "helpdesk",
    "clients developers list": "helpdesk",
    "clients developers add": "helpdesk --user ada@example.com",
    "clients developers remove": "draft --user ada@example.com",
    "clients enable": "helpdesk",
}


def commands() -> dict[str, Any]:
    def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{path} {name}".strip())
        if not hasattr(command, "commands"):
            yield path, command

    return dict(walk(typer.main.get_command(app), ""))


def test_every_command_is_run_here() -> None:
    assert set(RUNS) | {"serve"} == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_json_and_data_and_a_sentence(name: str) -> None:
    command = commands()[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--data"} <= options
    assert command.help.strip().endswith(".")
    assert all(parameter.help for parameter in command.params if parameter.name != "help")


@pytest.mark.parametrize("name", sorted(RUNS))
def test_json_is_exactly_one_object(name: str, tell: Tell, data: Path, tmp_path: Path) -> None:
    tell("accounts", "create", "--name", "Acme", "--id", "acme")
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    tell("members", "add", "--account", "acme", "--user", "ada@example.com", "--role", "member")
    tell(
        "clients", "create", "--name", "Help", "--client-id", "helpdesk", "--redirect-uri", "https://client.example/cb"
    )
    tell("scopes", "add", "unused", "--sentence", "Nothing")
    connection = settle_in(data, connect, "helpdesk", tell("accounts", "show", "acme")["id"])
    settle_in(data, draft, "draft", "ada@example.com")
    Image.new("RGB", (32, 32)).save(tmp_path / "icon.png")
    arguments = RUNS[name].format(connection=connection, icon=tmp_path / "icon.png")
    assert tell(*name.split(), *arguments.split(), stdin="battery staple\n")


@pytest.mark.parametrize("name", sorted(commands()))
def test_a_misspelled_command_is_one_object_too(name: str, grantway: Grantway) -> None:
    ran = grantway(*name.split(), "--nonesuch", "--json")
    assert ran.code == 2
    assert ran.answer["reason"] == "usage"
    assert ran.answer["error"]


@pytest.mark.parametrize("name", sorted(commands()))
def test_bad_settings_are_one_object_too(name: str, grantway: Grantway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_NONESUCH", "1")
    arguments = RUNS.get(name, "").format(connection="cn_none", icon="none.png")
    ran = grantway(*name.split(), *arguments.split(), "--json", stdin="battery staple\n")
    assert ran.code == 1
    assert ran.answer["error"]
