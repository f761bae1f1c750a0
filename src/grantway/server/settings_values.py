"""What a setting may be, and what is said when it is not: sentences that follow the setting's name."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from grantway.server.connections.addresses import AddressRules
from grantway.wire.loopback import is_loopback


def networks(value: Any) -> Any:
    """Networks and single addresses, as a list or as text with commas or spaces."""
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    try:
        return tuple(ip_network(name) for name in names)
    except (ValueError, TypeError):
        raise ValueError("It lists networks, such as 10.0.0.0/8, with no host bits set, or single addresses.") from None


def targets(value: Any) -> Any:
    """Hosts, addresses and networks that calls may go to."""
    named = tuple(value.replace(",", " ").split() if isinstance(value, str) else value)
    AddressRules.of("", named)
    return named


def database(value: Any) -> Any:
    """The path of a SQLite file, with or without ``sqlite:``, or an address of PostgreSQL."""
    if not isinstance(value, str) or is_postgres(value):
        return value
    path = value.removeprefix("sqlite:").removeprefix("//")
    if not path or path.startswith(":memory:") or "://" in path:
        raise ValueError(
            "It takes the path of a SQLite file, such as sqlite:/var/lib/grantway.db, or postgresql://USER@HOST:PORT/NAME."
        )
    return path


def is_postgres(value: str) -> bool:
    """Whether it is an address that libpq takes."""
    return value.startswith(("postgres://", "postgresql://"))


def without_credentials(url: str) -> str:
    """An address of PostgreSQL as it may be shown: hosts and name, and neither user, password nor parameters."""
    scheme, _, rest = url.partition("://")
    hosts, _, name = rest.partition("?")[0].partition("/")
    return f"{scheme}://{hosts.rpartition('@')[2]}/{name}"


def public_url(value: str | None) -> str | None:
    """The issuer identifier (RFC 8414 §2), without its trailing slash."""
    if value is None:
        return None
    parts = _parts(value)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ValueError("It is an address such as https://login.example.com.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("It is https, except on loopback.")
    if parts.query or parts.fragment or "?" in value or "#" in value:
        raise ValueError("It has no query and no fragment (RFC 8414 §2).")
    if parts.path not in ("", "/"):
        raise ValueError("It has no path: give Grantway a host name of its own, and cookies and metadata are plain.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def web_address(value: str | None) -> str | None:
    """An address that is called or that browsers are sent to."""
    if value is None:
        return None
    parts = _parts(value)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.fragment:
        raise ValueError("It is an address such as https://platform.example.com/path.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("It is https, except on loopback.")
    return value


def mail_server(value: SecretStr | None) -> SecretStr | None:
    """A mail server as an address, with its user and password."""
    if value is None:
        return None
    parts = _parts(value.get_secret_value())
    if (
        parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError("It is an address such as smtp://user:password@mail.example.com:587, or smtps://….")
    return value


def _parts(value: str) -> SplitResult:
    """The parts of an address; of something that is none, nothing."""
    try:
        parts = urlsplit(value)
        _ = parts.hostname, parts.port
    except ValueError:
        return urlsplit("")
    return parts
