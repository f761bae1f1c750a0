"""The client: ``pip install grantway``, three dependencies, nothing of the server.

``Client`` and ``AsyncClient`` are one surface over any server: found by discovery (a standard server, by its issuer), or
one of the vendors' (``SquareServer``…). ``Square``, ``PhoneCom`` and ``Sunshine`` are those vendors' own calls. Every call is
written once, as an operation (``conversation``), and made by a line (``lines``) that bounds it in time and size. Answers are
typed, expiry is absolute, and errors are one tree (``errors``) that holds no secret. Knows ``wire`` only: the two ends share
words, not rules.
"""

from grantway.client.client import AsyncClient, AsyncConnection, Client, Connection
from grantway.client.core import Begun
from grantway.client.errors import (
    AuthorizationRefused,
    CallbackWrong,
    ClientError,
    Disconnected,
    ErrorEntry,
    NoAnswer,
    NotConnected,
    NotReached,
    Refused,
    StoreUnreadable,
    TimedOut,
    UnsafeAddress,
    Unsupported,
    WrongServer,
)
from grantway.client.pending import MemoryPending, Pending, PendingStore
from grantway.client.standard import discover
from grantway.client.stores.files import FileStore
from grantway.client.stores.memory import MemoryStore
from grantway.client.stores.port import TokenStore
from grantway.client.tokens import Account, Info, Tokens
from grantway.client.transport import Timeouts
from grantway.client.vendors.phonecom import (
    AsyncPhoneCom,
    CreateOauthParams,
    OauthAccessTokenDetails,
    OauthAuthorization,
    PhoneCom,
    PhoneComServer,
)
from grantway.client.vendors.square import (
    AsyncSquare,
    ObtainTokenRequest,
    RenewTokenRequest,
    RevokeTokenRequest,
    Square,
    TokenStatus,
)
from grantway.client.vendors.square_server import SquareServer
from grantway.client.vendors.sunshine import AsyncSunshine, GetTokenRequest, Sunshine, SunshineServer
from grantway.wire.messages import TokenInfoAnswer

__all__ = [
    "Account",
    "AsyncClient",
    "AsyncConnection",
    "AsyncPhoneCom",
    "AsyncSquare",
    "AsyncSunshine",
    "AuthorizationRefused",
    "Begun",
    "CallbackWrong",
    "Client",
    "ClientError",
    "Connection",
    "CreateOauthParams",
    "Disconnected",
    "ErrorEntry",
    "FileStore",
    "GetTokenRequest",
    "Info",
    "MemoryPending",
    "MemoryStore",
    "NoAnswer",
    "NotConnected",
    "NotReached",
    "OauthAccessTokenDetails",
    "OauthAuthorization",
    "ObtainTokenRequest",
    "Pending",
    "PendingStore",
    "PhoneCom",
    "PhoneComServer",
    "Refused",
    "RenewTokenRequest",
    "RevokeTokenRequest",
    "Square",
    "SquareServer",
    "StoreUnreadable",
    "Sunshine",
    "SunshineServer",
    "TimedOut",
    "Timeouts",
    "TokenInfoAnswer",
    "TokenStatus",
    "TokenStore",
    "Tokens",
    "UnsafeAddress",
    "Unsupported",
    "WrongServer",
    "discover",
]
