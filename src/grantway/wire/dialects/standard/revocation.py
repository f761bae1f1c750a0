"""End this token. RFC 7009."""

from __future__ import annotations

from grantway.wire.dialects.standard.credentials import read_body, read_credentials, write_request
from grantway.wire.dialects.standard.failures import NO_CACHE, read_error_answer
from grantway.wire.http import NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer, RevocationAnswer, RevocationRequest

REVOKE_PATH = "/revoke"

_REVOKED = HttpAnswer(200, (NO_STORE, NO_CACHE))


def read_revocation_request(request: HttpRequest) -> RevocationRequest:
    """The request (RFC 7009 §2.1). A ``token_type_hint`` that is not known is the rule's to ignore."""
    form = read_body(request)
    credentials = read_credentials(request, form)
    return RevocationRequest(form.needed("token"), credentials, form.visible("token_type_hint"))


def write_revocation_request(message: RevocationRequest) -> HttpRequest:
    """The client's end of ``read_revocation_request``."""
    parameters = [("token", message.token), ("token_type_hint", message.token_type_hint)]
    return write_request(REVOKE_PATH, message.credentials, parameters)


def write_revocation_answer(answer: RevocationAnswer) -> HttpAnswer:
    """RFC 7009 §2.2: the status says it all; "the content of the response body is ignored by the client"."""
    return _REVOKED


def read_revocation_answer(answer: HttpAnswer) -> RevocationAnswer | ErrorAnswer:
    """It is ended, or the refusal."""
    return RevocationAnswer() if 200 <= answer.status < 300 else read_error_answer(answer)
