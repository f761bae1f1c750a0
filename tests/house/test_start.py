"""A server answers soon after its command, because it reads little before that. What costs a start is kept out by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# The way of `grantway serve`, up to the first answer.
PROGRAM = """
import asyncio, json, sys
from grantway.cli import running
from grantway.server import run
from grantway.server.settings_sources import load_settings

settings = load_settings(data=sys.argv[1])
run.first_look(settings)

async def go():
    service = await run.open_service(settings)
    run.build_app(service)
    print(json.dumps(sorted(sys.modules)))
    service.passwords.close()
    await service.storage.close()

asyncio.run(go())
"""

LATER = {
    "PIL": "pictures are read when somebody brings one",
    "grantway.cli.main": "one command is run, not all of them",
    "grantway.client": "the server is no client",
    "grantway.server.demo": "nobody asked for it",
    "httpx2": "calls go out when the server has started",
    "opentelemetry": "there is no collector",
    "psycopg": "the database is SQLite's",
    "pydantic_settings": "the environment is read by ourselves",
    "rich": "tables are for people",
    "structlog": "lines of log are written by ourselves",
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    data: Path = tmp_path_factory.mktemp("start") / "data"
    ran = subprocess.run([sys.executable, "-c", PROGRAM, data], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


def test_what_is_looked_at_is_a_server(modules: set[str]) -> None:
    assert {"uvicorn", "starlette.applications", "grantway.server.pages.routes", "grantway.server.api"} <= modules


@pytest.mark.parametrize("name", LATER)
def test_a_start_does_not_read(modules: set[str], name: str) -> None:
    assert name not in modules, LATER[name]
