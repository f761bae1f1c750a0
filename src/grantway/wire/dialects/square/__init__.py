"""Square's spelling (specification of 2025-08-20, with what newer libraries send).

An application sends the customer to ``/oauth2/authorize``, obtains tokens at ``/oauth2/token``, asks
``/oauth2/token/status`` what one is good for, and ends all of it at ``/oauth2/revoke``; older ones renew an access token.
Bodies are JSON. An account is a merchant, a scope a permission, a client an application. These are server-to-server
calls: no CORS header is ever sent. What is not known is ignored.

``authorization`` is the way through the browser, ``tokens`` how they are obtained, renewed and asked after,
``revocation`` their end, ``failures`` how all of it is refused; ``fields`` and ``secret`` are what these share.
"""

from grantway.wire.dialects.square.authorization import (
    AUTHORIZE_PATH,
    read_authorization_answer,
    read_authorization_request,
    write_authorization_answer,
    write_authorization_request,
)
from grantway.wire.dialects.square.failures import read_error_answer, write_error_answer
from grantway.wire.dialects.square.revocation import (
    REVOKE_PATH,
    read_authorization_revocation_answer,
    read_authorization_revocation_request,
    write_authorization_revocation_answer,
    write_authorization_revocation_request,
)
from grantway.wire.dialects.square.tokens import (
    RENEW_PATH,
    TOKEN_PATH,
    TOKEN_STATUS_PATH,
    read_renewal_answer,
    read_renewal_request,
    read_token_answer,
    read_token_request,
    read_token_status_answer,
    read_token_status_request,
    write_renewal_answer,
    write_renewal_request,
    write_token_answer,
    write_token_request,
    write_token_status_answer,
    write_token_status_request,
)

__all__ = [
    "AUTHORIZE_PATH",
    "RENEW_PATH",
    "REVOKE_PATH",
    "TOKEN_PATH",
    "TOKEN_STATUS_PATH",
    "read_authorization_answer",
    "read_authorization_request",
    "read_authorization_revocation_answer",
    "read_authorization_revocation_request",
    "read_error_answer",
    "read_renewal_answer",
    "read_renewal_request",
    "read_token_answer",
    "read_token_request",
    "read_token_status_answer",
    "read_token_status_request",
    "write_authorization_answer",
    "write_authorization_request",
    "write_authorization_revocation_answer",
    "write_authorization_revocation_request",
    "write_error_answer",
    "write_renewal_answer",
    "write_renewal_request",
    "write_token_answer",
    "write_token_request",
    "write_token_status_answer",
    "write_token_status_request",
]
