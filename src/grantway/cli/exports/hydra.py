"""Ory Hydra: the rows of its table ``hydra_client`` as JSON, or what its CLI and its API say of clients.

Only the table has the hashes of secrets (``client_secret``, ``rotated_secrets``). Its columns are the members of the
API's ``oAuth2Client`` but for ``id``; lists may be JSON in a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grantway.cli.exports.reading import Entry, Fields, LeftOut, Unfit, broken
from grantway.protocol.moving_in import NotTaken, OlderClient, OlderSecret

WITH_SECRET = frozenset({"", "client_secret_basic", "client_secret_post"})


def read(value: Any) -> Iterator[Entry]:
    """The clients of an export. Raises ``Unfit`` when it is none."""
    items = value.get("items", [value]) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Unfit("This is no list of clients.")
    for number, item in enumerate(items):
        where = f"clients[{number}]"
        try:
            yield _client(Fields(item, where))
        except Unfit as unfit:
            yield broken(item, "id", unfit)


def _client(one: Fields) -> OlderClient | LeftOut:
    client_id = one.text("client_id" if "client_id" in one else "id")
    method = one.text("token_endpoint_auth_method", "")
    if method != "none" and method not in WITH_SECRET:
        return LeftOut(client_id, f"It authenticates by {method}; here clients do so by a secret.")
    remarks: tuple[NotTaken, ...] = ()
    if one.flag("skip_consent"):
        remarks = (NotTaken("setting", "skip_consent", "Customers are always asked."),)
    return OlderClient(
        client_id=client_id,
        name=one.text("client_name", ""),
        public=method == "none",
        secrets=tuple(_secret(text) for text in (one.text("client_secret", ""), *one.texts("rotated_secrets")) if text),
        redirect_uris=one.texts("redirect_uris"),
        grant_types=one.texts("grant_types") or ("authorization_code",),
        scopes=tuple(one.text("scope", "").split()),
        default_scopes=(),
        resources=one.texts("audience"),
        remarks=remarks,
    )


def _secret(text: str) -> OlderSecret:
    """In clear only where somebody wrote the file for ``hydra import client``; no hash of Hydra's is without a ``$``."""
    return OlderSecret(foreign_hash=text) if text.startswith("$") else OlderSecret(text=text)
