"""``grantway serve --demo`` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.server import GRANTWAY


@contextmanager
def demo(data: Path) -> Iterator[dict[str, Any]]:
    """The demo of this data directory, and what it said at its start."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    environment |= {"GRANTWAY_DATA": str(data), "GRANTWAY_LOG_LEVEL": "debug"}
    with data.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            [GRANTWAY, "serve", "--demo", "--port", "0", "--json"], env=environment, stdout=subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, data.with_suffix(".log").read_text()
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stdout.close()
