"""Trying the flow: the real one, through sign-in and consent, back to a page of ours.

State and proof key (RFC 7636) are derived from the session, so nothing is stored, and an answer that was not asked for by
this browser in this session leads nowhere.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from grantway.protocol import portal
from grantway.protocol.decision import Refusal
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued, account_of
from grantway.protocol.model import Client
from grantway.protocol.trying import end_tried, exchange_tried, try_redirect_uri
from grantway.server.pages import problems
from grantway.server.pages.authorize import PATHS
from grantway.server.pages.developers.common import (
    HOME,
    client_id_of,
    integration_page,
    path_of,
    query_of,
    refused,
)
from grantway.server.pages.problems import Stop
from grantway.server.pages.visit import Visit
from grantway.wire.dialects import phonecom, square, standard, sunshine
from grantway.wire.messages import AuthorizationRequest

_WRITERS = {
    "standard": standard.write_authorization_request,
    "sunshine": sunshine.write_authorization_request,
    "square": square.write_authorization_request,
    "phonecom": phonecom.write_authorization_request,
}
_WITHOUT_CHALLENGE = frozenset({"sunshine"})
"""Dialects whose requests have no place for a code challenge."""
_NONCE = 16


async def show_start(visit: Visit) -> Response:
    """What will happen."""
    client_id = client_id_of(visit)
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, path_of(client_id, "try"))
    catalogue = {scope.name: scope for scope in found.scopes}
    asked = tuple(catalogue[name] for name in found.at_work.client.default_scopes if name in catalogue)
    return await integration_page(visit, "integration_try.html", found.at_work, {"scopes": asked})


async def start(visit: Visit) -> Response:
    """Off to the authorization endpoint, as the integration would send a customer."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "try")
    keep = (await visit.form(again=here)).one("keep") is not None
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, here)
    client = found.at_work.client
    state = _state(visit, client, f"{'k' if keep else 'e'}{visit.service.draw(_NONCE).hex()}")
    verifier = _verifier(visit, client, state)
    challenge = verifier and urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    request = AuthorizationRequest(
        client_id,
        "code",
        try_redirect_uri(visit.service.issuer, client),
        client.default_scopes if client.policy.takes_scope and client.default_scopes else None,
        state,
        challenge,
        None if challenge is None else "S256",
        (),
        ("consent",) if client.policy.dialect == "standard" else (),
    )
    return visit.redirect(f"{PATHS[client.policy.dialect]}?{_WRITERS[client.policy.dialect](request)}")


async def come_back(visit: Visit) -> Response:
    """The answer: exchanged here, shown without its tokens, and ended unless it was to be kept."""
    client_id = client_id_of(visit)
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, path_of(client_id, "try"))
    client, query = found.at_work.client, query_of(visit)
    state = query.one("state") or ""
    if not hmac.compare_digest(state.encode(), _state(visit, client, state.partition(".")[0]).encode()):
        raise Stop(problems.TRIAL_UNUSABLE, again=path_of(client_id, "try"), reason="trial_state_wrong")
    error, code = query.one("error"), query.one("code")
    values: dict[str, Any] = {
        "error": error,
        "description": query.one("error_description"),
        "answer": None,
        "kept": False,
        "gone": False,
    }
    if code is not None:
        verifier = _verifier(visit, client, state)
        decision = await visit.service.settle(exchange_tried, visit.visitor.session, client_id, code, verifier)
        issued = decision.answer
        if isinstance(issued, Refusal):
            values |= {"error": issued.error.code, "description": issued.error.description}
        else:
            kept = state.startswith("k")
            values |= {"answer": _told(issued), "kept": kept}
            if not kept and issued.held is not None:
                ended = await visit.service.settle(end_tried, visit.visitor.session, client_id, issued.held.grant.id)
                values["gone"] = ended.answer is True
    return await integration_page(visit, "integration_tried.html", found.at_work, values)


def _told(issued: Issued) -> list[tuple[str, str]]:
    """What the integration would have been answered, its tokens left out."""
    access, held = issued.access, issued.held
    told = [("access_token", "…"), ("token_type", "Bearer")]
    if access.expires_at is not None:
        told.append(("expires_in", str(int((access.expires_at - access.issued_at).total_seconds()))))
    if issued.refresh_token is not None:
        told.append(("refresh_token", "…"))
    told.append(("scope", " ".join(access.scope)))
    if held is not None:
        account = account_of(issued.client, held.account)
        told += [("connection_id", show("cn", held.connection.id)), ("account", f"{account.id} ({account.name})")]
    return told


def _state(visit: Visit, client: Client, chosen: str) -> str:
    return f"{chosen}.{_derived(visit, client, 'state', chosen)}"


def _verifier(visit: Visit, client: Client, state: str) -> str | None:
    if client.policy.dialect in _WITHOUT_CHALLENGE:
        return None
    return _derived(visit, client, "verifier", state)


def _derived(visit: Visit, client: Client, what: str, chosen: str) -> str:
    about = f"grantway trial {what} {client.client_id} {chosen}".encode()
    return hmac.new((visit.visitor.session or "").encode(), about, "sha256").hexdigest()


_TRY = HOME + "/{client_id}/try"
PAGES = [
    ("GET", _TRY, show_start),
    ("POST", _TRY, start),
    ("GET", _TRY + "/callback", come_back),
]
