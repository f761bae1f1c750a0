"""All commands, by name."""

from __future__ import annotations

from grantway.cli import (
    accounts,
    backup,
    client_changes,
    client_import,
    clients,
    connections,
    deliveries,
    doctor,
    keys,
    moving,
    operator_keys,
    operators,
    platform,
    records,
    scopes,
    serve,
    tokens,
    users,
)
from grantway.cli.terminal import group

app = group("OAuth for platforms with integrations.")
serve.add_to(app)
app.command("doctor")(doctor.doctor)
app.command("counts")(records.counts)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("export")(moving.export)
app.command("import")(moving.bring)
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
clients.app.command("import")(client_import.import_clients)
clients.app.add_typer(client_changes.developers, name="developers")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(deliveries.events, name="events")
app.add_typer(platform.app, name="platform")
app.add_typer(records.audit, name="audit")
app.add_typer(operator_keys.app, name="operator-keys")


@app.callback()
def root() -> None:
    """OAuth for platforms with integrations."""
