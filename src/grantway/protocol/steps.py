"""What a visit to the authorization endpoint can come to, as values that carry just what a page needs."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

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

    ``closed`` are those that the client cannot be connected to because it is a draft of somebody else's.
    """

    client: Client
    user: User
    choices: tuple[tuple[Membership, Account], ...]
    redirect_uri: str
    closed: frozenset[bytes] = frozenset()


@record
class AskConsent:
    """The Allow/Deny page. ``shown`` has to come back with the answer: it binds what was seen to what is settled.

    ``optional`` are the scopes that the customer may leave out. ``resumes``: the connection is suspended, and Allow
    takes that back.
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
    resumes: bool = False


@record
class TellSuspended:
    """An operator has suspended the connection, so there is nothing to allow; all that is left is to go back."""

    client: Client
    user: User
    account: Account
    several_accounts: bool
    redirect_uri: str


@record
class SendBack:
    """The customer's browser goes back to the client with this; ``dialect`` says how it is spelled."""

    answer: AuthorizationAnswer
    dialect: str


@record
class Chosen:
    """The account is noted; ask ``next_step`` again."""


Step = AskSignIn | AskAccount | AskConsent | TellSuspended | SendBack
