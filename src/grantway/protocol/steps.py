"""What a visit to the authorization endpoint can come to, as values that carry just what a page needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from grantway.protocol.account_choice import Obstacle
from grantway.protocol.issuing import Issued
from grantway.protocol.model import Account, Client, Connection, Membership, Scope, User
from grantway.wire.messages import AuthorizationAnswer
from grantway.wire.record import record


@record
class Visitor:
    """The browser: the raw values of its two cookies. ``browser`` outlives sign-in, ``session`` is drawn at sign-in."""

    browser: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)


@record
class Opened:
    """The request waits under this id (raw; only its digest is stored)."""

    pending_id: str = field(repr=False)


@record
class AskSignIn:
    """The customer has to sign in; ``again`` when they are signed in and the client asks for it once more.

    ``redirect_uri`` is where the browser may end up right after it, when nothing else has to be asked. ``since``: a
    sign-in before that is not enough.
    """

    client: Client
    redirect_uri: str
    again: bool = False
    since: datetime | None = None


@record
class AskAccount:
    """The customer has several accounts (or none that they may connect) and has to pick one.

    ``obstacles`` says of those that cannot be picked why, by row id. ``personal``: what is asked for reaches only what is
    the customer's own in an account.
    """

    client: Client
    user: User
    choices: tuple[tuple[Membership, Account], ...]
    redirect_uri: str
    obstacles: Mapping[bytes, Obstacle] = field(default_factory=dict)
    personal: bool = False


@record
class AskConsent:
    """The Allow/Deny page. ``shown`` has to come back with the answer: it binds what was seen to what is settled.

    ``optional`` are the scopes that the customer may leave out, ``lost`` those that the connection will not reach any
    more. ``resumes``: the connection is suspended, and Allow takes that back. ``personal``: nothing is asked for but what
    is the customer's own in the account, which changes nothing of what others have connected there.
    """

    client: Client
    user: User
    account: Account
    connection: Connection | None
    scopes: tuple[Scope, ...]
    several_accounts: bool
    redirect_uri: str
    shown: str
    optional: frozenset[str] = frozenset()
    lost: tuple[str, ...] = ()
    resumes: bool = False
    personal: bool = False


@record
class TellSuspended:
    """The connection is suspended, and this customer cannot take that back; all that is left is to go back.

    ``by_operator``: nobody in the account could.
    """

    client: Client
    user: User
    account: Account
    several_accounts: bool
    redirect_uri: str
    by_operator: bool


@record
class SendBack:
    """The customer's browser goes back to the client with this; ``dialect`` says how it is spelled.

    ``issued`` becomes the answer's token, where that is what was asked for: it is minted after the commit.
    """

    answer: AuthorizationAnswer
    dialect: str
    issued: Issued | None = None


@record
class Chosen:
    """The account is noted; ask ``next_step`` again."""


Step = AskSignIn | AskAccount | AskConsent | TellSuspended | SendBack
