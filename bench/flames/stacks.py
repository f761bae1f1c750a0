"""What a sampling profiler saw: stacks and how often, and the tree that they make."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.flames.parts import PARTS, part_of

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>.*?)(:\d+)?\)")
_THREAD = re.compile(r"thread \((\d+)\)")
_ROOTS = ("site-packages/", "lib/python3.11/", "src/")

Stacks = dict[tuple[str, ...], float]
"""Microseconds of CPU by stack. Frames are ``function module``, the outermost first."""


@dataclass
class Frame:
    """A function called from where it was called, and the microseconds of CPU in it and below."""

    name: str
    part: str
    cpu: float = 0
    below: dict[str, Frame] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        return 1 + max((each.depth for each in self.below.values()), default=0)


def read(text: str, cpu: Mapping[int, float]) -> Stacks:
    """Folded stacks, a line each (``thread (12);frame;frame 34``), as py-spy writes them, weighed by the CPU of their threads.

    A sampler sees a thread that waits for a core as one that runs; what the kernel says that it took, it did.
    """
    by_thread: dict[int, Counter[tuple[str, ...]]] = {}
    for line in text.splitlines():
        frames, _, number = line.rpartition(" ")
        thread, *stack = frames.split(";")
        if (named := _THREAD.match(thread)) is not None:
            seen = by_thread.setdefault(int(named[1]), Counter())
            seen[_from_the_loop([_frame(each) for each in stack])] += int(number)
    found: Stacks = {}
    for thread_id, seen in by_thread.items():
        weight = cpu.get(thread_id, 0) / seen.total()
        for each_stack, times in seen.items():
            found[each_stack] = found.get(each_stack, 0) + times * weight
    return found


def typical(runs: Sequence[Stacks]) -> Stacks:
    """The mean of runs, made as large as their median is: a run that was disturbed says where, but not how much."""
    total: Stacks = {}
    for each in runs:
        for stack, cpu in each.items():
            total[stack] = total.get(stack, 0) + cpu
    scale = statistics.median(sum(each.values()) for each in runs) / sum(total.values())
    return {stack: cpu * scale for stack, cpu in total.items()}


def by_part(stacks: Stacks) -> dict[str, float]:
    """The microseconds of each part."""
    counted = dict.fromkeys(PARTS, 0.0)
    for stack, cpu in stacks.items():
        counted[part_of(stack)] += cpu
    return counted


def tree(stacks: Stacks, name: str) -> Frame:
    """One root with all that was called from it."""
    root = Frame(name, part_of(()))
    for stack, cpu in stacks.items():
        root.cpu += cpu
        at = root
        for depth, frame in enumerate(stack, start=1):
            at = at.below.setdefault(frame, Frame(frame, part_of(stack[:depth])))
            at.cpu += cpu
    return root


def pruned(frame: Frame, least: float) -> Frame:
    """Without what took less."""
    kept = {name: pruned(each, least) for name, each in frame.below.items() if each.cpu >= least}
    return Frame(frame.name, frame.part, frame.cpu, kept)


def _frame(text: str) -> str:
    matched = _FRAME.fullmatch(text)
    if matched is None:
        return text
    file = matched["file"]
    for root in _ROOTS:
        _, found, rest = file.rpartition(root)
        file = rest if found else file
    return f"{matched['function']} {file}"


def _from_the_loop(stack: Sequence[str]) -> tuple[str, ...]:
    """What the event loop or a thread runs."""
    for depth, frame in reversed(list(enumerate(stack))):
        function, _, file = frame.partition(" ")
        if file in ("asyncio/runners.py", "uvicorn/server.py") or (file == "threading.py" and function == "_bootstrap"):
            return tuple(stack[depth + 1 :])
    return tuple(stack)
