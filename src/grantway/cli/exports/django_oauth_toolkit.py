"""django-oauth-toolkit: ``manage.py dumpdata oauth2_provider.application``, or of an application model of one's own.

Secrets are hashed by Django unless ``hash_client_secret`` is false. Scopes are Django settings, which no dump has; PKCE is
required there unless a setting says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from grantway.cli.exports.reading import Entry, Fields, LeftOut, Unfit, broken
from grantway.protocol.moving_in import NotTaken, OlderClient, OlderSecret

_GRANT_TYPES = {
    "authorization-code": ("authorization_code", "refresh_token"),
    "client-credentials": ("client_credentials",),
    "password": ("password", "refresh_token"),
    "implicit": ("implicit",),
    "openid-hybrid": ("authorization_code", "refresh_token", "implicit"),
}
_HASHED = re.compile(r"(?:pbkdf2|argon2|bcrypt|scrypt|md5|sha1|unsalted)[a-z0-9_]*\$.*", re.DOTALL)
"""As Django tells by whom a hash was made. What is in clear has letters and digits only, unless somebody chose it."""


def read(value: Any) -> Iterator[Entry]:
    """The clients of a dump; other models in it are passed over. Raises ``Unfit`` when it is none."""
    if not isinstance(value, list):
        raise Unfit("This is no list of Django's dumpdata.")
    for number, item in enumerate(value):
        where = f"[{number}]"
        try:
            one = Fields(item, where).fields("fields")
            if "client_id" in one and "authorization_grant_type" in one:
                yield _client(one)
        except Unfit as unfit:
            yield broken(item.get("fields") if isinstance(item, dict) else None, "client_id", unfit)


def _client(one: Fields) -> OlderClient | LeftOut:
    client_id = one.text("client_id")
    if one.text("registration_source", "manual") == "cimd":
        return LeftOut(client_id, "It registered itself by a document of its own, and its id is that address.")
    grant_type, kind = one.text("authorization_grant_type"), one.text("client_type")
    remarks: list[NotTaken] = []
    if one.flag("skip_authorization"):
        remarks.append(NotTaken("setting", "skip_authorization", "Customers are always asked."))
    if one.text("algorithm", ""):
        remarks.append(NotTaken("setting", "algorithm", "There are no ID tokens here."))
    return OlderClient(
        client_id=client_id,
        name=one.text("name", ""),
        public=kind == "public",
        secrets=() if kind == "public" else _secrets(one),
        redirect_uris=tuple(one.text("redirect_uris", "").split()),
        grant_types=_GRANT_TYPES.get(grant_type, (grant_type,)),
        scopes=None,
        requires_pkce=True,
        remarks=tuple(remarks),
    )


def _secrets(one: Fields) -> tuple[OlderSecret, ...]:
    text = one.text("client_secret", "")
    if not text:
        return ()
    # Versions before 2.0 have no such field, and no hashes.
    if _HASHED.fullmatch(text) or one.flag("hash_client_secret"):
        return (OlderSecret(foreign_hash=text),)
    return (OlderSecret(text=text),)
