"""A real server per test process, and clients of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from grantway.client import (
    AsyncClient,
    AsyncPhoneCom,
    AsyncSquare,
    AsyncSunshine,
    Client,
    PhoneCom,
    Square,
    Sunshine,
)
from tests.helpers.both import KINDS, either
from tests.helpers.hostile import Hostile, hostile
from tests.helpers.server import Platform, populate, serving

REDIRECT_URI = "http://127.0.0.1:9/callback"
VENDORS: dict[str, tuple[Any, Any]] = {
    "PhoneCom": (PhoneCom, AsyncPhoneCom),
    "Square": (Square, AsyncSquare),
    "Sunshine": (Sunshine, AsyncSunshine),
}


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("client") / "data") as server:
        for scope in ("read", "write"):
            server.cli("scopes", "add", scope, "--sentence", f"To {scope}")
        yield populate(server)


@pytest.fixture(scope="session")
def confidential(platform: Platform) -> dict[str, Any]:
    return platform.client("Confidential", "--redirect-uri", REDIRECT_URI, "--scope", "read write")


@pytest.fixture(scope="session")
def public(platform: Platform) -> dict[str, Any]:
    return platform.client("Public", "--public", "--redirect-uri", REDIRECT_URI, "--scope", "read write")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Blocking or awaiting."""
    found: str = request.param
    return found


@pytest.fixture
def make(kind: str) -> Iterator[Callable[..., Any]]:
    """``make(server, client_id=…)``: a client, blocking or awaiting, called in the same words."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(either(kind, Client, AsyncClient, *args, **kwargs))


@pytest.fixture
def calls(kind: str) -> Iterator[Callable[..., Any]]:
    """``calls("Square", base_url, …)``: a vendor's calls, blocking or awaiting, called in the same words."""
    with ExitStack() as stack:
        yield lambda vendor, *args, **kwargs: stack.enter_context(either(kind, *VENDORS[vendor], *args, **kwargs))


@pytest.fixture
def twin() -> Iterator[Hostile]:
    with hostile() as there:
        yield there
