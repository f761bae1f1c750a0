"""Clients: integrations, resource servers, operators. They are registered here, and here is what fits together."""

from __future__ import annotations

import re
from dataclasses import field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.built_in import built_in, scopes_by_profile
from grantway.protocol.administration.people import check_name
from grantway.protocol.administration.scopes import check_scope_name, undescribed
from grantway.protocol.audit import by_user
from grantway.protocol.client_secrets import draw_client_secret
from grantway.protocol.decision import Add, Change, Decision, Put
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, ClientKind, ClientSecret, Developer, Scope, User
from grantway.protocol.moment import Moment
from grantway.protocol.policy import Policy, resolve
from grantway.protocol.redirect_uri import check_registration
from grantway.protocol.scope import is_resource
from grantway.wire.record import record
from grantway.wire.sentence import said_by, worded

LONGEST_JWT = timedelta(hours=1)
"""A signed token cannot be called back where it is verified locally, and signing keys are kept published this long."""

MIN_GIVEN_SECRET = 16
"""Characters of a secret that is brought along. It is digested by one fast hash, so it has to be a random one."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAX_URIS = 50


@record
class NewClient:
    """What is asked for. ``client_id`` and ``client_secret`` are drawn when they are not given.

    ``kept_secrets`` are what another server knew its secrets by (``moving_in.py``); none is drawn then. ``account_id`` is
    the account whose client it is, for which it acts when it acts for itself.
    """

    name: str
    profile: str = "standard"
    kind: ClientKind = "integration"
    public: bool = False
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    remove_url: str | None = None
    scopes: tuple[str, ...] | None = None
    default_scopes: tuple[str, ...] | None = None
    resources: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Any], ...] = ()
    required_scopes: tuple[str, ...] = ()
    account_id: bytes | None = None
    kept_secrets: tuple[ClientSecret, ...] = ()


@record
class CreatedClient:
    """The client, and its secret as it is shown once: ``None`` where there is none, or where others know it."""

    client: Client
    client_secret: str | None = field(repr=False)
    new_scopes: tuple[str, ...] = ()


async def create_client(
    facts: Facts, at: Moment, wanted: NewClient, *, create_scopes: bool = False, developer: User | None = None
) -> Decision[CreatedClient | Rejected]:
    """A new client. ``create_scopes``: scopes that the catalogue lacks enter it, described by their names.

    What an operator makes is approved with it; what a ``developer`` registers is a draft of theirs.
    """
    policy = policy_of(wanted)
    if isinstance(policy, Rejected):
        return Decision(policy, (), policy.reason)
    if problem := check_client(wanted, policy):
        return reject(problem, "client_malformed")
    if problem := await check_account_of(facts, wanted):
        return reject(problem, "account_unknown")
    scopes = _scopes(wanted)
    missing = await missing_scopes(facts, scopes)
    unknown = undescribed_among(missing)
    if unknown and not create_scopes:
        return reject(scope_unknown(unknown), "scope_unknown")
    client_id = wanted.client_id or at.draw(12).hex()
    if known := await facts.client(client_id):
        if known.ended_at:
            ended = worded(
                "The client id %(client_id)s was used by a client that has ended, and is not used again.",
                client_id=client_id,
            )
            return reject(ended, "client_exists")
        return reject(worded("The client id %(client_id)s is taken.", client_id=client_id), "client_exists")

    client_secret, stored = _secret(at, wanted)
    row_id = at.new_id()
    client = Client(
        id=row_id,
        client_id=client_id,
        name=wanted.name.strip(),
        created_at=at.now,
        secret=at.new_secret(row_id),
        key_id=at.vault.current,
        kind=wanted.kind,
        profile=wanted.profile,
        overrides=tuple(sorted(wanted.overrides)),
        confidential=not wanted.public,
        secrets=stored,
        redirect_uris=wanted.redirect_uris,
        remove_url=wanted.remove_url,
        scopes=scopes,
        default_scopes=_default_scopes(wanted, policy, scopes),
        resources=wanted.resources,
        account_id=wanted.account_id,
        required_scopes=wanted.required_scopes,
        approved_at=at.now if developer is None else None,
    )
    actor = OPERATOR if developer is None else by_user(developer)
    entry = recorded(at, "client_created", actor=actor, client_id=row_id, profile=client.profile)
    changes: list[Change] = [Add(client), entry]
    if developer is not None:
        changes.append(Add(Developer(row_id, developer.id, at.now)))
    for scope in missing:
        changes += [Put(scope), recorded(at, "scope_added", actor=actor, scope=scope.name, client_id=row_id)]
    return Decision(CreatedClient(client, client_secret, tuple(scope.name for scope in missing)), tuple(changes))


def _scopes(wanted: NewClient) -> tuple[str, ...]:
    """What it may be given: what is said, else all that its vendor has named.

    At the vendors every app may ask for any of them, and the customer decides; an operator narrows by naming some.
    """
    if wanted.scopes is not None or wanted.kind != "integration":
        return wanted.scopes or ()
    return tuple(scope.name for scope in scopes_by_profile().get(wanted.profile, ()))


def _default_scopes(wanted: NewClient, policy: Policy, scopes: tuple[str, ...]) -> tuple[str, ...]:
    if wanted.default_scopes is not None:
        return wanted.default_scopes
    return tuple(one for one in policy.default_scopes if one in scopes) or scopes


async def check_account_of(facts: Facts, wanted: NewClient) -> str | None:
    """The sentence that says why the client cannot belong to its account, or ``None``."""
    if wanted.account_id is None:
        return None
    if wanted.kind != "integration":
        return "Only an integration belongs to an account."
    account = await facts.account(wanted.account_id)
    return "There is no such account." if account is None or account.removed_at is not None else None


def policy_of(wanted: NewClient) -> Policy | Rejected:
    """The policy that profile and overrides come to, or why they come to none."""
    for name, value in wanted.overrides:
        if isinstance(value, (dict, list)):
            sentence = worded(
                "The policy field %(name)r takes one value; grant types are separated by blanks.", name=name
            )
            return Rejected(sentence, "policy_malformed")
    try:
        return resolve(wanted.profile, wanted.overrides)
    except ValueError as unfit:
        return Rejected(said_by(unfit), "policy_malformed")


def check_client(wanted: NewClient, policy: Policy) -> str | None:
    """The sentence that says why there cannot be such a client, or ``None``."""
    checks = (
        check_name(wanted.name),
        _check_identity(wanted),
        check_addresses(wanted.redirect_uris, wanted.remove_url),
        _check_scopes(wanted),
        _check_kind(wanted, policy),
    )
    return next((problem for problem in checks if problem), None)


def check_addresses(redirect_uris: tuple[str, ...], remove_url: str | None) -> str | None:
    """The sentence that says which address cannot be registered, or ``None``."""
    if len(set(redirect_uris)) != len(redirect_uris) or len(redirect_uris) > _MAX_URIS:
        return worded("A client has at most %(most)s redirect URIs, each of them once.", most=_MAX_URIS)
    for uri in redirect_uris:
        try:
            check_registration(uri)
        except ValueError as problem:
            return worded("%(uri)s: %(problem)s", uri=uri, problem=said_by(problem))
    return None if remove_url is None else _check_remove_url(remove_url)


def _check_remove_url(url: str) -> str | None:
    sentence = worded("%(url)s: a remove URL is https (or http on loopback), without user name and fragment.", url=url)
    try:
        parts = urlsplit(url)
        fits = parts.hostname and parts.username is None and "#" not in url and _VISIBLE.fullmatch(url)
    except ValueError:
        return sentence
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return None if fits and secure and len(url) <= 2048 else sentence


def _check_identity(wanted: NewClient) -> str | None:
    if wanted.client_id is not None and not _CLIENT_ID.fullmatch(wanted.client_id):
        return "A client id has 1 to 128 letters, digits and . _ ~ - (it travels in addresses and in Basic)."
    secret = wanted.client_secret
    if secret is None:
        return None
    return "A public client has no secret." if wanted.public else check_given_secret(secret)


def check_given_secret(secret: str) -> str | None:
    """The sentence that says why this cannot be brought along as a client's secret, or ``None``."""
    if MIN_GIVEN_SECRET <= len(secret) <= 512 and _VISIBLE.fullmatch(secret):
        return None
    return worded("A client secret has %(least)s to 512 visible ASCII characters.", least=MIN_GIVEN_SECRET)


def _check_scopes(wanted: NewClient) -> str | None:
    scopes = _scopes(wanted)
    for name in scopes:
        if problem := check_scope_name(name):
            return problem
    if len(set(scopes)) != len(scopes):
        return "A scope is named once."
    if wanted.default_scopes is not None and not set(wanted.default_scopes) <= set(scopes):
        return "The default scopes are among the scopes that the client may be given."
    if not set(wanted.required_scopes) <= set(scopes) or len(set(wanted.required_scopes)) != len(
        wanted.required_scopes
    ):
        return "The required scopes are among the scopes that the client may be given, each of them once."
    for resource in wanted.resources:
        if not is_resource(resource):
            return worded(
                "%(resource)s: a resource is an absolute URI without a fragment (RFC 8707).", resource=resource
            )
    return None


def _check_kind(wanted: NewClient, policy: Policy) -> str | None:
    if policy.access_token_format == "jwt" and not (
        policy.access_token_lifetime and policy.access_token_lifetime <= LONGEST_JWT
    ):
        return "A signed access token lives at most an hour: where it is verified locally nobody can end it."
    if wanted.kind != "integration":
        if wanted.public:
            return worded(
                "A client of the kind %(kind)s has a secret; it cannot be public.", kind=wanted.kind.replace("_", "-")
            )
        if wanted.redirect_uris or wanted.remove_url:
            return "Only an integration has redirect URIs and a remove URL."
        if wanted.kind == "resource_server" and not wanted.resources:
            return "A resource server names its resource: the tokens whose audience that is are its to introspect."
        return None
    if "password" in policy.grant_types and wanted.public:
        return "Passwords are taken from a client that has a secret; it cannot be public."
    if policy.access_token_format == "account_jwt" and wanted.public:
        return "A client of this profile authenticates at the token endpoint; it cannot be public."
    browserless = "client_credentials" in policy.grant_types and not wanted.public
    if not wanted.redirect_uris and not browserless:
        return "An integration has at least one redirect URI."
    return None


async def missing_scopes(facts: Facts, scopes: tuple[str, ...]) -> tuple[Scope, ...]:
    """Those of the scopes that the catalogue lacks, as they would enter it."""
    known = {scope.name for scope in await facts.scopes()}
    return tuple(undescribed(name) for name in scopes if name not in known)


def undescribed_among(missing: tuple[Scope, ...]) -> list[str]:
    """The names of those that no vendor has described either."""
    return [scope.name for scope in missing if scope.name not in built_in()]


def scope_unknown(names: list[str]) -> str:
    """The sentence about scopes that nobody has described."""
    return worded(
        "The catalogue has no scope %(names)s: add it with `grantway scopes add`, or let this command do so with --create-scopes.",
        names=" ".join(names),
    )


def _secret(at: Moment, wanted: NewClient) -> tuple[str | None, tuple[ClientSecret, ...]]:
    if wanted.public:
        return None, ()
    if wanted.kept_secrets:
        return None, wanted.kept_secrets
    if wanted.client_secret is not None:
        return wanted.client_secret, (ClientSecret(digest(wanted.client_secret), at.now),)
    text, stored = draw_client_secret(at)
    return text, (stored,)


async def find_client(facts: Facts, client_id: str) -> Client | Rejected:
    """The client that is not ended, or why there is none."""
    client = await facts.client(client_id)
    if client is None or client.ended_at is not None:
        return Rejected(worded("There is no client %(client_id)r.", client_id=client_id), "client_unknown")
    return client
