"""``grantway audit`` and ``grantway counts``: what was done, and how often things happened."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

audit = group("The audit log: who did what, when and why.")


@audit.command("search")
def search(
    connection: Annotated[str | None, typer.Option("--connection", metavar="ID", help="About this connection.")] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="ID", help="About this client.")] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="About this account.")] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="What this person did, and what was done to them.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="For this reason, such as customer, operator or reuse_detected.")
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", help="Only this, such as connection_removed or user_signed_out.")
    ] = None,
    limit: Limit = 100,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Search the audit log, newest first; all that is named has to fit."""
    from grantway.cli import views
    from grantway.protocol.administration.finding import clients_of
    from grantway.protocol.paging import read_pages

    async def question(facts: Facts, at: Moment) -> Answer:
        view = await house.find_connection(facts, connection) if connection else None
        listing = partial(
            facts.audit,
            connection_id=view.connection.id if view else None,
            client_row_id=(await house.find_client(facts, client)).id if client else None,
            account_id=(await house.find_account(facts, account, removed=True)).id if account else None,
            user_id=(await house.find_user(facts, user)).id if user else None,
            reason=reason,
            action=action,
        )
        entries = await read_pages(listing, limit)
        clients = await clients_of(facts, (one.client_id for one in entries))
        return {"entries": [views.audit(one, clients.get(one.client_id)) for one in entries]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json, columns=views.AUDIT_COLUMNS)


@audit.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="HASH",
            help="A hash that was noted before (the log's audit_sealed has it): it has to be in the chain still.",
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Verify that no sealed entry was changed, taken out or put in, and that the chain of seals is whole."""
    from grantway.server import verification

    noted = None if head is None else _hash(head)

    async def work(service: Service) -> verification.Verified:
        return await verification.verify(service, noted)

    found = house.with_service(data, work)
    if found.flaw is not None:
        before = f"{found.entries} entries before it are as they were sealed."
        raise Stop(found.flaw.sentence, before, reason=found.flaw.reason)
    answer = {
        "seals": found.seals,
        "entries": found.entries,
        "not_yet_sealed": found.not_yet_sealed,
        "removed_by_retention": found.retired_entries,
        "removed_up_to": found.retired_up_to,
        "not_yet_removed": found.not_yet_removed,
        "seals_since_head": found.since_head,
        "head": found.head.hex() if found.seals else None,
    }
    note = "Every sealed entry is as it was."
    if found.not_yet_sealed:
        note += " What is not sealed yet is not verified; a running server seals it within a minute."
    tell(answer, as_json, note)


def counts(
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="Only tokens, refusals, connections, deliveries or sign_ins."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="From 2026-01-31 or 2026-01-31T08:00 (UTC) on; a day, if not said."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Read how often things happened, by the hour. For pictures, not for accounts."""
    from grantway.cli import views
    from grantway.protocol.tallies import KINDS, hour_of

    if kind is not None and kind not in KINDS:
        raise Stop(f"There is no kind {kind!r}: there are {', '.join(KINDS)}.", reason="kind_unknown")
    told_from = None if since is None else house.read_time(since)

    async def question(facts: Facts, at: Moment) -> Answer:
        begin = told_from or hour_of(at.now - timedelta(days=1))
        return {"counts": [views.tally(one) for one in await facts.tallies(begin, kind)]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json)


def _hash(text: str) -> bytes:
    try:
        noted = bytes.fromhex(text)
    except ValueError:
        noted = b""
    if len(noted) != 32:
        raise Stop("A hash is 64 hex digits, as the log shows them.", reason="hash_malformed")
    return noted
