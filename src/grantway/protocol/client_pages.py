"""Whose scripts may read an answer: those of pages at the origins of the client's own redirect URIs (Fetch §3.3).

A browser says where a script comes from, and keeps the answer from it unless the server allows that origin. Nothing is
proven by an origin; it only decides what a browser shows to whom.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from grantway.protocol.access import prove_access
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.protocol.redirect_uri import is_registered

_DEFAULT_PORTS = {"http": 80, "https": 443}


async def is_page_of_client(facts: Facts, at: Moment, origin: str, client_id: str, dialect: str) -> Decision[bool]:
    """Whether this is the origin of a page of the client that the caller says it is."""
    client = await facts.client(client_id)
    return Decision(client is not None and client.policy.dialect == dialect and is_page(origin, client.redirect_uris))


async def is_page_of_bearer(
    facts: Facts, at: Moment, origin: str, token: str | None, dialect: str, issuer: str
) -> Decision[bool]:
    """Whether this is the origin of a page of the client that the token was made for, be it expired or ended since."""
    proven = None if token is None else await prove_access(token, facts, at, issuer)
    if proven is None or proven.client.policy.dialect != dialect:
        return Decision(False)
    return Decision(is_page(origin, proven.client.redirect_uris))


def is_page(origin: str, redirect_uris: tuple[str, ...]) -> bool:
    """Whether one of the redirect URIs is at this origin; on loopback IP literals any port will do, as for the URI."""
    origins = tuple(f"{one}/" for one in map(_origin, redirect_uris) if one is not None)
    return is_registered(f"{origin}/", origins)


def _origin(uri: str) -> str | None:
    """The origin as browsers write it (RFC 6454 §6.2): lower case, without the scheme's own port. Only the web has one."""
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
