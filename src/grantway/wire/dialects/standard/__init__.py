"""The standard's own spelling: RFC 6749, 6750, 7009, 7636, 7662, 8707, 9207.

``authorization`` (through the browser), ``token``, ``introspection``, ``revocation``, and what those three share:
``credentials`` (who asks) and ``failures`` (how a refusal is said). The server reads requests and writes answers, the
client writes requests and reads answers. Reading raises ``Malformed`` and nothing else.
"""

from grantway.wire.dialects.standard.accounts import (
    ACCOUNTS_PATH,
    read_accounts_answer,
    read_accounts_request,
    write_accounts_answer,
    write_accounts_request,
)
from grantway.wire.dialects.standard.authorization import (
    AUTHORIZE_PATH,
    read_authorization_answer,
    read_authorization_request,
    write_authorization_answer,
    write_authorization_request,
)
from grantway.wire.dialects.standard.failures import read_error_answer, write_bearer_challenge, write_error_answer
from grantway.wire.dialects.standard.introspection import (
    INTROSPECT_PATH,
    read_introspection_answer,
    read_introspection_request,
    write_introspection_answer,
    write_introspection_request,
)
from grantway.wire.dialects.standard.revocation import (
    REVOKE_PATH,
    read_revocation_answer,
    read_revocation_request,
    write_revocation_answer,
    write_revocation_request,
)
from grantway.wire.dialects.standard.token import (
    TOKEN_PATH,
    read_token_answer,
    read_token_request,
    write_token_answer,
    write_token_request,
)

__all__ = [
    "ACCOUNTS_PATH",
    "AUTHORIZE_PATH",
    "INTROSPECT_PATH",
    "REVOKE_PATH",
    "TOKEN_PATH",
    "read_accounts_answer",
    "read_accounts_request",
    "read_authorization_answer",
    "read_authorization_request",
    "read_error_answer",
    "read_introspection_answer",
    "read_introspection_request",
    "read_revocation_answer",
    "read_revocation_request",
    "read_token_answer",
    "read_token_request",
    "write_accounts_answer",
    "write_accounts_request",
    "write_authorization_answer",
    "write_authorization_request",
    "write_bearer_challenge",
    "write_error_answer",
    "write_introspection_answer",
    "write_introspection_request",
    "write_revocation_answer",
    "write_revocation_request",
    "write_token_answer",
    "write_token_request",
]
