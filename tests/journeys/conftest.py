"""One real server per test process, with a customer, an account and a live web server of the integrator's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.helpers.server import Landing, Platform, landing, populate, serving


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("journeys") / "data") as server:
        yield populate(server)
        written = server.log()
    assert "Traceback" not in written
    assert not re.search(r"gw[a-z]_[A-Za-z0-9]{8}|eyJ[A-Za-z0-9]{8}|[?&][a-z_]+=", written), "a journey left a secret"


@pytest.fixture(scope="session")
def integrator() -> Iterator[Landing]:
    with landing() as there:
        yield there
