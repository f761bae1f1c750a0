"""How large each table is, with its indexes, and what is dead in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Of one table: rows, bytes of the table and of its indexes; on PostgreSQL its dead rows by then, and how many updates there have
    been and how many of them touched no index (heap-only)."""

    rows: int
    table: int
    indexes: int
    dead: int = 0
    updates: int = 0
    heap_only: int = 0


Sizes = Mapping[str, Size]


def total(sizes: Sizes) -> int:
    return sum(each.table + each.indexes for each in sizes.values())


def beside(moments: Sequence[tuple[str, Sizes]]) -> str:
    """The tables in which anything changed, line by line, and how large they were at each moment."""
    names = sorted({name for _, sizes in moments for name in sizes})
    first = moments[0][1]
    changed = [name for name in names if any(sizes.get(name) != first.get(name) for _, sizes in moments)]
    head = ["table"]
    for when, _ in moments:
        head += [f"{when}: rows", "dead", "kB", "indexes, kB"]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    for name in changed:
        cells = [f"`{name}`"]
        for _, sizes in moments:
            size = sizes.get(name, Size(0, 0, 0))
            cells += [f"{size.rows:,}", f"{size.dead:,}", _kb(size.table), _kb(size.indexes)]
        lines.append(_line(cells))
    cells = ["all tables"]
    for _, sizes in moments:
        every = sizes.values()
        cells += ["", "", _kb(sum(each.table for each in every)), _kb(sum(each.indexes for each in every))]
    return "\n".join([*lines, _line(cells), "", f"Nothing changed in the other {len(names) - len(changed)} tables."])


def _kb(size: int) -> str:
    return f"{size / 1000:,.0f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
