"""The tutorial does what it says: its own commands and its own program, with a customer who signs in and allows."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.helpers.asgi import Reply
from tests.helpers.customer import Customer, forms
from tests.helpers.owned import free_port
from tests.house.documents import ROOT, Document

TUTORIAL = Document(ROOT / "docs" / "tutorial" / "first-integration.md")
PLATFORM, CALLBACK, DATA = "127.0.0.1:8080", "127.0.0.1:9000", "data/tutorial"

pytestmark = pytest.mark.slow


class Reader:
    """Somebody who does what the tutorial says, in a directory and on ports of their own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "tutorial"
        self.platform, self.callback = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("GRANTWAY_")}

    def does(self, text: str) -> str:
        for theirs, ours in ((DATA, str(self.data)), (PLATFORM, self.platform), (CALLBACK, self.callback)):
            text = text.replace(theirs, ours)
        return text.replace("grantway serve", f"grantway serve --port {self.platform.rpartition(':')[2]}")

    def start(self, commands: str) -> subprocess.Popen[str]:
        script = "set -e\nshopt -s expand_aliases\n" + self.does(commands).replace("make setup\n", "")
        return subprocess.Popen(
            ["bash", "-c", script],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(self, commands: str) -> str:
        process = self.start(commands)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said


def _fetch(method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
    answer = httpx2.request(method, url, headers=headers, content=body)
    return Reply(answer.status_code, tuple(answer.headers.multi_items()), answer.content)


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[str]]]:
    """What has to be stopped again."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, 15)
        process.communicate(timeout=30)


def _beginnings(said: str) -> list[str]:
    """What stands before the ids and values of each line."""
    return [re.split(r"[{…]|wh_", line)[0].strip() for line in said.splitlines()]


def test_who_follows_the_tutorial_gets_what_it_shows(tmp_path: Path, running: list[subprocess.Popen[str]]) -> None:
    people, registration, serve, run_program, listen, publish, look = (
        content for language, content in TUTORIAL.blocks if language == "sh"
    )
    programs = [content for language, content in TUTORIAL.blocks if language == "python"]
    tokens_shown, events_shown = (content for language, content in TUTORIAL.blocks if language == "text")
    reader = Reader(tmp_path)
    surroundings = people[people.index("export ") : people.index("\n\n")] + "\n"

    def start(commands: str) -> subprocess.Popen[str]:
        process = reader.start(commands)
        running.append(process)
        return process

    reader.run(people + registration)
    server = start(serve)
    assert server.stdout is not None
    assert reader.platform in server.stdout.readline()

    for name, program in zip(("integration.py", "listener.py"), programs, strict=True):
        (reader.data / name).write_text(reader.does(program))
    integration = start(run_program)
    assert integration.stdout is not None
    link = integration.stdout.readline().split()[1]
    email, password = (re.search(pattern, people)[1] for pattern in (r"--email (\S+)", r"echo '(.+?)'"))  # type: ignore[index]
    customer = Customer(_fetch, f"http://{reader.platform}", email, password)
    httpx2.get(customer.decide(link))
    said, _ = integration.communicate(timeout=30)
    assert _beginnings(said) == _beginnings(tokens_shown)
    assert '"active":true' in said

    listener = start(listen)
    assert listener.stdout is not None
    said = listener.stdout.readline()
    reader.run(surroundings + publish)
    said += listener.stdout.readline()
    _remove(customer, "Order mirror")
    said += listener.communicate(timeout=30)[0]
    assert _beginnings(said) == _beginnings(events_shown)
    assert '{"order": 4711, "total": "12.00"}' in said
    assert said.rstrip().endswith('{"active":false}')

    seen = reader.run(surroundings + look)
    assert "removed" in seen
    assert "remove_url" in seen
    assert '"reason": "customer"' in seen


def _remove(customer: Customer, name: str) -> None:
    """As the customer does: by the list, the connection's page and its button."""
    listed = customer.go("GET", "/connections").text
    assert name in listed
    page = next(iter(re.findall(r'href="(/connections/cn_\w+)"', listed)))
    shown = customer.go("GET", page).text
    button = next(form for form in forms(shown) if form.action.endswith("/remove"))
    assert customer.go("POST", button.action, button.fields.items()).status == 303
