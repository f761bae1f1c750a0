"""The clients of an account, as its owner manages them: list, show, end; and their redirect URIs.

Clients and redirect URIs are told by integers. What lists could be filtered and sorted by is not read: ``filters`` and
``sort`` say that nothing was.
"""

from __future__ import annotations

from typing import Any

from grantway.wire import json_bytes
from grantway.wire.account_client_messages import (
    AccountClientAnswer,
    AccountClientEndAnswer,
    AccountClientListAnswer,
    AccountClientRequest,
    RedirectUriAnswer,
    RedirectUriListAnswer,
    RedirectUriRequest,
)
from grantway.wire.dialects.phonecom.calls import (
    DONE,
    HEADERS,
    asking,
    body_of,
    members_of,
    needed_in,
    refusal_in,
    token_in,
)
from grantway.wire.dialects.phonecom.failures import wrong
from grantway.wire.encoding import Parameters, read_query, write_form
from grantway.wire.errors import INVALID_REQUEST, NOT_FOUND, Malformed
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer

CLIENTS_PATH = "/v4/accounts/{account}/oauth/clients"
CLIENT_PATH = CLIENTS_PATH + "/{client}"
REDIRECT_URIS_PATH = CLIENT_PATH + "/redirect-uris"
REDIRECT_URI_PATH = REDIRECT_URIS_PATH + "/{uri}"

MOST = 500
"""How many a list tells at once."""


# --- requests


def read_account_client_request(request: HttpRequest) -> AccountClientRequest:
    """What is listed, shown or ended. A number that is none stands for nothing."""
    named, sent = request.path_values, read_query(request.query)
    return AccountClientRequest(
        account_id=named.get("account", ""),
        access_token=token_in(request),
        client=_number(named.get("client")),
        uri=_number(named.get("uri")),
        offset=_window(sent, "offset", 0, 2**31),
        limit=_window(sent, "limit", 1, MOST, 25),
    )


def write_account_client_request(method: str, path: str, message: AccountClientRequest) -> HttpRequest:
    """The client's end of ``read_account_client_request``; ``path`` is one of those above."""
    window = [("offset", str(message.offset)), ("limit", str(message.limit))]
    return _called(method, path, message, message.client, message.uri, query=write_form(window).encode())


def read_redirect_uri_request(request: HttpRequest) -> RedirectUriRequest:
    """The redirect URI that is to be added."""
    named, client = request.path_values, _number(request.path_values.get("client"))
    uri = needed_in(body_of(request), "redirect_uri")
    if client is None:
        raise Malformed(NOT_FOUND, "client_missing")
    return RedirectUriRequest(named.get("account", ""), client, uri, token_in(request))


def write_redirect_uri_request(message: RedirectUriRequest) -> HttpRequest:
    """The client's end of ``read_redirect_uri_request``."""
    body = json_bytes.dumps({"redirect_uri": message.redirect_uri})
    return _called("POST", REDIRECT_URIS_PATH, message, message.client, body=body)


def _called(
    method: str,
    path: str,
    message: AccountClientRequest | RedirectUriRequest,
    client: int | None,
    uri: int | None = None,
    *,
    query: bytes = b"",
    body: bytes = b"",
) -> HttpRequest:
    named = {"account": message.account_id, "client": client, "uri": uri}
    values = {name: str(value) for name, value in named.items() if value is not None and f"{{{name}}}" in path}
    headers = (*asking(message.access_token), *([JSON] if body else []))
    return HttpRequest(method, path.format_map(values), query, headers, body, values)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Malformed(NOT_FOUND, "number_malformed")
    return int(text)


def _window(sent: Parameters, name: str, least: int, most: int, otherwise: int = 0) -> int:
    text = sent.one(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise Malformed(wrong(name, f"is not a number from {least} to {most}"), f"{name}_malformed")
    return int(text)


# --- answers


def write_account_client_answer(answer: AccountClientAnswer) -> HttpAnswer:
    """One client."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps(_client(answer)))


def read_account_client_answer(answer: HttpAnswer) -> AccountClientAnswer | ErrorAnswer:
    """One client, or the refusal."""
    members = members_of(answer)
    return members if isinstance(members, ErrorAnswer) else _read_client(members)


def write_account_client_list_answer(answer: AccountClientListAnswer) -> HttpAnswer:
    """A page of clients."""
    return _listed([_client(one) for one in answer.clients], answer)


def read_account_client_list_answer(answer: HttpAnswer) -> AccountClientListAnswer | ErrorAnswer:
    """A page of clients, or the refusal."""
    members = members_of(answer)
    if isinstance(members, ErrorAnswer):
        return members
    items = tuple(_read_client(Parameters(one)) for one in members.mappings("items"))
    return AccountClientListAnswer(items, *_page(members))


def write_redirect_uri_answer(answer: RedirectUriAnswer, status: int = 200) -> HttpAnswer:
    """One redirect URI; 201 when it is new."""
    return HttpAnswer(status, HEADERS, json_bytes.dumps(_uri(answer)))


def read_redirect_uri_answer(answer: HttpAnswer) -> RedirectUriAnswer | ErrorAnswer:
    """One redirect URI, or the refusal."""
    members = members_of(answer)
    return members if isinstance(members, ErrorAnswer) else _read_uri(members)


def write_redirect_uri_list_answer(answer: RedirectUriListAnswer) -> HttpAnswer:
    """A page of redirect URIs."""
    return _listed([_uri(one) for one in answer.redirect_uris], answer)


def read_redirect_uri_list_answer(answer: HttpAnswer) -> RedirectUriListAnswer | ErrorAnswer:
    """A page of redirect URIs, or the refusal."""
    members = members_of(answer)
    if isinstance(members, ErrorAnswer):
        return members
    items = tuple(_read_uri(Parameters(one)) for one in members.mappings("items"))
    return RedirectUriListAnswer(items, *_page(members))


def write_account_client_end_answer(answer: AccountClientEndAnswer) -> HttpAnswer:
    """That it is done."""
    return DONE


def read_account_client_end_answer(answer: HttpAnswer) -> AccountClientEndAnswer | ErrorAnswer:
    """That it is done, or the refusal."""
    return refusal_in(answer) or AccountClientEndAnswer()


def _client(answer: AccountClientAnswer) -> dict[str, Any]:
    return {"id": answer.number, "client_name": answer.name}


def _uri(answer: RedirectUriAnswer) -> dict[str, Any]:
    """The vendor's shape: the entry, whose it is, and what it is."""
    redirect_uri = {"id": answer.number, "uri": answer.uri, "type": "redirect"}
    return {"id": answer.number, "client": _client(answer.client), "redirect_uri": redirect_uri}


def _listed(items: list[dict[str, Any]], answer: AccountClientListAnswer | RedirectUriListAnswer) -> HttpAnswer:
    page = {"filters": {}, "sort": {}, "total": answer.total, "offset": answer.offset, "limit": answer.limit}
    return HttpAnswer(200, HEADERS, json_bytes.dumps(page | {"items": items}))


def _page(members: Parameters) -> tuple[int, int, int]:
    return _needed_number(members, "total"), _needed_number(members, "offset"), _needed_number(members, "limit")


def _read_client(members: Parameters) -> AccountClientAnswer:
    return AccountClientAnswer(_needed_number(members, "id"), members.exact("client_name") or "")


def _read_uri(members: Parameters) -> RedirectUriAnswer:
    uri, client = Parameters(members.mapping("redirect_uri") or {}), Parameters(members.mapping("client") or {})
    return RedirectUriAnswer(_needed_number(members, "id"), uri.needed("uri"), _read_client(client))


def _needed_number(members: Parameters, name: str) -> int:
    number = members.number(name)
    if number is None:
        raise Malformed(INVALID_REQUEST, f"{name}_missing")
    return number
