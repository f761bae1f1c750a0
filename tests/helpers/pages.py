"""Runs the examples of a page as they stand there: its blocks of Python, and what ``<!-- run: … -->`` does between them."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STEP = re.compile(r"^```python\n(?P<block>.*?)^```$|^<!-- run: (?P<hidden>.*?) -->$", re.MULTILINE | re.DOTALL)


def run_page(path: Path, replaced: Mapping[str, str], **given: Any) -> int:
    """Every step in one namespace, with ``given`` in it and names of the page replaced; how many blocks there were.

    What the steps print is in ``said`` for the next ones. A failure names the page and its line.
    """
    text = path.read_text("utf-8")
    said = io.StringIO()
    namespace: dict[str, Any] = {"__name__": "page", **given}
    blocks = 0
    for step in _STEP.finditer(text):
        is_block = step["block"] is not None
        blocks += is_block
        code = step["block"] if is_block else step["hidden"]
        line = text.count("\n", 0, step.start()) + is_block
        for theirs, ours in replaced.items():
            code = code.replace(theirs, ours)
        namespace["said"] = said.getvalue()
        compiled = compile("\n" * line + code, str(path), "exec")
        with contextlib.redirect_stdout(said):
            exec(compiled, namespace)  # noqa: S102 - the page is ours
    return blocks
