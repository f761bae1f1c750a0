"""Keycloak: ``kc.sh export``, one realm or several, or a client by itself (``kcadm.sh get clients``). Secrets are in clear.

The admin console's partial export masks them. Members are those of ``ClientRepresentation``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from grantway.cli.exports.reading import Entry, Fields, LeftOut, Unfit, broken
from grantway.protocol.moving_in import OlderClient, OlderSecret

OWN = frozenset({"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"})
"""Clients that every realm is made with."""
WITHOUT_SCOPE = frozenset({"acr", "basic", "role_list", "roles", "service_account", "web-origins"})
"""Client scopes of Keycloak's own that no token names (``include.in.token.scope`` is false), where an export lacks them."""
MASK = "**********"

_EXTENSIONS = {
    "oauth2.device.authorization.grant.enabled": "urn:ietf:params:oauth:grant-type:device_code",
    "oidc.ciba.grant.enabled": "urn:openid:params:grant-type:ciba",
    "standard.token.exchange.enabled": "urn:ietf:params:oauth:grant-type:token-exchange",
}


def read(value: Any) -> Iterator[Entry]:
    """The clients of an export. Raises ``Unfit`` when it is none."""
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        where = f"[{number}]" if isinstance(value, list) else ""
        if isinstance(item, dict) and "clients" in item:
            yield from _realm(Fields(item, where))
        elif isinstance(item, dict) and "clientId" in item:
            yield _entry(item, f"clients{where}", Fields({}, ""))
        else:
            raise Unfit("This is neither a realm of Keycloak nor a client.")


def _realm(realm: Fields) -> Iterator[Entry]:
    for client, where in realm.items("clients"):
        yield _entry(client, where, realm)


def _entry(client: Any, where: str, realm: Fields) -> Entry:
    try:
        return _client(Fields(client, where), realm)
    except Unfit as unfit:
        return broken(client, "clientId", unfit)


def _client(one: Fields, realm: Fields) -> OlderClient | LeftOut:
    client_id, attributes = one.text("clientId"), one.fields("attributes")
    why = _why_not(one, client_id)
    if why is not None:
        return LeftOut(client_id, why)
    public = one.flag("publicClient")
    default, optional = _scopes(one, realm, "Default"), _scopes(one, realm, "Optional")
    name = one.text("name", "")
    return OlderClient(
        client_id=client_id,
        name="" if name.startswith("${") else name,
        public=public,
        secrets=() if public else tuple(_secrets(one, attributes)),
        redirect_uris=tuple(_absolute(uri, one.text("rootUrl", "")) for uri in one.texts("redirectUris")),
        grant_types=tuple(_grant_types(one, attributes)),
        scopes=(*default, *optional),
        default_scopes=default,
        requires_pkce=attributes.text("pkce.code.challenge.method", "") == "S256",
    )


def _why_not(one: Fields, client_id: str) -> str | None:
    protocol = one.text("protocol", "openid-connect")
    method = one.text("clientAuthenticatorType", "client-secret")
    if client_id in OWN or (client_id.endswith("-realm") and one.flag("bearerOnly")):
        return "It is Keycloak's own."
    if protocol != "openid-connect":
        return f"It speaks {protocol}."
    if one.flag("bearerOnly"):
        return "It is an API: register it with `grantway clients create --kind resource-server`."
    if not one.flag("enabled", default=True):
        return "It is switched off there."
    if not one.flag("publicClient") and method != "client-secret":
        return f"It authenticates by {method}; here clients do so by a secret."
    return None


def _secrets(one: Fields, attributes: Fields) -> Iterator[OlderSecret]:
    for owner, name, end in (
        (one, "secret", "client.secret.expiration.time"),
        (attributes, "client.secret.rotated", "client.secret.rotated.expiration.time"),
    ):
        text = owner.text(name, "")
        if text == MASK:
            raise Unfit(f"{owner.where}.{name} is masked: secrets are in what `kc.sh export` writes.")
        if text.startswith("${vault."):
            raise Unfit(f"{owner.where}.{name} is in a vault: write the secret itself there.")
        if text:
            yield OlderSecret(text=text, expires_at=_time(attributes, end))


def _time(attributes: Fields, name: str) -> datetime | None:
    text = attributes.text(name, "0")
    if not text.isascii() or not text.isdecimal() or len(text) > 11:
        raise Unfit(f"{attributes.where}.{name} is no time.")
    return datetime.fromtimestamp(int(text), UTC) if int(text) else None


def _grant_types(one: Fields, attributes: Fields) -> Iterator[str]:
    if one.flag("standardFlowEnabled", default=True):
        yield "authorization_code"
        if attributes.text("use.refresh.tokens", "true") == "true":
            yield "refresh_token"
    if one.flag("serviceAccountsEnabled"):
        yield "client_credentials"
    if one.flag("implicitFlowEnabled"):
        yield "implicit"
    if one.flag("directAccessGrantsEnabled"):
        yield "password"
    for attribute, name in _EXTENSIONS.items():
        if attributes.text(attribute, "false") == "true":
            yield name


def _scopes(one: Fields, realm: Fields, kind: str) -> tuple[str, ...]:
    """Its client scopes of this kind, else the realm's, but for those that only arrange what a token holds."""
    own = f"{kind.lower()}ClientScopes"
    names = one.texts(own) if own in one else realm.texts(f"default{kind}ClientScopes")
    told = {scope.text("name"): scope for scope in (Fields(*each) for each in realm.items("clientScopes"))}
    silent = {name for name, each in told.items() if not _is_named(each)}
    return tuple(name for name in names if name not in silent and (name in told or name not in WITHOUT_SCOPE))


def _is_named(scope: Fields) -> bool:
    """Whether tokens name it: SAML's never do."""
    is_saml = scope.text("protocol", "openid-connect") != "openid-connect"
    return not is_saml and scope.fields("attributes").text("include.in.token.scope", "true") != "false"


def _absolute(uri: str, root: str) -> str:
    """A redirect URI may be relative to the client's root URL."""
    return root.rstrip("/") + uri if root and uri.startswith("/") else uri
