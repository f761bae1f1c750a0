"""What holds for every command there is; the list comes from the command line itself, so that none is forgotten."""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from grantway.cli.main import app
from tests.cli.conftest import Grantway
from tests.helpers.database import connect, draft, settle_in, subscribe

Tell = Callable[..., dict[str, Any]]

AT = ("--redirect-uri", "https://client.example/cb")

# The arguments of one successful run of each. {…} are filled in from the house below.
RUNS: dict[str, str] = {
    "migrate": "",
    "check-config": "",
    "doctor": "",
    "counts": "--kind tokens --since 2026-01-31",
    "backup": "{backup}",
    "export": "{exported}",
    "restore": "--mark --since 2026-01-31",
    "audit search": "--connection {connection} --client helpdesk --account acme --user ada@example.com --reason operator",
    "audit verify": "",
    "platform events-secret": "",
    "events publish": "acme order.paid --payload {payload} --id e1 --ordering-key k",
    "deliveries list": "--connection {connection} --client helpdesk --state dead",
    "deliveries show": "{delivery}",
    "deliveries replay": "--dead --client helpdesk",
    "keys list": "",
    "keys rotate": "--now",
    "scopes list": "",
    "scopes add": "more --sentence More --opens Much --withholds Little",
    "scopes remove": "unused",
    "users create": "--email new@example.com --name New",
    "users set-password": "--email ada@example.com --password-stdin",
    "users list": "",
    "operators create": "--email ops@example.com --name Olga",
    "operators list": "",
    "operators remove": "--email op@example.com",
    "users invite": "--email new@example.com --name New",
    "users disable": "ada@example.com",
    "users enable": "ada@example.com",
    "users erase": "ada@example.com --force",
    "users sessions": "ada@example.com",
    "users sign-out": "ada@example.com",
    "accounts create": "--name Other",
    "accounts list": "",
    "accounts show": "acme",
    "accounts suspend": "acme",
    "accounts resume": "acme",
    "accounts remove": "acme",
    "members add": "--account acme --user ada@example.com --role owner",
    "members remove": "--account acme --user ada@example.com",
    "members list": "--account acme",
    "connections list": "",
    "connections show": "{connection}",
    "connections suspend": "{connection}",
    "connections resume": "{connection}",
    "connections remove": "{connection}",
    "connections resources list": "{connection}",
    "connections resources cancel": "{resource}",
    "connections create-key": "{connection}",
    "tokens create": "--client till --account acme --scope PAYMENTS_READ",
    "tokens list": "--client till",
    "tokens end": "{token}",
    "tokens import": "{older} --dry-run",
    "operator-keys create": "--name Sync --scope users:read --days 30",
    "operator-keys list": "",
    "operator-keys revoke": "{key}",
    "clients create": "--name Other --redirect-uri https://client.example/cb",
    "clients import": "{export} --from hydra",
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
    # An import needs a database with nobody in it (test_moving.py).
    assert set(RUNS) | {"serve", "import"} == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_json_and_data_and_a_sentence(name: str) -> None:
    command = commands()[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--data"} <= options
    assert command.help.strip().endswith(".")
    assert all(parameter.help for parameter in command.params if parameter.name != "help")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Where the house is kept once it is furnished, and the ids of what is in it."""
    return tmp_path_factory.mktemp("furnished") / "data", {}


@pytest.fixture
def house(furnished: tuple[Path, dict[str, str]], tell: Tell, data: Path) -> dict[str, str]:
    """An installation with something for every command; furnished once, where its database can be copied."""
    kept, ids = furnished
    if "GRANTWAY_DATABASE" in os.environ:  # a server keeps it, and not the directory
        return furnish(tell, data)
    if kept.exists():
        shutil.copytree(kept, data)
    else:
        ids.update(furnish(tell, data))
        shutil.copytree(data, kept)
    return ids


def furnish(tell: Tell, data: Path) -> dict[str, str]:
    tell("accounts", "create", "--name", "Acme", "--id", "acme")
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    tell("operators", "create", "--email", "op@example.com", "--role", "viewer")
    tell("members", "add", "--account", "acme", "--user", "ada@example.com", "--role", "member")
    tell(
        *(
            "clients",
            "create",
            "--name",
            "Help",
            "--client-id",
            "helpdesk",
            *AT,
        ),
        *("--remove-url", "https://client.example/removed"),
    )
    tell("scopes", "add", "unused", "--sentence", "Nothing")
    account = tell("accounts", "show", "acme")["id"]
    gone = settle_in(data, connect, "helpdesk", account)
    tell("connections", "remove", gone)
    connection = settle_in(data, connect, "helpdesk", account)
    settle_in(data, draft, "draft", "ada@example.com")
    tell("clients", "create", "--profile", "square", "--name", "Till", "--client-id", "till", *AT)
    return {
        "connection": connection,
        "resource": settle_in(data, subscribe, connection, "s-1"),
        "delivery": tell("deliveries", "list", "--connection", gone)["deliveries"][0]["id"],
        "key": tell("operator-keys", "create", "--name", "Sync", "--scope", "*")["id"],
        "token": tell("tokens", "create", "--client", "till", "--account", "acme")["id"],
    }


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.own_storage) if name == "backup" else name for name in sorted(RUNS)],
)
def test_json_is_exactly_one_object(name: str, house: dict[str, str], tell: Tell, tmp_path: Path) -> None:
    older = {"client_id": "till", "account": "acme", "tokens": [{"kind": "migration", "token": "sq0atp-0123456789"}]}
    (tmp_path / "older.jsonl").write_text(json.dumps(older))
    (tmp_path / "hydra.json").write_text(
        json.dumps([{"id": "phone", "token_endpoint_auth_method": "none", "redirect_uris": [AT[1]]}])
    )
    Image.new("RGB", (32, 32)).save(tmp_path / "icon.png")
    (tmp_path / "payload.json").write_text('{"order": 1}')
    arguments = RUNS[name].format(
        **house,
        older=tmp_path / "older.jsonl",
        export=tmp_path / "hydra.json",
        icon=tmp_path / "icon.png",
        backup=tmp_path / "backup.db",
        exported=tmp_path / "installation.jsonl",
        payload=tmp_path / "payload.json",
    )
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
    arguments = RUNS.get(name, "" if name == "serve" else "-").format_map(defaultdict(lambda: "none"))
    ran = grantway(*name.split(), *arguments.split(), "--json", stdin="battery staple\n")
    assert ran.code == 1
    assert ran.answer["error"]
