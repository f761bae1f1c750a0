"""All calls there are, by what they are about. A new subject is a module with ``CALLS``, put into this tuple."""

from grantway.server.api.call import Call
from grantway.server.api.calls import (
    accounts,
    clients,
    connections,
    events,
    house,
    members,
    operator_keys,
    resources,
    scopes,
    sign_ins,
    tokens,
    users,
)

CALLS: tuple[Call, ...] = tuple(
    call
    for module in (
        users,
        accounts,
        members,
        clients,
        scopes,
        connections,
        tokens,
        resources,
        events,
        sign_ins,
        operator_keys,
        house,
    )
    for call in module.CALLS
)
