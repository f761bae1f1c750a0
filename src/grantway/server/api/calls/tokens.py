"""Access tokens without end, made by hand: personal or permanent tokens."""

from __future__ import annotations

from typing import Any

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.issuing import Issued
from grantway.protocol.moment import Moment
from grantway.protocol.permanent import end_token, make_token, tokens_of
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, nothing_there, said, told
from grantway.server.api.finding import account_in_body
from grantway.server.mint import Mint
from grantway.server.service import Service
from grantway.wire.api.message import Whole
from grantway.wire.api.tokens import CreatedToken, NewToken, Token


def mint(service: Service) -> Mint:
    """What makes the text of a token."""
    return service.mint


async def list_tokens(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    client = await facts.client(asked.path["client"])
    if client is None:
        return nothing_there("client_unknown")
    return told(Whole(data=[views.token(held) for held in await tokens_of(facts, client)]), "tokens_listed")


async def make(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: NewToken = asked.body
    account = await account_in_body(facts, body.account)
    scope = None if body.scopes is None else tuple(body.scopes)

    def write(issued: Issued) -> CreatedToken:
        if issued.held is None:
            raise TypeError("a token without its grant")
        return CreatedToken(token=views.token(issued.held), access_token=asked.prepared.access_token(issued))

    return said(await make_token(facts, at, asked.path["client"], account.id, scope, actor=asked.actor), write)


async def end(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await end_token(facts, at, asked.id("token", "gr"), actor=asked.actor), lambda held: None)


_OF_CLIENT = "/v1/clients/{client}/tokens"

CALLS = (
    Call(
        "tokens.list", "GET", _OF_CLIENT, "connections:read", "List a client's tokens without end, oldest first.",
        list_tokens, answer=Whole[Token],
    ),
    Call(
        "tokens.create", "POST", _OF_CLIENT, "tokens:write",
        "Make an access token without end for an account; it is shown once.", make,
        answer=CreatedToken, status=201, body=NewToken, prepare=mint,
    ),
    Call(
        "tokens.end", "DELETE", "/v1/tokens/{token}", "tokens:write",
        "End a token without end; with the last thing that was allowed, its connection is removed.", end, status=204,
    ),
)  # fmt: skip
