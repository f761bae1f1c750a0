"""Settings: by environment (``GRANTWAY_…``) or one TOML file; the environment wins.

Whatever is wrong is said in sentences, all at once, and stops the start: a key that nobody knows as well. The constructor
takes exactly what it is given; ``load_settings`` looks around. The reference in ``docs/reference/settings.md`` is written
from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from grantway.protocol.administration.scopes import check_events, check_scope_name
from grantway.protocol.model import Scope
from grantway.protocol.moment import Installation
from grantway.server import settings_values as values
from grantway.server.connections.addresses import AddressRules
from grantway.wire.loopback import is_loopback

PREFIX = "GRANTWAY_"
FILE_NAME = "grantway.toml"
DATABASE_NAME = "grantway.db"

Sensitivity = Literal["low", "medium", "high"]


class ScopeEntry(BaseModel):
    """One scope of the catalogue in the settings file, by language where people read it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sentence: dict[str, str] = Field(min_length=1, description="What it allows, as customers read it.")
    sensitivity: Sensitivity = Field("medium", description="How carefully customers should look.")
    opens: dict[str, tuple[str, ...]] = Field({}, description="What it reaches, where one sentence is not enough.")
    withholds: dict[str, tuple[str, ...]] = Field({}, description="What it does not reach.")
    events: tuple[str, ...] = Field(
        (), description="Event types that it covers: `order.paid`, or `order.*` for all of them."
    )


class Settings(BaseModel):
    """All settings of a server."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    data: Path = Field(
        Path("data"), description="Directory of the database and of a drawn master key. Made when it is not there."
    )
    database: Annotated[SecretStr | None, BeforeValidator(values.database)] = Field(
        None,
        description=(
            f"SQLite file, as a path or sqlite:PATH (left out, `{DATABASE_NAME}` in the data directory), or "
            "postgresql://USER@HOST:PORT/NAME with what libpq takes beside it; several hosts with commas."
        ),
    )
    database_pooler: Literal["none", "transaction"] = Field(
        "none", description="What stands before PostgreSQL: PgBouncer in transaction mode keeps no prepared statements."
    )
    database_connections: int = Field(
        8,
        ge=2,
        le=200,
        description="Connections to PostgreSQL of each worker process at most, made as they are needed.",
    )
    removals_journal: str | None = Field(
        None,
        min_length=1,
        description=(
            "Directory where removals and revocations are written down line by line, so that a restored backup does not "
            "undo them; `off` for none. Left out, `removals` beside a SQLite file, and none for PostgreSQL."
        ),
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: Annotated[str | None, AfterValidator(values.public_url)] = Field(
        None,
        description=(
            "The address that people and clients use, such as https://login.example.com: issuer, metadata, links and "
            "cookies come from it. Required unless Grantway listens on loopback; https, except on loopback."
        ),
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(values.networks)] = Field(
        (), description="Networks of the proxies whose X-Forwarded-For counts, such as 10.0.0.0/8, ::1."
    )
    outgoing_allowed: Annotated[tuple[str, ...], BeforeValidator(values.targets)] = Field(
        (),
        description=(
            "Hosts, addresses and networks that calls to integrations (removeUrl) may go to although they are not "
            "public, such as hooks.internal, 10.1.0.0/16."
        ),
    )
    master_key: SecretStr | None = Field(
        None, description="The master key: 64 random bytes in base64. Left out, one is drawn into the data directory."
    )
    master_key_file: Path | None = Field(
        None, description="A file that holds the master key in base64, instead of the key itself."
    )
    platform_name: str = Field(
        "Grantway", min_length=1, max_length=100, description="The platform's name, as customers know it."
    )
    workers: int = Field(1, ge=1, le=64, description="Server processes on this machine.")
    writer: Literal["auto", "tick", "thread"] = Field(
        "auto",
        description="Where SQLite commits run: in the event loop, in a thread, or wherever this disk makes faster.",
    )
    platform_events_url: Annotated[str | None, AfterValidator(values.web_address)] = Field(
        None,
        description=(
            "Where the platform hears what happens to connections (connection.created, …, connection.removed), signed; "
            "`grantway platform events-secret` shows the key."
        ),
    )
    removal_grace_seconds: int = Field(
        0,
        ge=0,
        le=600,
        description=(
            "How long the tokens of a removed connection still introspect, with the scope `cleanup` only, so that an "
            "integration can tidy up. Not after an operator's removal or a token's theft."
        ),
    )
    inactivity_days: int | None = Field(
        None, ge=1, le=3650, description="After how many days without use a connection is removed; left out, never."
    )
    audit_retention_days: int = Field(
        400,
        ge=30,
        le=36_500,
        description="After how many days entries of the audit are removed, once they are sealed. Their seals stay.",
    )
    login_url: Annotated[str | None, AfterValidator(values.web_address)] = Field(
        None,
        description=(
            "The platform's own sign-in. Browsers go there with `request=ID`, the platform says who it is by "
            "`POST /v1/sign-ins/ID` and sends them back. Left out, Grantway knows the users and their passwords."
        ),
    )
    registration: Literal["open", "members", "closed"] = Field(
        "members",
        description=(
            "Who may register integrations at /developers: everybody who is signed in, owners and admins of accounts, or "
            "nobody."
        ),
    )
    smtp: Annotated[SecretStr | None, AfterValidator(values.mail_server)] = Field(
        None,
        description=(
            "The mail server, such as smtp://user:password@mail.example.com:587 (STARTTLS) or smtps://… (TLS from the "
            "start). Left out, nobody is written to; on loopback, mail is printed to the log instead."
        ),
    )
    mail_from: str = Field(
        "Grantway <no-reply@localhost>", min_length=3, max_length=320, description="The sender of that mail."
    )
    logo: Path | None = Field(
        None,
        description="A picture (PNG, JPEG or WebP) for the head of every page; re-encoded, at most 96 pixels high.",
    )
    accent_colour: str = Field(
        "", pattern="^(#[0-9a-fA-F]{6})?$", description="The colour of buttons and links, such as #0b6e4f."
    )
    traces: Annotated[str | None, AfterValidator(values.web_address)] = Field(
        None, description="OpenTelemetry collector (OTLP over HTTP) for traces; needs `pip install grantway[traces]`."
    )
    linger_seconds: int | None = Field(
        None,
        ge=0,
        le=120,
        description=(
            "How long a server that was told to stop says so at /health/ready and still takes requests, so that a load "
            "balancer can turn away; left out, 3 behind a public_url and 0 without one."
        ),
    )
    drain_seconds: int = Field(20, ge=0, le=600, description="How long a stopping server waits for requests under way.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    scopes: dict[str, ScopeEntry] = Field(
        {}, description="The scope catalogue (settings file only): a table [scopes.NAME] for each scope."
    )

    @property
    def lingering(self) -> int:
        """``linger_seconds``, decided."""
        if self.linger_seconds is not None:
            return self.linger_seconds
        return 0 if self.public_url is None else 3

    @property
    def outgoing_rules(self) -> AddressRules:
        """Which addresses requests of ours may go to."""
        return AddressRules.of(self.issuer, self.outgoing_allowed)

    @property
    def issuer(self) -> str:
        """The issuer identifier: the public address, without a trailing slash (RFC 8414 §2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def installation(self) -> Installation:
        """What rules ask of these settings."""
        return Installation(
            issuer=self.issuer,
            hears_events=self.platform_events_url is not None,
            sends_mail=self.smtp is not None or self.is_local,
            signs_in_elsewhere=self.login_url is not None,
            registration=self.registration,
            removal_grace=timedelta(seconds=self.removal_grace_seconds),
            inactivity=None if self.inactivity_days is None else timedelta(days=self.inactivity_days),
            audit_kept=timedelta(days=self.audit_retention_days),
        )

    @property
    def database_url(self) -> str | None:
        """The address of PostgreSQL, password included; ``None`` for SQLite."""
        given = None if self.database is None else self.database.get_secret_value()
        return given if given is not None and values.is_postgres(given) else None

    @property
    def database_path(self) -> Path:
        """The SQLite file. Of no meaning beside ``database_url``."""
        return self.data / DATABASE_NAME if self.database is None else Path(self.database.get_secret_value())

    @property
    def database_named(self) -> str:
        """The database as it may be shown."""
        url = self.database_url
        return str(self.database_path) if url is None else values.without_credentials(url)

    @property
    def removals_directory(self) -> Path | None:
        """Where the journal of removals is kept."""
        if self.removals_journal is not None:
            return None if self.removals_journal == "off" else Path(self.removals_journal)
        return self.database_path.parent / "removals" if self.database_url is None else None

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server: a first try, where less ceremony is needed."""
        return is_loopback(self.host) and is_loopback(urlsplit(self.issuer).hostname or "")

    @property
    def catalogue(self) -> tuple[Scope, ...]:
        """The scopes of the settings file."""
        return tuple(
            Scope(name, entry.sentence, entry.sensitivity, entry.opens, entry.withholds, entry.events)
            for name, entry in sorted(self.scopes.items())
        )

    @field_validator("public_url")
    @classmethod
    def _public_off_loopback(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and not is_loopback(info.data.get("host", "localhost")):
            raise ValueError("It is required because Grantway does not listen on loopback only.")
        return value

    @field_validator("master_key_file")
    @classmethod
    def _one_master_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("master_key") is not None:
            raise ValueError("The master key is given itself or by a file, not both.")
        return value

    @field_validator("scopes")
    @classmethod
    def _scope_names(cls, value: dict[str, ScopeEntry]) -> dict[str, ScopeEntry]:
        problems = (check_scope_name(name) or check_events(entry.events) for name, entry in value.items())
        for problem in filter(None, problems):
            raise ValueError(problem)
        return value


FILE_ONLY = frozenset({"scopes"})


def variables() -> Mapping[str, str]:
    """The environment variables that are read, each with its sentence."""
    known = {
        PREFIX + name.upper(): field.description or ""
        for name, field in Settings.model_fields.items()
        if name not in FILE_ONLY
    }
    return {
        **known,
        f"{PREFIX}SETTINGS": f"Path of the settings file; left out, `{FILE_NAME}` in the data directory if it is there.",
    }
