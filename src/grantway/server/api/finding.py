"""What an address or a query names, found: ids of ours and the platform's own."""

from __future__ import annotations

from typing import TypeVar

from grantway.protocol.administration.accounts import OWN_ID
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.ids import parse
from grantway.protocol.model import Account
from grantway.server.connections.addresses import AddressRules
from grantway.server.connections.outgoing import check_target
from grantway.server.service import Service
from grantway.wire.api.problem import Place, Unfit
from grantway.wire.errors import UNPROCESSABLE

T = TypeVar("T")


async def find_account(facts: Facts, text: str, *, removed: bool = False) -> Account | None:
    """The account by our id (``ac_…``) or by the platform's own. Removed ones only when they are asked for."""
    row_id = parse("ac", text)
    account = await facts.account(row_id) if row_id else await facts.account_by_external_id(OWN_ID, text)
    return account if account is not None and (removed or account.removed_at is None) else None


async def account_in_body(facts: Facts, text: str) -> Account:
    """The account that the member ``account`` of a body names; ``Unfit`` when there is none."""
    account = await find_account(facts, text)
    if account is None:
        place = Place(detail="There is no account of this id.", pointer="#/account")
        raise Unfit("account_unknown", place, error=UNPROCESSABLE)
    return account


async def find_connection(facts: Facts, text: str) -> ConnectionInView | None:
    """The connection by our id (``cn_…``) or by its integration id."""
    row_id = parse("cn", text)
    return await facts.connection(row_id) if row_id else await facts.connection_by_integration_id(text)


async def named_account(facts: Facts, text: str | None) -> bytes | None:
    """The row id of the account that a query names; ``Unfit`` when there is none."""
    if text is None:
        return None
    return _there("account", await find_account(facts, text, removed=True)).id


async def named_client(facts: Facts, text: str | None) -> bytes | None:
    """The row id of the client that a query names; ``Unfit`` when there is none."""
    if text is None:
        return None
    return _there("client", await facts.client(text)).id


async def named_connection(facts: Facts, text: str | None) -> bytes | None:
    """The row id of the connection that a query names; ``Unfit`` when there is none."""
    if text is None:
        return None
    return _there("connection", await find_connection(facts, text)).connection.id


def _there(parameter: str, found: T | None) -> T:
    if found is None:
        place = Place(detail="There is none of this id.", parameter=parameter)
        raise Unfit(f"{parameter}_unknown", place, error=UNPROCESSABLE)
    return found


def outgoing_rules(service: Service) -> AddressRules:
    """``Call.prepare`` of calls that register an address which is called one day."""
    return service.settings.outgoing_rules


def check_url(url: str | None, rules: AddressRules, pointer: str) -> None:
    """``Unfit`` at an address that may not be called. It is looked at again when it is called."""
    if url is None:
        return
    try:
        check_target(url, rules)
    except ValueError as problem:
        raise Unfit("url_unfit", Place(detail=str(problem), pointer=pointer), error=UNPROCESSABLE) from None
