"""Square's machine endpoints: obtain, renew and revoke tokens, and what one is good for."""

from __future__ import annotations

from grantway.protocol.authorization_revocation import revoke_authorization
from grantway.protocol.decision import Refusal
from grantway.protocol.renewal import renew
from grantway.protocol.token import token
from grantway.protocol.token_status import token_status
from grantway.server.answer import Endpoint, Said, refused
from grantway.server.client_authentication import decided
from grantway.server.mint import Mint
from grantway.server.service import Service
from grantway.wire.dialects import square
from grantway.wire.http import HttpRequest

DIALECT = "square"
_error = square.write_error_answer


def endpoints(mint: Mint) -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path."""

    async def answer_token(service: Service, request: HttpRequest) -> Said:
        message = square.read_token_request(request)
        decision = await decided(service, request, service.propose, token, message, DIALECT)
        issued = decision.answer
        if isinstance(issued, Refusal):
            return refused(issued, _error, request)
        answer = square.write_token_answer(mint.token_answer(issued))
        service.metrics.issued(message.grant_type, issued.client.policy.access_token_format)
        return Said(answer, decision.reason, issued.client.client_id)

    async def answer_renewal(service: Service, request: HttpRequest) -> Said:
        message = square.read_renewal_request(request)
        decision = await decided(service, request, service.propose, renew, message, DIALECT, service.issuer)
        issued = decision.answer
        if isinstance(issued, Refusal):
            return refused(issued, _error, request)
        answer = square.write_renewal_answer(mint.token_answer(issued))
        service.metrics.issued("renewal", issued.client.policy.access_token_format)
        return Said(answer, decision.reason, issued.client.client_id)

    async def answer_status(service: Service, request: HttpRequest) -> Said:
        message = square.read_token_status_request(request)
        decision = await service.consult(token_status, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, _error, request)
        return Said(square.write_token_status_answer(decision.answer), decision.reason, decision.answer.client_id)

    async def answer_revocation(service: Service, request: HttpRequest) -> Said:
        message = square.read_authorization_revocation_request(request)
        decision = await decided(
            service, request, service.settle, revoke_authorization, message, DIALECT, service.issuer
        )
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, _error, request)
        answer = square.write_authorization_revocation_answer(decision.answer)
        return Said(answer, decision.reason, message.credentials.client_id)

    return {
        ("POST", square.TOKEN_PATH): Endpoint("square.token", answer_token, _error),
        ("POST", square.RENEW_PATH): Endpoint("square.renew", answer_renewal, _error),
        ("POST", square.TOKEN_STATUS_PATH): Endpoint("square.status", answer_status, _error),
        ("POST", square.REVOKE_PATH): Endpoint("square.revoke", answer_revocation, _error),
    }
