"""Journeys of clients in processes of their own: one script each, which asks for a customer where it needs one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

NPM = Path(__file__).parent / "npm"
NODE = Path(sys.executable).with_name("node")

needs_packages = pytest.mark.skipif(
    not (NPM / "node_modules").is_dir(), reason="The JavaScript clients are not installed: run `make test-setup`."
)


def run_script(name: str, given: dict[str, Any], visit: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Run ``npm/NAME.mjs`` with ``given`` as its input; what it has found out."""
    return converse([NODE, NPM / f"{name}.mjs"], given, visit)


def converse(
    command: Sequence[str | Path], given: dict[str, Any], visit: Callable[[Any], str] | None = None, **environment: str
) -> dict[str, Any]:
    """Run a script of somebody else's client with ``given`` as its input; what it has found out.

    A script writes JSON lines: ``{"visit": URL}`` sends a customer there and gets back what came of it, mostly the address
    where they ended; ``{"done": …}`` is its result. An error that it does not catch fails the test with its stack.
    """
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=NPM, env=kept | environment,
    ) as script:  # fmt: skip
        assert script.stdin is not None
        assert script.stdout is not None
        assert script.stderr is not None
        print(json.dumps(given), file=script.stdin, flush=True)
        for line in script.stdout:
            said = json.loads(line)
            if "done" in said:
                result: dict[str, Any] = said["done"]
                return result
            assert visit is not None
            print(json.dumps(visit(said["visit"])), file=script.stdin, flush=True)
        raise AssertionError(f"{Path(command[-1]).name} stopped: {script.stderr.read()}")
