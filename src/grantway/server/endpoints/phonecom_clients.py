"""Phone.com's endpoints for the clients of an account. Calls between servers: no browser's script may read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from grantway.protocol.account_clients import (
    add_redirect_uri,
    end_own_client,
    list_clients,
    list_redirect_uris,
    remove_redirect_uri,
    show_client,
    show_redirect_uri,
)
from grantway.protocol.decision import Refusal
from grantway.server.answer import Endpoint, Handler, Said, refused
from grantway.server.service import RuleFunction, Service
from grantway.wire.dialects import phonecom
from grantway.wire.dialects.phonecom import clients as wire
from grantway.wire.http import HttpAnswer, HttpRequest

DIALECT = "phonecom"
Reader = Callable[[HttpRequest], Any]
Writer = Callable[[Any], HttpAnswer]


def endpoints() -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path."""
    read = wire.read_account_client_request
    listed, told = wire.write_account_client_list_answer, wire.write_account_client_answer
    uris_listed, uri_told = wire.write_redirect_uri_list_answer, wire.write_redirect_uri_answer
    ended, added = wire.write_account_client_end_answer, partial(wire.write_redirect_uri_answer, status=201)
    table: list[tuple[str, str, str, Reader, RuleFunction[..., Any], Writer]] = [
        ("GET", wire.CLIENTS_PATH, "clients", read, list_clients, listed),
        ("GET", wire.CLIENT_PATH, "client", read, show_client, told),
        ("DELETE", wire.CLIENT_PATH, "client_end", read, end_own_client, ended),
        ("GET", wire.REDIRECT_URIS_PATH, "redirect_uris", read, list_redirect_uris, uris_listed),
        ("POST", wire.REDIRECT_URIS_PATH, "redirect_uri_add", wire.read_redirect_uri_request, add_redirect_uri, added),
        ("GET", wire.REDIRECT_URI_PATH, "redirect_uri", read, show_redirect_uri, uri_told),
        ("DELETE", wire.REDIRECT_URI_PATH, "redirect_uri_remove", read, remove_redirect_uri, ended),
    ]
    return {
        (method, path): Endpoint(
            f"phonecom.{name}", _handler(read, rule, write, method == "GET"), phonecom.write_error_answer
        )
        for method, path, name, read, rule, write in table
    }


def _handler(read: Reader, rule: RuleFunction[..., Any], write: Writer, rarely_changes: bool) -> Handler:
    async def handle(service: Service, request: HttpRequest) -> Said:
        message = read(request)
        run = service.consult if rarely_changes else service.settle
        decision = await run(rule, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, phonecom.write_error_answer, request)
        return Said(write(decision.answer), decision.reason)

    return handle
