"""``grantway tokens``: access tokens without end, and tokens that an older system issued."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.administration.foreign_tokens import OlderGrant
    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service
    from grantway.wire.api.problem import Place

app = group("Access tokens without end, made by hand, and tokens that an older system issued.")

ClientOption = Annotated[str, typer.Option("--client", metavar="ID", help="The client id.")]

LONGEST_LINE = 65536
"""Characters of one line of an import."""
AT_ONCE = 100
"""Lines that are settled together: each is a transaction of its own, and they share the waiting for the disk."""
ERRORS_SHOWN = 100


@app.command("create")
def create(
    client: ClientOption,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The account: ac_…, or your own id of it.")],
    scope: Annotated[
        str | None,
        typer.Option("--scope", metavar='"A B"', help="What it reaches; the client's default scopes if left out."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make an access token without end (a personal, or permanent, token). It is shown once."""
    from grantway.cli import views
    from grantway.protocol.permanent import make_token

    scopes = None if scope is None else tuple(scope.split())

    async def rule(facts: Facts, at: Moment) -> Any:
        found = await house.find_account(facts, account)
        return await make_token(facts, at, client, found.id, scopes)

    async def work(service: Service) -> Answer:
        issued = await house.settled(service, rule)
        return {**views.token(issued.held), "access_token": service.mint.access_token(issued)}

    tell(house.with_service(data, work), as_json, "The token is shown this once.")


@app.command("list")
def list_tokens(client: ClientOption, data: Data = None, as_json: Json = False) -> None:
    """List a client's tokens without end, oldest first. Their texts are not shown."""
    from grantway.cli import views
    from grantway.protocol.permanent import tokens_of

    async def question(facts: Facts, at: Moment) -> Answer:
        found = await house.find_client(facts, client)
        return {"tokens": [views.token(held) for held in await tokens_of(facts, found)]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json, columns=views.TOKEN_COLUMNS)


@app.command("end")
def end(
    token: Annotated[str, typer.Argument(metavar="ID", help="The token: gr_….")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """End a token without end. If nothing else was allowed, its connection is removed with it."""
    from grantway.cli import views
    from grantway.protocol.permanent import end_token

    async def work(service: Service) -> Answer:
        return views.token(await house.settled(service, end_token, house.row_id_of("gr", "token", token)))

    tell(house.with_service(data, work), as_json)


@app.command("import")
def import_tokens(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines; - reads standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would come of each line by itself.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Bring along tokens of an older system, by their digests; what was brought along before is left out."""

    async def work(service: Service) -> Answer:
        with _opened(file) as lines:
            return await _bring(service, lines, dry_run=dry_run)

    answer = house.with_service(data, work)
    tell(answer, as_json)
    if answer["failed"]:
        raise typer.Exit(1)


def _opened(file: str) -> Any:
    try:
        return nullcontext(sys.stdin) if file == "-" else Path(file).open(encoding="utf-8", errors="replace")
    except OSError:
        raise Stop(f"The file {file} cannot be read.", reason="file_unreadable") from None


async def _bring(service: Service, lines: TextIO, *, dry_run: bool) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    errors: list[dict[str, Any]] = []
    numbered = _numbered(lines)
    while batch := list(islice(numbered, AT_ONCE)):
        # A line may hang from the connection that the one before it makes: storage settles them in their order.
        results = await asyncio.gather(*(_one(service, line, dry_run=dry_run) for _, line in batch))
        for (number, _), (what, tokens, error) in zip(batch, results, strict=True):
            counts[what] += 1
            counts["tokens"] += tokens
            if error is not None and len(errors) < ERRORS_SHOWN:
                errors.append({"line": number, **error})
    return {
        "lines": counts.total() - counts["tokens"],
        **{name: counts[name] for name in ("imported", "tokens", "imported_before", "expired", "failed")},
        "dry_run": dry_run,
        "errors": errors,
    }


def _numbered(lines: TextIO) -> Iterator[tuple[int, str]]:
    """The lines with something on them, and their numbers; of one that is too long, only as much as tells that."""
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            rest = line
            while rest and not rest.endswith("\n"):
                rest = lines.readline(LONGEST_LINE)
        if line.strip():
            yield number, line


async def _one(service: Service, line: str, *, dry_run: bool) -> tuple[str, int, dict[str, Any] | None]:
    """What came of a line, how many tokens it brought, and what was wrong. Never a token."""
    from grantway.protocol.administration.answers import Rejected
    from grantway.protocol.administration.foreign_tokens import import_tokens

    wanted = _read(line)
    if isinstance(wanted, str):
        return "failed", 0, {"error": wanted, "reason": "line_unfit"}
    if dry_run:
        answer = await house.looked_up(service, lambda facts, at: _answer(import_tokens(facts, at, wanted)))
    else:
        answer = (await service.settle(import_tokens, wanted)).answer
    if isinstance(answer, Rejected):
        return "failed", 0, {"error": str(answer.sentence), "reason": answer.reason}
    return answer.left_out or "imported", answer.tokens, None


async def _answer(deciding: Any) -> Any:
    return (await deciding).answer


def _read(line: str) -> OlderGrant | str:
    """What a line says, or what is wrong with it: the place, and not what stands there."""
    from grantway.protocol.administration import foreign_tokens as rules
    from grantway.protocol.digests import foreign_digest
    from grantway.wire.api.problem import Unfit
    from grantway.wire.api.reading import read_line
    from grantway.wire.api.tokens import OlderGrant as Line
    from grantway.wire.errors import Malformed

    if len(line) > LONGEST_LINE:
        return f"A line has at most {LONGEST_LINE} characters."
    try:
        told = read_line(line.encode(), Line)
    except Unfit as unfit:
        return " ".join(_told(place) for place in unfit.places)
    except Malformed:
        return "This is no JSON object."
    tokens = []
    for one in told.tokens:
        if (one.token is None) == (one.sha256 is None):
            return "A token is told by its text or by its sha256."
        known = bytes.fromhex(one.sha256) if one.sha256 is not None else foreign_digest(one.token or "")
        if known is None:
            return "One of the tokens is a token of this server."
        tokens.append(rules.OlderToken(one.kind, known, one.expires_at))
    scope = None if told.scope is None else tuple(told.scope.split())
    return rules.OlderGrant(told.client_id, told.account, tuple(tokens), told.user, scope)


def _told(place: Place) -> str:
    """What is wrong where; a member that is not known is not named, since it may be a token in the wrong place."""
    from grantway.wire.api.reading import UNKNOWN_MEMBER

    return str(place.detail) if place.detail == UNKNOWN_MEMBER else f"{place.pointer}: {place.detail}"
