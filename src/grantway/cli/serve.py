"""``grantway serve``, ``migrate`` and ``check-config``: the server itself."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Stop, tell

if TYPE_CHECKING:
    from grantway.server.settings import Settings
    from grantway.server.storage.sql.migrations import Planned


IN_PLACE = "Everything was in place."


def serve(
    host: Annotated[str | None, typer.Option("--host", metavar="H", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="P", help="Port to listen on; 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", help="Server processes.")] = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="A platform to try out, on this machine only, with people and integrations in it."),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run the server."""
    gc.disable()  # while modules are read there is nothing to collect; ``run.serve`` turns it on again
    try:
        _started(demo, data, as_json, host=host, port=port, workers=workers)
    finally:
        gc.enable()


def _started(demo: bool, data: Path | None, as_json: bool, **options: str | int | None) -> None:
    from grantway.server.master_key import key_warning
    from grantway.server.settings_sources import CannotStart

    settings = house.settings_of(data, **options)
    try:
        if demo:
            _serve_demo(settings, as_json)
        else:
            _warn(key_warning(settings))
            _serve(settings, as_json)
    except CannotStart as problem:
        raise Stop(*problem.problems, reason="cannot_start") from None


def _serve(settings: Settings, as_json: bool) -> None:
    from grantway.server import run

    with run.bind(settings) as bound:
        settings = settings.model_copy(update={"port": bound.getsockname()[1]})
        run.first_look(settings)
        run.serve(settings, [bound], lambda: tell({"address": settings.issuer}, as_json))


def _serve_demo(settings: Settings, as_json: bool) -> None:
    from grantway.server import run
    from grantway.server.demo import start

    start.refuse_unless_demo(settings)
    with run.bind(settings) as bound:
        settings = start.settings_for_demo(settings.model_copy(update={"port": bound.getsockname()[1]}))
        demo, keys = start.seed_demo(settings)
        answer: Answer = {
            "address": settings.issuer,
            "demo": f"{settings.issuer}/demo",
            "user": demo.email,
            "password": demo.password,
            "people": [{"email": one.email, "who": one.who, "signs_in_at": one.page} for one in start.PEOPLE],
        }
        note = "Everybody has the same password. Open the demo page, press Connect, sign in. Stop with Ctrl-C."
        run.serve(settings, [bound], lambda: tell(answer, as_json, note), start.with_integrator(demo, keys))


def migrate(
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be applied, and change nothing.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Bring the database to the schema of this release; make it, and a master key, where there is none."""
    from grantway.server.opening import planned, prepare
    from grantway.server.run import first_look
    from grantway.server.settings_sources import CannotStart

    settings = house.settings_of(data)
    try:
        if plan:
            _tell_plan(settings.database_named, planned(settings), as_json)
            return
        applied = prepare(settings)
        first_look(settings)
    except CannotStart as problem:
        raise Stop(*problem.problems, reason="cannot_start") from None
    tell({"database": settings.database_named, "applied": applied}, as_json, None if applied else IN_PLACE)


def _tell_plan(database: str, plan: Sequence[Planned], as_json: bool) -> None:
    if as_json:
        tell({"database": database, "planned": [asdict(one) for one in plan]}, as_json)
        return
    scripts = ("\n".join((f"-- {one.name} ({one.phase})", *one.statements)) for one in plan)
    tell({"database": database, "planned": [one.name for one in plan]}, as_json, "\n\n".join(scripts) or IN_PLACE)


def check_config(data: Data = None, as_json: Json = False) -> None:
    """Say everything that is wrong with the settings, or what they are. Changes nothing."""
    from grantway.server.master_key import find_master_key, key_warning
    from grantway.server.settings_reference import in_words
    from grantway.server.settings_sources import CannotStart

    settings = house.settings_of(data)
    try:
        find_master_key(settings)
    except CannotStart as problem:
        raise Stop(*problem.problems, reason="cannot_start") from None
    warning = key_warning(settings)
    tell({"settings": in_words(settings), "warnings": [warning] if warning else []}, as_json)


COMMANDS: Mapping[str, Callable[..., None]] = {"serve": serve, "migrate": migrate, "check-config": check_config}


def add_to(app: typer.Typer) -> None:
    """Put these commands, which are no group, among others."""
    for name, command in COMMANDS.items():
        app.command(name)(command)


def _warn(warning: str | None) -> None:
    import sys

    if warning:
        print(f"grantway: {warning}", file=sys.stderr)
