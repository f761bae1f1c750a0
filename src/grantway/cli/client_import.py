"""``grantway clients import``: clients of another server, with the secrets that they have."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grantway.cli import house
from grantway.cli.clients import overrides_of
from grantway.cli.terminal import Answer, Data, Json, Stop, tell

if TYPE_CHECKING:
    from grantway.cli.exports.reading import Entry
    from grantway.protocol.moving_in import MovedIn, OlderClient, Terms
    from grantway.server.service import Service

Source = Literal["hydra", "keycloak", "django-oauth-toolkit"]
Ask = Callable[["OlderClient"], Any]

AT_ONCE = 100
"""Clients that are settled together: each is a transaction of its own, and they share the waiting for the disk."""
COLUMNS = {
    "clients": ("client_id", "outcome", "secret", "why"),
    "not_taken": ("client_id", "what", "value", "why"),
    "missing_scopes": ("scope", "clients", "add_with"),
}


def import_clients(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The export, as JSON; - reads standard input.")],
    source: Annotated[Source, typer.Option("--from", help="Which server wrote it.")],
    scope: Annotated[
        str | None,
        typer.Option("--scope", metavar='"A B"', help="What each may be given, where the export names none."),
    ] = None,
    create_scopes: Annotated[
        bool, typer.Option("--create-scopes", help="Add scopes that the catalogue lacks.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="One field of policy, for each of them (repeatable)."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of each.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Bring along clients of another server, with their secrets or hashes; what is here already stays as it is."""
    from grantway.protocol.moving_in import Terms

    terms = Terms(source, overrides_of(set_ or []), tuple((scope or "").split()), create_scopes)
    entries = read_export(source, file)

    async def work(service: Service) -> Answer:
        foreseen = await _each(entries, lambda older: _foreseen(service, older, terms))
        if dry_run:
            return _report(source, entries, foreseen, create_scopes=create_scopes, dry_run=True)
        if not as_json:
            before = _report(source, entries, foreseen, create_scopes=create_scopes, dry_run=False)
            tell(before, False, "Bringing them along:", COLUMNS)
        done = await _each(entries, lambda older: _settled(service, older, terms))
        report = _report(source, entries, done, create_scopes=create_scopes, dry_run=False)
        return (
            report
            if as_json
            else {"done": {name: report[name] for name in ("imported", "exists", "left_out", "failed")}}
        )

    answer = house.with_service(data, work)
    tell(answer, as_json, columns=COLUMNS)
    if answer.get("failed") or answer.get("done", {}).get("failed"):
        raise typer.Exit(1)


def read_export(source: Source, file: str) -> list[Entry]:
    """What is in the file, entry by entry. ``Stop`` when it is no export of this server."""
    from grantway.cli.exports import django_oauth_toolkit, hydra, keycloak
    from grantway.cli.exports.reading import Unfit
    from grantway.wire import json_bytes

    readers = {"hydra": hydra.read, "keycloak": keycloak.read, "django-oauth-toolkit": django_oauth_toolkit.read}
    try:
        entries = list(readers[source](json_bytes.loads(_bytes_of(file))))
    except json_bytes.JSONDecodeError:
        raise Stop("The export is no JSON.", reason="export_unfit") from None
    except Unfit as unfit:
        raise Stop(f"This is no export of {source}: {unfit}", reason="export_unfit") from None
    if not entries:
        raise Stop("There are no clients in the export.", reason="export_empty")
    return entries


def _bytes_of(file: str) -> bytes:
    from grantway.cli.exports.reading import LARGEST

    try:
        if file == "-":
            content = sys.stdin.read(LARGEST + 1).encode()
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(LARGEST + 1)
    except UnicodeError:
        raise Stop("The export is no JSON.", reason="export_unfit") from None
    except OSError:
        raise Stop(f"The file {file} cannot be read.", reason="file_unreadable") from None
    if len(content) > LARGEST:
        raise Stop(f"An export has at most {LARGEST // 1024**2} MiB.", reason="export_too_large")
    return content


async def _each(entries: list[Entry], ask: Ask) -> list[MovedIn | None]:
    """What came of each entry; of one that is no client to bring, nothing. Named twice, the first one comes."""
    from grantway.protocol.moving_in import MovedIn, OlderClient

    came: list[MovedIn | None] = []
    seen: set[str] = set()

    async def one(entry: Entry, *, again: bool) -> MovedIn | None:
        if not isinstance(entry, OlderClient):
            return None
        twice = MovedIn("failed", why="It is in the export twice.", reason="client_twice")
        return twice if again else await ask(entry)

    for start in range(0, len(entries), AT_ONCE):
        batch = []
        for entry in entries[start : start + AT_ONCE]:
            client_id = entry.client_id if isinstance(entry, OlderClient) else ""
            batch.append(one(entry, again=client_id in seen))
            seen.add(client_id)
        came += await asyncio.gather(*batch)
    return came


async def _foreseen(service: Service, older: OlderClient, terms: Terms) -> Any:
    from grantway.protocol.moving_in import import_client

    async def question(facts: Any, at: Any) -> Any:
        return (await import_client(facts, at, older, terms)).answer

    return await house.looked_up(service, question)


async def _settled(service: Service, older: OlderClient, terms: Terms) -> Any:
    from grantway.protocol.moving_in import import_client

    return (await service.settle(import_client, older, terms)).answer


def _report(
    source: Source, entries: list[Entry], came: list[MovedIn | None], *, create_scopes: bool, dry_run: bool
) -> dict[str, Any]:
    clients = [_line(entry, what) for entry, what in zip(entries, came, strict=True)]
    counts = Counter(one["outcome"] for one in clients)
    unknown = Counter(name for what in came for name in (what.unknown_scopes if what else ()))
    return {
        "from": source,
        "dry_run": dry_run,
        **{outcome: counts[outcome] for outcome in ("imported", "exists", "left_out", "failed")},
        "clients": clients,
        "not_taken": [
            {"client_id": entry.client_id, "what": one.what, "value": one.value, "why": str(one.why)}
            for entry, what in zip(entries, came, strict=True)
            for one in (what.not_taken if what else ())
        ],
        "new_scopes": sorted(unknown) if create_scopes else [],
        "missing_scopes": []
        if create_scopes
        else [
            {
                "scope": name,
                "clients": unknown[name],
                "add_with": f"grantway scopes add {shlex.quote(name)} --sentence '…'",
            }
            for name in sorted(unknown)
        ],
    }


def _line(entry: Entry, what: MovedIn | None) -> dict[str, Any]:
    """One line of the report. Never a secret, nor a hash of one."""
    from grantway.cli.exports.reading import Broken, LeftOut

    line = {"client_id": entry.client_id, "outcome": "failed", "secret": None}
    if isinstance(entry, Broken):
        return {**line, "why": entry.why, "reason": "entry_unfit"}
    if isinstance(entry, LeftOut) or what is None:
        return {**line, "outcome": "left_out", "why": getattr(entry, "why", None), "reason": "not_to_move"}
    return {
        **line,
        "outcome": what.outcome,
        "secret": what.secret,
        "why": what.why and str(what.why),
        "reason": what.reason,
    }
