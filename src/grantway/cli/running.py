"""Where ``grantway`` begins: one command is run, and its end becomes an exit code."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from grantway.cli import serve
from grantway.cli.terminal import Stop, group, tell_failure


def main() -> None:
    """The console script. Exit codes: 0 done, 1 refused (nothing was changed), 2 the command was misspelled."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    as_json = "--json" in arguments
    try:
        command = typer.main.get_command(_commands(arguments))
        # Standalone, typer itself tells people what they misspelled.
        code = command.main(args=arguments, prog_name="grantway", standalone_mode=not as_json)
    except Stop as stop:
        tell_failure(stop.problems, stop.reason, as_json)
        return 1
    except TyperException as misspelled:
        tell_failure([misspelled.format_message().strip() or "A command is missing."], "usage", as_json)
        return 2
    except SystemExit as done:
        code = done.code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    return code if isinstance(code, int) else 0


def _commands(arguments: list[str]) -> typer.Typer:
    """All commands; of the server's own only these, because reading the others is a tenth of the server's start."""
    if not arguments or arguments[0] not in serve.COMMANDS:
        from grantway.cli.main import app

        return app
    alone = group("OAuth for platforms with integrations.")
    serve.add_to(alone)
    return alone
