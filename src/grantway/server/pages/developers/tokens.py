"""Tokens without end for the developer's own accounts: made here, shown once, ended here."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Refusal
from grantway.protocol.ids import parse
from grantway.protocol.portal_tokens import drop_token, new_token, tokens
from grantway.server.pages.developers.common import HOME, client_id_of, integration_page, path_of, refused
from grantway.server.pages.visit import Visit

_BOX = "scope:"


async def show_tokens(visit: Visit) -> Response:
    """Which there are, and the form for another."""
    return await _show(visit)


async def _show(visit: Visit, *, new: str | None = None, problem: str | None = None) -> Response:
    client_id = client_id_of(visit)
    found = (await visit.service.consult(tokens, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, path_of(client_id, "tokens"))
    values = {
        "tokens": found.tokens,
        "accounts": found.accounts,
        "scopes": found.scopes,
        "new_token": new,
        "problem": problem,
    }
    return await integration_page(
        visit, "integration_tokens.html", found.at_work, values, status=422 if problem else 200
    )


async def make_token(visit: Visit) -> Response:
    """A new one, shown on this answer and never again."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "tokens")
    sent = await visit.form(again=here)
    account_id = parse("ac", sent.one("account") or "") or b""
    scope = tuple(name.removeprefix(_BOX) for name in sent.plain if name.startswith(_BOX))
    answer = (await visit.service.settle(new_token, visit.visitor.session, client_id, account_id, scope)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        visit.reason = answer.reason
        return await _show(visit, problem=answer.sentence)
    return await _show(visit, new=visit.service.mint.access_token(answer))


async def end_token(visit: Visit) -> Response:
    """One of them works no more."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "tokens")
    grant_id = parse("gr", (await visit.form(again=here)).one("token") or "") or b""
    answer = (await visit.service.settle(drop_token, visit.visitor.session, client_id, grant_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        visit.reason = answer.reason
        return await _show(visit, problem=answer.sentence)
    return visit.redirect(f"{here}?done=ended")


_TOKENS = HOME + "/{client_id}/tokens"
PAGES = [
    ("GET", _TOKENS, show_tokens),
    ("POST", _TOKENS, make_token),
    ("POST", _TOKENS + "/end", end_token),
]
