"""How to move from another server, as the page says: its lines are imported and its examples run against us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.pages import run_page
from tests.helpers.server import Platform
from tests.house.documents import ROOT, Document

PAGE = ROOT / "docs" / "how-to" / "move-from-another-server.md"
CALLBACK = "https://client.example/callback"
CLIENTS = {
    "sq0idp-till": ("sq0csp-the-one-that-it-has", "--profile", "square"),
    "shoplifter": ("the-one-that-shoplifter-has", "--profile", "sunshine"),
    "helpdesk": ("the-one-that-it-has-already", "--scope", "tickets.read", "--create-scopes"),
}


@pytest.fixture
def moving(running: Platform) -> Platform:
    """The page's clients, and its account."""
    for client_id, (secret, *arguments) in CLIENTS.items():
        running.server.cli(
            *("clients", "create", "--name", client_id, "--client-id", client_id, "--client-secret-stdin"),
            *("--redirect-uri", CALLBACK, *arguments),
            stdin=secret + "\n",
        )
    return running


def test_the_page_is_true(moving: Platform, tmp_path: Path) -> None:
    (lines,) = (content for language, content in Document(PAGE).blocks if language == "jsonl")
    file = tmp_path / "older.jsonl"
    file.write_text(lines.replace('"acme"', f'"{moving.account["id"]}"'))
    tried = moving.server.cli("tokens", "import", str(file), "--dry-run")
    assert (tried["lines"], tried["imported"], tried["failed"]) == (3, 3, 0)
    done = moving.server.cli("tokens", "import", str(file))
    assert (done["imported"], done["tokens"]) == (3, 4)
    assert moving.server.cli("tokens", "import", str(file))["imported_before"] == 3
    assert run_page(PAGE, {"https://login.example.com": moving.base_url}) == 3
