"""Clients of another server: what of them fits here, and what is not taken. Each comes as approved: an operator brings it.

Readers of exports (``grantway.cli.exports``) say what the other server knows, whichever it is; here is decided.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from grantway.protocol.administration.answers import Rejected, recorded
from grantway.protocol.administration.clients import (
    NewClient,
    check_given_secret,
    create_client,
    missing_scopes,
    undescribed_among,
)
from grantway.protocol.administration.people import check_name
from grantway.protocol.administration.scopes import check_scope_name
from grantway.protocol.client_secrets import LIVE_SECRETS
from grantway.protocol.decision import Decision
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.foreign_hashes import kind_of, read_foreign_hash
from grantway.protocol.model import Client, ClientSecret
from grantway.protocol.moment import Moment
from grantway.protocol.policy import PROFILES
from grantway.protocol.redirect_uri import check_registration
from grantway.protocol.scope import is_resource
from grantway.wire.record import record
from grantway.wire.sentence import said_by, worded

PROFILE = "standard"
TAKEN_GRANT_TYPES = PROFILES[PROFILE].grant_types


@record
class OlderSecret:
    """A secret of a client, in clear or by its hash."""

    text: str | None = field(default=None, repr=False)
    foreign_hash: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@record
class OlderClient:
    """A client as another server knows it. ``secrets`` are newest first; ``grant_types`` have their names on the wire.

    ``scopes`` are ``None`` where the export does not say; ``remarks`` are what else the reader saw and cannot take.
    """

    client_id: str
    name: str = ""
    public: bool = False
    secrets: tuple[OlderSecret, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    default_scopes: tuple[str, ...] | None = None
    resources: tuple[str, ...] = ()
    requires_pkce: bool = False
    remarks: tuple[NotTaken, ...] = ()


@record
class NotTaken:
    """Something of a client that does not come along, and why."""

    what: Literal["redirect URI", "grant type", "scope", "resource", "secret", "setting"]
    value: str
    why: str


@record
class Terms:
    """What an operator says of all clients that come: policy, scopes where an export names none, and of unknown ones."""

    source: str
    overrides: tuple[tuple[str, Any], ...] = ()
    scopes: tuple[str, ...] = ()
    create_scopes: bool = False


@record
class MovedIn:
    """What came of a client. ``secret`` is how its newest one is kept; ``unknown_scopes`` are in no catalogue.

    ``failed``: it should have come and could not, and ``why`` says why, with the stable ``reason`` beside it.
    """

    outcome: Literal["imported", "exists", "failed"]
    secret: str | None = None
    not_taken: tuple[NotTaken, ...] = ()
    unknown_scopes: tuple[str, ...] = ()
    why: str | None = None
    reason: str | None = None


async def import_client(facts: Facts, at: Moment, older: OlderClient, terms: Terms) -> Decision[MovedIn]:
    """The client is here from now on. One that is here already stays as it is."""
    known = await facts.client(older.client_id)
    if known is not None and known.ended_at is None:
        return Decision(MovedIn("exists"), (), "unchanged")
    scopes, unknown, of_scopes = await _scopes(facts, older, terms)
    addresses, of_addresses = _addresses(older)
    grant_types, of_grant_types = _grant_types(older)
    resources, of_resources = _resources(older)
    not_taken = (*of_addresses, *of_grant_types, *of_scopes, *of_resources, *older.remarks)
    secrets = _secrets(older, at)
    if isinstance(secrets, Rejected):
        return _failed(secrets, not_taken)
    kept, of_secrets = secrets
    if not grant_types - {"refresh_token"}:
        return _failed(Rejected("None of its grant types is one of ours.", "grant_types_not_taken"), not_taken)
    wanted = NewClient(
        name=older.name if check_name(older.name) is None else older.client_id,
        profile=PROFILE,
        public=older.public,
        client_id=older.client_id,
        redirect_uris=addresses,
        scopes=scopes,
        default_scopes=None
        if older.default_scopes is None
        else tuple(one for one in dict.fromkeys(older.default_scopes) if one in scopes),
        resources=resources,
        overrides=_overrides(older, terms, grant_types),
        kept_secrets=kept,
    )
    made = await create_client(facts, at, wanted, create_scopes=terms.create_scopes)
    if isinstance(made.answer, Rejected):
        return _failed(made.answer, not_taken)
    client = made.answer.client
    entry = recorded(at, "client_imported", client_id=client.id, source=terms.source)
    not_taken = (*not_taken, *of_secrets, *_of_pkce(older, client))
    return Decision(MovedIn("imported", _kept_as(kept), not_taken, unknown), (*made.changes, entry), "client_imported")


def _failed(rejected: Rejected, not_taken: tuple[NotTaken, ...]) -> Decision[MovedIn]:
    moved = MovedIn("failed", not_taken=not_taken, why=rejected.sentence, reason=rejected.reason)
    return Decision(moved, (), rejected.reason)


def _of_pkce(older: OlderClient, client: Client) -> tuple[NotTaken, ...]:
    """Its integrator would find out after the switch."""
    policy = client.policy
    if older.requires_pkce or policy.pkce != "required" or "authorization_code" not in policy.grant_types:
        return ()
    why = "It asks with PKCE here." if older.public else "It asks with PKCE here, or bring it with --set pkce=accepted."
    return (NotTaken("setting", "authorization without PKCE", why),)


def _secrets(older: OlderClient, at: Moment) -> tuple[tuple[ClientSecret, ...], tuple[NotTaken, ...]] | Rejected:
    """Those that work, oldest first as they are kept. Without its newest one a client could not go on."""
    if older.public:
        return (), ()
    kept: list[ClientSecret] = []
    not_taken: list[NotTaken] = []
    live = [one for one in older.secrets if one.expires_at is None or one.expires_at > at.now]
    if not live:
        return Rejected("The export has no secret of it that works.", "secret_missing")
    for number, one in enumerate(live):
        secret = _secret(one, at)
        if isinstance(secret, Rejected) and number == 0:
            return secret
        if isinstance(secret, Rejected):
            not_taken.append(NotTaken("secret", "an older one", secret.sentence))
        elif len(kept) == LIVE_SECRETS:
            most = worded("At most %(most)s secrets of one client live at once.", most=LIVE_SECRETS)
            not_taken.append(NotTaken("secret", "an older one", most))
        else:
            kept.append(secret)
    return tuple(reversed(kept)), tuple(not_taken)


def _secret(one: OlderSecret, at: Moment) -> ClientSecret | Rejected:
    if one.foreign_hash is not None:
        try:
            read_foreign_hash(one.foreign_hash)
        except ValueError as unfit:
            return Rejected(said_by(unfit), "secret_hash_unfit")
        return ClientSecret(b"", at.now, one.expires_at, one.foreign_hash)
    text = one.text or ""
    if problem := check_given_secret(text):
        return Rejected(problem, "secret_unfit")
    return ClientSecret(digest(text), at.now, one.expires_at)


def _kept_as(kept: tuple[ClientSecret, ...]) -> str | None:
    if not kept:
        return None
    newest = kept[-1].foreign_hash
    return "sha256" if newest is None else kind_of(read_foreign_hash(newest))


async def _scopes(
    facts: Facts, older: OlderClient, terms: Terms
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[NotTaken, ...]]:
    """What it may be given; what of it the catalogue lacks; what cannot be a scope here."""
    asked = tuple(dict.fromkeys(terms.scopes if older.scopes is None else older.scopes))
    fit = tuple(one for one in asked if check_scope_name(one) is None)
    not_taken = tuple(NotTaken("scope", one, check_scope_name(one) or "") for one in asked if one not in fit)
    unknown = undescribed_among(await missing_scopes(facts, fit))
    if terms.create_scopes:
        return fit, tuple(unknown), not_taken
    if unknown:
        not_taken += (NotTaken("scope", " ".join(unknown), "The catalogue does not have it."),)
    return tuple(one for one in fit if one not in unknown), tuple(unknown), not_taken


def _addresses(older: OlderClient) -> tuple[tuple[str, ...], tuple[NotTaken, ...]]:
    taken: list[str] = []
    not_taken: list[NotTaken] = []
    for uri in dict.fromkeys(older.redirect_uris):
        try:
            check_registration(uri)
        except ValueError as problem:
            not_taken.append(NotTaken("redirect URI", uri, said_by(problem)))
        else:
            taken.append(uri)
    return tuple(taken), tuple(not_taken)


def _possible(older: OlderClient) -> frozenset[str]:
    return TAKEN_GRANT_TYPES - {"client_credentials"} if older.public else TAKEN_GRANT_TYPES


def _grant_types(older: OlderClient) -> tuple[frozenset[str], tuple[NotTaken, ...]]:
    fit = _possible(older)
    asked = tuple(dict.fromkeys(older.grant_types))
    not_taken = tuple(
        NotTaken(
            "grant type",
            one,
            "A public client has nothing to prove itself with." if one in TAKEN_GRANT_TYPES else "There is none here.",
        )
        for one in asked
        if one not in fit
    )
    return frozenset(asked) & fit, not_taken


def _resources(older: OlderClient) -> tuple[tuple[str, ...], tuple[NotTaken, ...]]:
    taken = tuple(dict.fromkeys(one for one in older.resources if is_resource(one)))
    why = "A resource is an absolute URI without a fragment (RFC 8707)."
    return taken, tuple(NotTaken("resource", one, why) for one in older.resources if one not in taken)


def _overrides(older: OlderClient, terms: Terms, grant_types: frozenset[str]) -> tuple[tuple[str, Any], ...]:
    """What the operator says of all, and the grant types that it had; PKCE never less for who cannot do without."""
    said = dict(terms.overrides)
    if older.public or older.requires_pkce:
        said.pop("pkce", None)
    if grant_types != _possible(older):
        said.setdefault("grant_types", " ".join(sorted(grant_types)))
    return tuple(sorted(said.items()))
