"""The examples of the reference run as they stand there, against our real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.conftest import REDIRECT_URI
from tests.helpers.pages import run_page
from tests.helpers.server import Platform
from tests.house.documents import ROOT


def test_the_examples_of_the_client_run(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for scope in ("orders:read", "orders:write", "admin"):
        platform.server.cli("scopes", "add", scope, "--sentence", f"To {scope}")
    registered = platform.client("Docs", "--redirect-uri", REDIRECT_URI, "--scope", "orders:read orders:write")
    monkeypatch.chdir(tmp_path)
    replaced = {
        "https://login.example.com": platform.base_url,
        "https://app.example.com/callback": REDIRECT_URI,
        "d578b5349eb4aac185f2e79b": registered["client_id"],
        "gws_0SAbiGf7cmMoXYgAKlWS": registered["client_secret"],
    }
    blocks = run_page(ROOT / "docs" / "reference" / "client.md", replaced, customer=platform.customer)
    assert blocks == 7
    assert list((tmp_path / "tokens").glob("*.sealed"))
