"""Sunshine Conversations' machine endpoints: get token, token info, revoke access."""

from __future__ import annotations

from grantway.protocol.decision import Refusal
from grantway.protocol.token import token
from grantway.protocol.vendor_calls import revoke_access, token_info
from grantway.server.answer import Endpoint, Said, refused
from grantway.server.client_authentication import decided
from grantway.server.mint import Mint
from grantway.server.service import Service
from grantway.wire.dialects import sunshine
from grantway.wire.http import HttpRequest
from grantway.wire.messages import AccessRevocationAnswer

DIALECT = "sunshine"


def endpoints(mint: Mint) -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path."""

    async def answer_token(service: Service, request: HttpRequest) -> Said:
        message = sunshine.read_token_request(request)
        decision = await decided(service, request, service.propose, token, message, DIALECT)
        issued = decision.answer
        if isinstance(issued, Refusal):
            return refused(issued, sunshine.write_error_answer, request)
        answer = sunshine.write_token_answer(mint.token_answer(issued))
        service.metrics.issued(message.grant_type, issued.client.policy.access_token_format)
        return Said(answer, decision.reason, issued.client.client_id)

    async def answer_token_info(service: Service, request: HttpRequest) -> Said:
        message = sunshine.read_token_info_request(request)
        decision = await service.consult(token_info, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, sunshine.write_error_answer, request)
        return Said(sunshine.write_token_info_answer(decision.answer), decision.reason)

    async def answer_access_revocation(service: Service, request: HttpRequest) -> Said:
        message = sunshine.read_access_revocation_request(request)
        decision = await service.settle(revoke_access, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, sunshine.write_error_answer, request)
        return Said(sunshine.write_access_revocation_answer(AccessRevocationAnswer()), decision.reason)

    error = sunshine.write_error_answer
    return {
        ("POST", sunshine.TOKEN_PATH): Endpoint("sunshine.token", answer_token, error),
        ("GET", sunshine.TOKEN_INFO_PATH): Endpoint("sunshine.token_info", answer_token_info, error),
        ("DELETE", sunshine.ACCESS_REVOCATION_PATH): Endpoint("sunshine.revoke", answer_access_revocation, error),
    }
