"""The arithmetic of the flame graphs: a picture of the wrong thing would be believed."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from bench.flames import drawing, stacks
from bench.flames.parts import (
    CRYPTOGRAPHY,
    HTTP,
    LOG,
    PARTS,
    READING,
    RULE,
    STORAGE_COMMIT,
    STORAGE_READ,
    WRITING,
    part_of,
)

LOOP, WRITER = 'thread (7): "MainThread"', 'thread (8): "grantway-storage"'
RUN = "main (cli/entry.py:3);run (asyncio/runners.py:44)"
SEEN = f"""\
{LOOP};{RUN} 10
{LOOP};{RUN};answer (/somewhere/src/grantway/server/log.py:5) 20
{LOOP};{RUN};answer (/somewhere/src/grantway/server/log.py:9) 10
{WRITER};_bootstrap (threading.py:1002);_finish (/somewhere/src/grantway/server/storage/sqlite/writers.py:5) 30
"""


def test_samples_of_a_thread_are_worth_the_cpu_that_the_kernel_counted_for_it() -> None:
    found = stacks.read(SEEN, {7: 80.0, 8: 3.0})
    assert found == {
        (): 20.0,
        ("answer grantway/server/log.py",): 60.0,
        ("_finish grantway/server/storage/sqlite/writers.py",): 3.0,
    }


def test_runs_together_are_as_large_as_their_median() -> None:
    runs: list[dict[tuple[str, ...], float]] = [{("a x",): 10.0}, {("a x",): 20.0}, {("b x",): 90.0}]
    assert stacks.typical(runs) == {("a x",): 5.0, ("b x",): 15.0}


def test_parts_add_up_to_all() -> None:
    found = stacks.by_part(stacks.read(SEEN, {7: 80.0, 8: 3.0}))
    assert (found[HTTP], found[LOG], found[STORAGE_COMMIT]) == (20.0, 60.0, 3.0)
    assert sum(found.values()) == 83.0


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        ((), HTTP),
        (("data_received uvicorn/protocols/http/httptools_impl.py",), HTTP),
        (("introspect grantway/protocol/introspection.py", "make grantway/wire/record.py"), RULE),
        (("decide grantway/protocol/grant_types/refresh_token.py", "mac grantway/protocol/keys.py", "digest hmac.py"), CRYPTOGRAPHY),
        (("apply grantway/server/storage/sqlite/changes.py", "steps grantway/server/storage/sql/changes.py"), STORAGE_COMMIT),
        (("introspect grantway/protocol/introspection.py", "ask grantway/server/storage/sqlite/asking.py"), STORAGE_READ),
        (("answer grantway/server/answer.py", "read_token_request grantway/wire/dialects/standard/token.py"), READING),
        (("answer grantway/server/answer.py", "write_token_answer grantway/wire/dialects/standard/token.py"), WRITING),
    ],
)  # fmt: skip
def test_the_innermost_frame_that_is_known_says_the_part(stack: tuple[str, ...], part: str) -> None:
    assert part_of(stack) == part


def test_a_picture_has_one_scale_no_script_and_nothing_that_is_too_small_to_see() -> None:
    before = {("outer x.py", "wide x.py"): 70.0, ("outer x.py", "narrow x.py"): 0.1, ("other x.py",): 29.9}
    drawn = drawing.draw(
        "refresh", [("before", stacks.tree(before, "refresh")), ("after", stacks.tree({(): 50.0}, "refresh"))]
    )
    picture = ET.fromstring(drawn)  # noqa: S314  ours
    named = {each.findtext("{*}title"): float(each.get("width", "0")) for each in picture.iterfind("{*}rect")}
    assert named["refresh, 100.0 µs"] == pytest.approx(2 * named["refresh, 50.0 µs"])
    assert "wide x.py, 70.0 µs" in named
    assert "narrow x.py, 0.1 µs" not in named
    assert "script" not in drawn.replace("description", "")


def test_a_picture_of_very_much_stays_small() -> None:
    deep = {tuple(f"function_{at}_{below} module_{below}.py" for below in range(30)): 1.0 for at in range(150)}
    drawn = drawing.draw("much", [("before", stacks.tree(deep, "much"))])
    assert len(drawn.encode()) < drawing.LARGEST
    assert len(PARTS) == drawn.count('class="s"')
