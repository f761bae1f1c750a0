"""A platform of its own for each test, and Debian's Chromium for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.journeys.browser.platform import Platform, platform

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: as long as Playwright is there, its event loop counts as running in this thread, and
    # no other test could run one of its own.
    if not CHROMIUM.exists():
        pytest.skip("These journeys need Chromium (on Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def site() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own (no cookies shared)."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def opened(width: int = 1280, height: int = 900, **settings: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        context.on("console", lambda message: said.append(message.text))
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    # Nothing of ours may be what our own policy forbids. (A foreign page that tries to frame us is told so, too.)
    assert [text for text in said if "Content Security Policy" in text and "frame-ancestors" not in text] == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
