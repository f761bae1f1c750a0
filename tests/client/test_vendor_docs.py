"""The examples of the vendors' pages run as they stand there, the vendors' own libraries included."""

from __future__ import annotations

import pytest

from tests.client.conftest import REDIRECT_URI
from tests.helpers.pages import run_page
from tests.helpers.server import Platform
from tests.house.documents import ROOT

# page, its client id, how the client is registered beside its redirect URI, and how many examples there are
PAGES: list[tuple[str, str, tuple[str, ...], int]] = [
    ("sunshine", "shoplifter", (), 6),
    ("square", "d578b5349eb4aac185f2e79b", ("--scope", "PAYMENTS_READ ORDERS_READ"), 6),
    ("phonecom", "d578b5349eb4aac185f2e79b", (
        "--set", "grant_types=authorization_code refresh_token client_credentials password implicit", "--account"), 6),
]  # fmt: skip


@pytest.mark.parametrize(("page", "client_id", "options", "blocks"), PAGES, ids=[page for page, _, _, _ in PAGES])
def test_the_examples_of_a_vendors_page_run(
    page: str, client_id: str, options: tuple[str, ...], blocks: int, platform: Platform
) -> None:
    whose = (platform.account["id"],) if options[-1:] == ("--account",) else ()
    made = platform.client("Docs", "--profile", page, "--redirect-uri", REDIRECT_URI, *options, *whose)
    replaced = {
        "https://login.example.com": platform.base_url,
        "https://app.example.com/callback": REDIRECT_URI,
        client_id: made["client_id"],
        "gws_0SAbiGf7cmMoXYgAKlWS": made["client_secret"],
    }
    path = ROOT / "docs" / "reference" / f"{page}.md"
    assert run_page(path, replaced, customer=platform.customer) == blocks
