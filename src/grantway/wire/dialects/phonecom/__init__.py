"""Phone.com's spelling (API v4).

The customer's browser goes to ``/v4/oauth/authorization`` and comes back with a code in the query or, for browser clients
that ask for one, a token in the fragment. ``/v4/oauth/access-token`` is three things: POST makes tokens (**201**), GET
tells what the token in ``Authorization`` is good for, DELETE signs out.

``oauth`` is all of that but the browser's part, which is ``authorization``; ``clients`` is how an account's owner manages
its clients; ``calls`` is what they share, and ``failures`` how all of it is refused: Mason documents. Ids are integers here,
and text everywhere else in Grantway.
"""

from grantway.wire.dialects.phonecom.authorization import (
    AUTHORIZE_PATH,
    read_authorization_answer,
    read_authorization_request,
    write_authorization_answer,
    write_authorization_request,
)
from grantway.wire.dialects.phonecom.failures import read_error_answer, status_of, write_error_answer
from grantway.wire.dialects.phonecom.oauth import (
    DETAILS_PATH,
    TOKEN_PATH,
    read_sign_out_answer,
    read_sign_out_request,
    read_token_answer,
    read_token_request,
    read_token_status_answer,
    read_token_status_request,
    wants_details,
    write_sign_out_answer,
    write_sign_out_request,
    write_token_answer,
    write_token_request,
    write_token_status_answer,
    write_token_status_request,
)

__all__ = [
    "AUTHORIZE_PATH",
    "DETAILS_PATH",
    "TOKEN_PATH",
    "read_authorization_answer",
    "read_authorization_request",
    "read_error_answer",
    "read_sign_out_answer",
    "read_sign_out_request",
    "read_token_answer",
    "read_token_request",
    "read_token_status_answer",
    "read_token_status_request",
    "status_of",
    "wants_details",
    "write_authorization_answer",
    "write_authorization_request",
    "write_error_answer",
    "write_sign_out_answer",
    "write_sign_out_request",
    "write_token_answer",
    "write_token_request",
    "write_token_status_answer",
    "write_token_status_request",
]
