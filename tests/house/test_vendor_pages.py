"""What is said of the vendors' pages is seen somewhere: at the server, and at the client where it holds there, too."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.house.documents import ROOT

TABLES = [
    *(ROOT / "docs" / "reference" / f"{vendor}.md" for vendor in ("sunshine", "square", "phonecom")),
    ROOT / "docs" / "explanation" / "vendor-pages.md",
]


@cache
def where_tests_are() -> dict[str, set[str]]:
    """The folders below ``tests`` in which a test of this name is."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"def (test_\w+)", path.read_text("utf-8")):
            found.setdefault(name, set()).add(path.relative_to(ROOT / "tests").parts[0])
    return found


def rows() -> list[tuple[str, str, set[str]]]:
    """What each row of a table with tests says, where it holds, and the tests that it names."""
    found = []
    for path in TABLES:
        for table in re.findall(
            r"^\|[^\n]*\| seen in \|\n(.*?)(?:\n\n|\Z)", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
        ):
            for line in table.splitlines()[1:]:
                said, holds, seen = (cell.strip() for cell in line.strip("|").split(" | "))
                found.append((said, holds, set(re.findall(r"`(test_\w+)`", seen))))
    return found


@pytest.mark.parametrize(
    ("said", "holds", "tests"), rows(), ids=lambda value: value[:60] if isinstance(value, str) else ""
)
def test_every_sentence_is_seen_where_it_is_said_to_hold(said: str, holds: str, tests: set[str]) -> None:
    assert tests, "no test is named"
    assert tests <= set(where_tests_are())
    if re.search(r"\b(Both|Client)\b", holds):
        assert any("client" in where_tests_are()[name] for name in tests), "of the client, none is"


def test_there_are_as_many_rows_as_there_are_sentences_and_traps() -> None:
    """Should the tables be written in another way, the test above must not pass on nothing."""
    assert len(rows()) > 80
