"""For applications that mount this one: how they say who their users are.

``build_app(service, sign_in=hook)``: wherever somebody has to sign in, the hook is asked with the request's ASGI scope.
It gives the ``Identity`` of who is signed in with the application, or an address of the application where they can
sign in (which leads back to the address of the scope), or ``None``: then Grantway goes on as it does without a hook.

The scope has ``grantway.since`` in it: the time (aware) before which a sign-in is not enough, or ``None``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from grantway.protocol.identity import Identity, IdentityAccount

__all__ = ["SINCE", "Identity", "IdentityAccount", "SignInHook"]

SINCE = "grantway.since"

SignInHook = Callable[[MutableMapping[str, Any]], Awaitable[Identity | str | None]]
