"""One real server per test process, with a customer, an account and a live web server of the integrator's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.server import Landing, Platform, landing, populate, serving


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("journeys") / "data") as server:
        yield populate(server)


@pytest.fixture(scope="session")
def integrator() -> Iterator[Landing]:
    with landing() as there:
        yield there
