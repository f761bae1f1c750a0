"""How commands speak: to people in lines and tables, to programs in one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Data directory, instead of GRANTWAY_DATA.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")]

Answer = Mapping[str, Any]


class Stop(Exception):
    """The command ends here without having done anything. ``problems`` are sentences; ``reason`` a stable slug."""

    def __init__(self, *problems: str, reason: str = "refused") -> None:
        super().__init__(" ".join(problems))
        self.problems = problems
        self.reason = reason


def group(help: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(help=help, no_args_is_help=True, add_completion=False)


Columns = Sequence[str] | Mapping[str, Sequence[str]]
"""Which columns of the one table fit a window, or of each by its name; all, if nothing is said."""


def tell(answer: Answer, as_json: bool, note: str | None = None, columns: Columns = ()) -> None:
    """Show what came of a command. ``note`` and ``columns`` are for people only."""
    if as_json:
        print(json.dumps(answer, default=_plain, ensure_ascii=False), flush=True)
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    lists = [(name, rows) for name, rows in answer.items() if _is_table(rows)]
    fields = {name: value for name, value in answer.items() if not _is_table(value)}
    if len(answer) == 1 and not any(answer.values()):
        console.print(f"There are no {next(iter(answer)).replace('_', ' ')}.")
    elif fields:
        console.print(_grid(fields))
    for name, rows in lists:
        if fields:
            console.print()
        named = columns.get(name, ()) if isinstance(columns, Mapping) else columns
        console.print(_table(rows, named or tuple(rows[0])))
    if note:
        console.print(f"\n{note}")


def tell_failure(problems: Sequence[str], reason: str, as_json: bool) -> None:
    """Say why nothing was done: on standard error, or as the one JSON object on standard output."""
    if as_json:
        print(
            json.dumps({"error": " ".join(problems), "reason": reason, "problems": list(problems)}, ensure_ascii=False)
        )
        return
    for problem in problems:
        print(f"grantway: {problem}", file=sys.stderr)


@contextmanager
def progress(what: str, as_json: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal while something takes its time, to be told what is done and of how much; nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _is_table(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _grid(fields: Answer) -> Any:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, value in fields.items():
        if value not in (None, [], (), {}):
            grid.add_row(name.replace("_", " "), _words(value))
    return grid


def _table(rows: Sequence[Answer], names: Sequence[str]) -> Any:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    columns = [name for name in names if any(row[name] not in (None, [], (), {}) for row in rows)]
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_words(row[name]) for name in columns))
    return table


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "\n".join(f"{name} {_words(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(_words(inner) for inner in value)
    return str(_plain(value)) if isinstance(value, (datetime, date)) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
