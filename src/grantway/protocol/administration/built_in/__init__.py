"""The scopes that vendors have already named: they enter the catalogue with the first client that is given them.

A module per profile. They are read when the first client is made, not when the server starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from grantway.protocol.model import Scope


@cache
def scopes_by_profile() -> Mapping[str, tuple[Scope, ...]]:
    """All that clients of a profile can be given without anybody describing it."""
    from grantway.protocol.administration.built_in import phonecom, square, sunshine

    return {"phonecom": phonecom.SCOPES, "square": square.SCOPES, "sunshine": sunshine.SCOPES}


@cache
def built_in() -> Mapping[str, Scope]:
    """The same, by their names. Profiles share none."""
    return {scope.name: scope for scopes in scopes_by_profile().values() for scope in scopes}
