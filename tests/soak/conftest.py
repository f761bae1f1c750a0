"""Each test here goes on until its share of the time is over, and says what it did."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def soak_seconds() -> float:
    """A minute, or as many seconds as ``SOAK_SECONDS`` says."""
    return float(os.environ.get("SOAK_SECONDS", "60"))


@pytest.fixture
def there_is_time(soak_seconds: float) -> Callable[[], bool]:
    """Whether another turn may begin. The first always may."""
    began = time.monotonic()
    turns = 0

    def ask() -> bool:
        nonlocal turns
        turns += 1
        return turns == 1 or time.monotonic() - began < soak_seconds

    return ask
