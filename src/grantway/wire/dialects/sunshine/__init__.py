"""Sunshine Conversations' spelling (specification 17.7, formerly Smooch).

An integration sends the customer to ``/oauth/authorize``, exchanges the code at ``/oauth/token``, asks ``/v2/tokenInfo``
which app it reached, and may end it all with ``DELETE /oauth/authorization``. There are no scopes, refresh tokens,
PKCE or ``iss``. These are server-to-server calls: no CORS header is ever sent. What is not known is ignored.

The server matches the paths without regard to case: the vendor's own app asks ``/v2/tokeninfo``.

``oauth`` is how access comes and goes, ``webhooks`` what an integration hears, ``failures`` how all of it is refused.
"""

from grantway.wire.dialects.sunshine.failures import read_error_answer, write_error_answer
from grantway.wire.dialects.sunshine.oauth import (
    ACCESS_REVOCATION_PATH,
    AUTHORIZE_PATH,
    LONGEST_DISPLAY_NAME,
    TOKEN_INFO_PATH,
    TOKEN_PATH,
    read_access_revocation_answer,
    read_access_revocation_request,
    read_authorization_answer,
    read_authorization_request,
    read_token_answer,
    read_token_info_answer,
    read_token_info_request,
    read_token_request,
    write_access_revocation_answer,
    write_access_revocation_request,
    write_authorization_answer,
    write_authorization_request,
    write_token_answer,
    write_token_info_answer,
    write_token_info_request,
    write_token_request,
)

__all__ = [
    "ACCESS_REVOCATION_PATH",
    "AUTHORIZE_PATH",
    "LONGEST_DISPLAY_NAME",
    "TOKEN_INFO_PATH",
    "TOKEN_PATH",
    "read_access_revocation_answer",
    "read_access_revocation_request",
    "read_authorization_answer",
    "read_authorization_request",
    "read_error_answer",
    "read_token_answer",
    "read_token_info_answer",
    "read_token_info_request",
    "read_token_request",
    "write_access_revocation_answer",
    "write_access_revocation_request",
    "write_authorization_answer",
    "write_authorization_request",
    "write_error_answer",
    "write_token_answer",
    "write_token_info_answer",
    "write_token_info_request",
    "write_token_request",
]
