"""Hand-off: the platform says who signed in."""

from __future__ import annotations

from typing import Any

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.hand_off import Completed
from grantway.protocol.hand_off import complete as complete_sign_in
from grantway.protocol.identity import Identity, IdentityAccount
from grantway.protocol.ids import show
from grantway.protocol.moment import Moment
from grantway.server.api.call import Asked, Call, said
from grantway.wire.api.people import SignedIn, SignedInAccount, SignIn


async def complete(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: SignIn = asked.body
    identity = Identity(
        id=body.id,
        name=body.name,
        auth_time=body.auth_time,
        accounts=tuple(map(_account, body.accounts)),
        email=body.email,
    )

    def write(completed: Completed) -> SignedIn:
        return SignedIn(user_id=show("us", completed.user.id), return_to=completed.return_to)

    return said(await complete_sign_in(facts, at, asked.path["sign_in"], identity), write)


def _account(said_of: SignedInAccount) -> IdentityAccount:
    return IdentityAccount(
        id=said_of.id,
        name=said_of.name,
        role=said_of.role,
        external_ids=said_of.external_ids,
        member_ids=said_of.member_ids,
        display_name=said_of.display_name,
        subdomain=said_of.subdomain,
        settings=said_of.settings,
        metadata=said_of.metadata,
    )


CALLS = (
    Call(
        "sign_ins.complete", "POST", "/v1/sign-ins/{sign_in}", "sign_ins:write",
        "Say who signed in at the platform, and learn where to send the browser. The person, the accounts and who "
        "belongs to them become as it is said here.", complete,
        answer=SignedIn, body=SignIn,
    ),
)  # fmt: skip
