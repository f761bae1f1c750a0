"""For the platform's API: who calls, and may they? ASGI and WSGI middleware that lets only good access tokens in.

``guard`` is the rule (which token, for whom, how far; RFC 6750, RFC 9068 §4). A ``Verifier`` knows what a token is good
for: ``introspection`` asks the authorization server (RFC 7662), ``signed`` looks at the signature (RFC 9068). Neither does
any I/O: they say what has to be asked, ``asking`` asks it, blocking or not. ``asgi`` and ``wsgi`` put all of it in front of
an application. Knows ``wire``; nothing of the server.
"""

from grantway.resource.asgi import Protect
from grantway.resource.guard import InsufficientScope, require, token_of
from grantway.resource.introspection import Introspection
from grantway.resource.signed import SignedTokens
from grantway.resource.token import AccessToken
from grantway.resource.verifier import Verifier
from grantway.resource.wsgi import ProtectWSGI

__all__ = [
    "AccessToken",
    "InsufficientScope",
    "Introspection",
    "Protect",
    "ProtectWSGI",
    "SignedTokens",
    "Verifier",
    "require",
    "token_of",
]
