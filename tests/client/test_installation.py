"""``pip install grantway`` is the client: it runs where nothing but its own three dependencies is installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.helpers.server import Platform
from tests.house.documents import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# Every module is refused that belongs to a distribution which only the server, or a test, has.
BARRED = """
import sys

class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Barred())
"""


@cache
def _below(name: str) -> frozenset[str]:
    """The distribution, and all that it needs on this machine."""
    found = {name}
    for text in distribution(name).requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            found |= _below(_normal(needed.name))
    return frozenset(found)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def barred() -> set[str]:
    """Top-level modules that a client's machine does not have."""
    needed = {_normal(Requirement(text).name) for text in PROJECT["dependencies"]}
    allowed = {"grantway"}.union(*[_below(name) for name in needed])
    owners = packages_distributions()
    return {
        module
        for module, names in owners.items()
        if not allowed & {_normal(name) for name in names} and not module.startswith("_")
    }


def run(program: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    code = BARRED.format(modules=barred()) + program
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd)


def test_the_core_dependencies_are_three() -> None:
    names = [Requirement(text).name for text in PROJECT["dependencies"]]
    assert names == ["cryptography", "httpx2", "platformdirs"]


def test_what_is_barred_is_what_the_server_needs() -> None:
    modules = barred()
    assert {"orjson", "msgspec", "starlette", "uvicorn", "typer", "argon2", "jinja2", "uvloop", "PIL"} <= modules
    assert not {"httpx2", "cryptography", "platformdirs", "grantway"} & modules


def test_the_client_imports_nothing_of_the_server() -> None:
    ran = run(
        "import grantway.client\n"
        "print(sorted(name for name in sys.modules if name.startswith('grantway.')"
        " and not name.startswith(('grantway.client', 'grantway.wire'))))"
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_the_client_works_where_only_the_client_is_installed(
    platform: Platform, confidential: dict[str, Any], tmp_path: Path
) -> None:
    ran = run(
        "from grantway.client import Client, FileStore, Tokens\n"
        "from grantway.wire import json_bytes\n"
        "issuer, client_id, client_secret, directory = sys.argv[1:]\n"
        "store = FileStore(directory)\n"
        "with Client(issuer, client_id=client_id, client_secret=client_secret, store=store) as client:\n"
        "    tokens = client.client_credentials(scope='read')\n"
        "    client.connection('own').keep(tokens)\n"
        "    again = client.connection('own').access_token()\n"
        "    print(client.info(tokens).active, again == tokens.access_token, json_bytes.loads.__module__)\n",
        platform.base_url, confidential["client_id"], confidential["client_secret"], str(tmp_path / "store"),
    )  # fmt: skip
    assert (ran.stdout.strip(), ran.stderr) == ("True True grantway.wire.json_bytes", "")


def test_the_command_says_plainly_that_the_server_is_an_extra() -> None:
    ran = run("from grantway.cli.entry import main\nmain()", "serve")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "Only Grantway's client is installed. The server is an extra: pip install 'grantway[server]'\n"


def test_a_fault_of_ours_is_not_taken_for_a_missing_extra(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nsys.modules['grantway.cli.serve'] = None\nfrom grantway.cli.entry import main\nmain()",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "ModuleNotFoundError" in ran.stderr
    assert "extra" not in ran.stderr
