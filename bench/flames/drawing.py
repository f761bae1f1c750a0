"""Flame graphs as SVG without scripts: what calls stands above what is called, as wide as the CPU that it takes.

All graphs of a picture have one scale, so that what became cheaper is shorter. Colours are parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from bench.flames.parts import PARTS
from bench.flames.stacks import Frame, pruned

LARGEST = 60_000
"""Bytes of a picture."""
_LEAST = 0.005
"""The share of the CPU from which on a frame is drawn."""
_WIDTH, _ROW, _MARGIN = 1000, 15, 10
_LETTER = 5.6
_COLOURS = ("#b9c2cc", "#d9d2b8", "#f2c48d", "#f4a582", "#e68a9c", "#92c5de", "#74a9cf", "#c7b0de", "#a6d7a2")
_STYLE = (
    "text{font:10px ui-sans-serif,system-ui,sans-serif;fill:#1a1a1a}"
    ".h{font-size:12px}.s{fill:#1a1a1a}rect{stroke:#fff;stroke-width:.5}"
    "@media(prefers-color-scheme:dark){.h,.s{fill:#e6e6e6}rect{stroke:#1a1a1a}}"
    + "".join(f".p{number}{{fill:{colour}}}" for number, colour in enumerate(_COLOURS))
)

Graph = tuple[str, Frame]
"""What is said above it, and its root."""


def draw(title: str, graphs: Sequence[Graph]) -> str:
    """A picture with these graphs, one below the other. Small frames are left out until it is small enough."""
    least = _LEAST
    while True:
        drawn = _picture(title, [(said, pruned(root, root.cpu * least)) for said, root in graphs])
        if len(drawn.encode()) < LARGEST:
            return drawn
        least *= 1.25


def _picture(title: str, graphs: Sequence[Graph]) -> str:
    scale = (_WIDTH - 2 * _MARGIN) / max(root.cpu for _, root in graphs)
    lines: list[str] = []
    top = 14 + _MARGIN
    lines += _legend(top)
    top += 2 * _ROW + 8
    for said, root in graphs:
        lines.append(f'<text class="h" x="{_MARGIN}" y="{top + 8}">{escape(said)}: {root.cpu:.0f} µs</text>')
        top += 14
        lines += _frames(root, _MARGIN, top, scale)
        top += root.depth * _ROW + 12
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img"><title>{escape(title)}</title>'
    return "\n".join([head, f"<style>{_STYLE}</style>", *lines, "</svg>\n"])


def _legend(top: int) -> Iterator[str]:
    for number, part in enumerate(PARTS):
        x, y = _MARGIN + number % 5 * 196, top - 12 + number // 5 * _ROW
        yield f'<rect class="p{number}" x="{x}" y="{y}" width="10" height="10"/><text class="s" x="{x + 14}" y="{y + 9}">{escape(part)}</text>'


def _frames(frame: Frame, x: float, y: float, scale: float) -> Iterator[str]:
    width = frame.cpu * scale
    title = f"<title>{escape(frame.name)}, {frame.cpu:.1f} µs</title>"
    yield (
        f'<rect class="p{PARTS.index(frame.part)}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}">{title}</rect>'
    )
    if (said := _fitting(frame.name, width)) is not None:
        yield f'<text x="{x + 2:.1f}" y="{y + 10}">{escape(said)}</text>'
    for each in _widest_first(frame.below):
        yield from _frames(each, x, y + _ROW, scale)
        x += each.cpu * scale


def _widest_first(frames: Mapping[str, Frame]) -> list[Frame]:
    return sorted(frames.values(), key=lambda each: -each.cpu)


def _fitting(name: str, width: float) -> str | None:
    """As much of ``function module`` as there is room for."""
    function, _, module = name.partition(" ")
    room = int((width - 4) / _LETTER)
    spelled = f"{function} {module.removeprefix('grantway/').removesuffix('.py')}"
    if len(spelled) <= room:
        return spelled
    if len(function) <= room:
        return function
    return f"{function[: room - 1]}…" if room >= 4 else None
