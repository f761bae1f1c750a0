"""Phone.com's machine endpoints: make tokens, tell what one is good for, sign out.

Scripts may call them, since the vendor's code flow and implicit flow are for clients in a browser: a script may read an
answer when it comes from a page at the origin of one of the client's own redirect URIs.
"""

from __future__ import annotations

from grantway.protocol.client_pages import is_page_of_bearer, is_page_of_client
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.grant_types import password
from grantway.protocol.issuing import Issued
from grantway.protocol.sign_out import sign_out
from grantway.protocol.token import token, writes
from grantway.protocol.token_status import token_status
from grantway.server.address import address_of
from grantway.server.answer import Endpoint, Said, refused
from grantway.server.client_authentication import decided
from grantway.server.cross_origin import page_of, readable
from grantway.server.mint import Mint
from grantway.server.password_grant import answer_password
from grantway.server.service import Service
from grantway.server.storage.port import StorageError
from grantway.wire.dialects import phonecom
from grantway.wire.errors import INVALID_CLIENT
from grantway.wire.http import HttpRequest
from grantway.wire.messages import TokenRequest, TokenStatusAnswer, TokenStatusRequest

DIALECT = "phonecom"
_error = phonecom.write_error_answer


def endpoints(mint: Mint) -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path."""

    async def answer_token(service: Service, request: HttpRequest) -> Said:
        message, detailed = phonecom.read_token_request(request), phonecom.wants_details(request)
        page = await page_of(service, request, is_page_of_client, message.credentials.client_id, DIALECT)
        decision = await _decide(service, request, message)
        issued = decision.answer
        if isinstance(issued, Refusal):
            said = refused(issued, _error, request)
            # Whoever has not proven to be the client is not told which pages are its own.
            return said if issued.error == INVALID_CLIENT else readable(said, page)
        tokens = mint.token_answer(issued)
        details = await _details(service, tokens.access_token) if detailed else None
        answer = phonecom.write_token_answer(tokens, details)
        service.metrics.issued(message.grant_type, issued.client.policy.access_token_format)
        return readable(Said(answer, decision.reason, issued.client.client_id), page)

    async def answer_details(service: Service, request: HttpRequest) -> Said:
        message = phonecom.read_token_status_request(request)
        page = await page_of(service, request, is_page_of_bearer, message.access_token, DIALECT, service.issuer)
        decision = await service.consult(token_status, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return readable(refused(decision.answer, _error, request), page)
        answer = phonecom.write_token_status_answer(decision.answer)
        return readable(Said(answer, decision.reason, decision.answer.client_id), page)

    async def answer_sign_out(service: Service, request: HttpRequest) -> Said:
        message = phonecom.read_sign_out_request(request)
        page = await page_of(service, request, is_page_of_bearer, message.access_token, DIALECT, service.issuer)
        decision = await service.settle(sign_out, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return readable(refused(decision.answer, _error, request), page)
        return readable(Said(phonecom.write_sign_out_answer(decision.answer), decision.reason), page)

    details = Endpoint("phonecom.details", answer_details, _error, open_to_pages=True)
    leaving = Endpoint("phonecom.sign_out", answer_sign_out, _error, open_to_pages=True)
    return {
        ("POST", phonecom.TOKEN_PATH): Endpoint("phonecom.token", answer_token, _error, open_to_pages=True),
        ("GET", phonecom.TOKEN_PATH): details,
        ("GET", phonecom.DETAILS_PATH): details,
        ("DELETE", phonecom.TOKEN_PATH): leaving,
    }


async def _decide(service: Service, request: HttpRequest, message: TokenRequest) -> Decision[Issued | Refusal]:
    if message.grant_type == password.GRANT_TYPE:
        address = address_of(request, service.settings.trusted_proxies)
        return await answer_password(service, message, DIALECT, address)
    run = service.propose if writes(message) else service.consult
    return await decided(service, request, run, token, message, DIALECT)


async def _details(service: Service, access_token: str) -> TokenStatusAnswer | None:
    """What GET would say of the new token. The tokens are made and must arrive, whatever becomes of this."""
    try:
        decision = await service.consult(token_status, TokenStatusRequest(access_token), DIALECT, service.issuer)
    except StorageError:
        return None
    return None if isinstance(decision.answer, Refusal) else decision.answer
