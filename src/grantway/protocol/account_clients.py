"""The clients of an account, managed with a token that reaches them: list, show, end, and their redirect URIs.

Whoever made the token stands for the account. What customers of other accounts rely on is not theirs to take away, and
what an operator approved is a draft again once it sends browsers somewhere new.
"""

from __future__ import annotations

from hashlib import sha256

from grantway.protocol import audit
from grantway.protocol.access import ProvenAccess, used_today
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_changes import ClientChange, update_client
from grantway.protocol.administration.client_life import end_client
from grantway.protocol.bearer import bearer
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import Client
from grantway.protocol.moment import Moment
from grantway.wire.account_client_messages import (
    AccountClientAnswer,
    AccountClientEndAnswer,
    AccountClientListAnswer,
    AccountClientRequest,
    RedirectUriAnswer,
    RedirectUriListAnswer,
    RedirectUriRequest,
)
from grantway.wire.errors import CONFLICT, INSUFFICIENT_SCOPE, NOT_FOUND, UNPROCESSABLE
from grantway.wire.record import record

MOST_CLIENTS = 1000
"""Of one account, newest first, are told."""
_NUMBER_BYTES = 6
"""48 bits: exact wherever JSON's numbers are doubles, and no two of an account's clients alike."""


@record
class Managed:
    """The caller, the clients of their account, and the one among them that the call is about, if it is about one."""

    proven: ProvenAccess
    clients: tuple[Client, ...]
    client: Client | None = None


async def list_clients(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Decision[AccountClientListAnswer | Refusal]:
    """The account's clients, newest first."""
    managed = await _managed(facts, at, request, dialect, issuer)
    if isinstance(managed, Refusal):
        return Decision(managed, reason=managed.reason)
    some = managed.clients[request.offset : request.offset + request.limit]
    answer = AccountClientListAnswer(
        tuple(_told(client) for client in some), len(managed.clients), request.offset, request.limit
    )
    return Decision(answer, used_today(managed.proven, at), "clients_told")


async def show_client(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Decision[AccountClientAnswer | Refusal]:
    """One of them."""
    found = await _one(facts, at, request, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    proven, client = found
    return Decision(_told(client), used_today(proven, at), "client_told")


async def end_own_client(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Decision[AccountClientEndAnswer | Refusal]:
    """It is over, and its tokens with it; its connections are removed after it (``administration/aftermath.py``).

    Not while other accounts are connected to it: that is for its developers and for operators.
    """
    found = await _one(facts, at, request, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    proven, client = found
    for view in await facts.connections(Page(2), client_row_id=client.id):
        if view.account.id != client.account_id:  # at most one connection is the account's own
            return refuse(CONFLICT, "client_in_use")
    ended = await end_client(facts, at, client.client_id, reason="integrator", actor=audit.by_client(proven.client))
    if isinstance(ended.answer, Rejected):
        return refuse(NOT_FOUND, ended.answer.reason)
    return Decision(AccountClientEndAnswer(), ended.changes, "client_ended")


async def list_redirect_uris(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Decision[RedirectUriListAnswer | Refusal]:
    """Where one of them may send browsers, in the order in which it registered that."""
    found = await _one(facts, at, request, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    proven, client = found
    some = client.redirect_uris[request.offset : request.offset + request.limit]
    answer = RedirectUriListAnswer(
        tuple(_uri_told(client, uri) for uri in some), len(client.redirect_uris), request.offset, request.limit
    )
    return Decision(answer, used_today(proven, at), "redirect_uris_told")


async def show_redirect_uri(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Decision[RedirectUriAnswer | Refusal]:
    """One of these."""
    found = await _one(facts, at, request, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    proven, client = found
    uri = _uri_of(client, request.uri)
    if uri is None:
        return refuse(NOT_FOUND, "redirect_uri_unknown")
    return Decision(_uri_told(client, uri), used_today(proven, at), "redirect_uri_told")


async def add_redirect_uri(
    facts: Facts, at: Moment, request: RedirectUriRequest, dialect: str, issuer: str
) -> Decision[RedirectUriAnswer | Refusal]:
    """One more. One that is there already is no mistake: the call may come twice."""
    about = AccountClientRequest(request.account_id, request.access_token, request.client)
    found = await _one(facts, at, about, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    proven, client = found
    answer = _uri_told(client, request.redirect_uri)
    if request.redirect_uri in client.redirect_uris:
        return Decision(answer, used_today(proven, at), "unchanged")
    more = ClientChange(redirect_uris=(*client.redirect_uris, request.redirect_uri))
    changed = await update_client(facts, at, client.client_id, more, integration=proven.client)
    if isinstance(changed.answer, Rejected):
        return refuse(UNPROCESSABLE, changed.answer.reason)
    return Decision(answer, changed.changes, "redirect_uri_added")


async def remove_redirect_uri(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Decision[AccountClientEndAnswer | Refusal]:
    """One less; not the last one of a client that cannot do without."""
    found = await _one(facts, at, request, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    proven, client = found
    uri = _uri_of(client, request.uri)
    if uri is None:
        return refuse(NOT_FOUND, "redirect_uri_unknown")
    fewer = ClientChange(redirect_uris=tuple(one for one in client.redirect_uris if one != uri))
    changed = await update_client(facts, at, client.client_id, fewer, integration=proven.client)
    if isinstance(changed.answer, Rejected):
        return refuse(CONFLICT, changed.answer.reason)
    return Decision(AccountClientEndAnswer(), changed.changes, "redirect_uri_removed")


def number_of(client: Client, uri: str | None = None) -> int:
    """The number that stands for the client, or for one of its redirect URIs: always the same, and not stored."""
    what = client.id if uri is None else client.id + b"\0" + uri.encode()
    return int.from_bytes(sha256(what).digest()[:_NUMBER_BYTES], "big")


async def _managed(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> Managed | Refusal:
    proven = await bearer(request.access_token, facts, at, dialect, issuer)
    if isinstance(proven, Refusal):
        return proven
    account = proven.account
    if account is None or account.external_ids.get(dialect) != request.account_id:
        return Refusal(NOT_FOUND, "account_of_others")  # whether there is such an account is not said
    if not proven.client.policy.client_management_scopes.intersection(proven.scope):
        return Refusal(INSUFFICIENT_SCOPE, "scope_too_small")
    found = await facts.clients_of_account(account.id, Page(MOST_CLIENTS))
    clients = tuple(client for client in found if client.policy.dialect == dialect)  # others are unknown here
    named = next((client for client in clients if number_of(client) == request.client), None)
    return Managed(proven, clients, named)


async def _one(
    facts: Facts, at: Moment, request: AccountClientRequest, dialect: str, issuer: str
) -> tuple[ProvenAccess, Client] | Refusal:
    managed = await _managed(facts, at, request, dialect, issuer)
    if isinstance(managed, Refusal):
        return managed
    if managed.client is None:
        return Refusal(NOT_FOUND, "client_unknown")
    return managed.proven, managed.client


def _uri_of(client: Client, number: int | None) -> str | None:
    return next((uri for uri in client.redirect_uris if number_of(client, uri) == number), None)


def _told(client: Client) -> AccountClientAnswer:
    return AccountClientAnswer(number_of(client), client.name)


def _uri_told(client: Client, uri: str) -> RedirectUriAnswer:
    return RedirectUriAnswer(number_of(client, uri), uri, _told(client))
