"""Where ``grantway`` begins."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from grantway.cli import (
    accounts,
    client_changes,
    clients,
    connections,
    deliveries,
    doctor,
    keys,
    operator_keys,
    operators,
    platform,
    records,
    scopes,
    serve,
    tokens,
    users,
)
from grantway.cli.terminal import Stop, group, tell_failure

app = group("OAuth for platforms with integrations.")
app.command("serve")(serve.serve)
app.command("migrate")(serve.migrate)
app.command("check-config")(serve.check_config)
app.command("doctor")(doctor.doctor)
app.command("counts")(records.counts)
app.add_typer(keys.app, name="keys")
app.add_typer(scopes.app, name="scopes")
app.add_typer(users.app, name="users")
app.add_typer(operators.app, name="operators")
app.add_typer(accounts.app, name="accounts")
app.add_typer(accounts.members, name="members")
app.add_typer(connections.app, name="connections")
app.add_typer(tokens.app, name="tokens")
app.add_typer(clients.app, name="clients")
for name, command in client_changes.COMMANDS.items():
    clients.app.command(name)(command)
clients.app.add_typer(client_changes.developers, name="developers")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(deliveries.events, name="events")
app.add_typer(platform.app, name="platform")
app.add_typer(records.audit, name="audit")
app.add_typer(operator_keys.app, name="operator-keys")


@app.callback()
def root() -> None:
    """OAuth for platforms with integrations."""


def main() -> None:
    """The console script. Exit codes: 0 done, 1 refused (nothing was changed), 2 the command was misspelled."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    as_json = "--json" in arguments
    try:
        # Standalone, typer itself tells people what they misspelled.
        code = typer.main.get_command(app).main(args=arguments, prog_name="grantway", standalone_mode=not as_json)
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
