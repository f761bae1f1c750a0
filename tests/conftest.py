"""What holds for every test: which examples Hypothesis tries, who answers for what is left open, and PostgreSQL for who asks."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.engine import ENGINE, IS_POSTGRES

if TYPE_CHECKING:
    from tests.helpers.postgres import Cluster

# Examples are drawn at the pace of the machine, which says nothing about us; the other two are about long bodies, which
# are meant.
UNHURRIED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
# The gate draws the same examples on every run: what is found here is found by everybody; random ones are
# for a soak, and for who looks for new luck.
settings.register_profile("gate", UNHURRIED, derandomize=True, database=None, print_blob=False)
settings.register_profile("random", UNHURRIED, derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.fixture(autouse=IS_POSTGRES)
def engine() -> Iterator[None]:
    """What a test has written on PostgreSQL is gone when it is over."""
    with ENGINE.test():
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What brings its own storage would say the same again."""
    if IS_POSTGRES:
        left_out = [item for item in items if item.get_closest_marker("own_storage")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("own_storage")]


def pytest_unconfigure() -> None:
    ENGINE.close()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """PostgreSQL, one per test process; without it, who asks is skipped."""
    from tests.helpers.postgres import QUICK, cluster  # most runs of a few tests need no driver

    with cluster(**QUICK) as running:
        yield running


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """A new database, empty. (For a migrated one: ``with postgres_cluster.migrated(migrate) as url``.)"""
    with postgres_cluster.empty() as url:
        yield url


def pytest_collection_finish() -> None:
    _settle()


@pytest.fixture(scope="module", autouse=True)
def _what_is_left_open_fails_its_own_file() -> Iterator[None]:
    """Sockets, files and loops that nobody closed warn when they are collected: here, and not in whichever test runs then."""
    yield
    _settle()


def _settle() -> None:
    gc.collect()
    gc.freeze()  # what is left stays, and is not looked through again: a collection takes milliseconds, not half a second
