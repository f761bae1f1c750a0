"""What can go wrong, as one tree: ``ClientError`` and what became of the call.

No error says, shows or chains what was sent or received: an exception's text ends up in logs. What the server said in its
own words is in attributes (``description``, ``errors``), for who wants to look.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Any, Literal

from grantway.wire.errors import OUTCOME_UNKNOWN
from grantway.wire.record import record

if sys.version_info >= (3, 12):
    from typing import override
else:  # httpx2 brings it there
    from typing_extensions import override

NoAnswerKind = Literal[
    "camel_case",
    "empty",
    "encoded",
    "error_in_success",
    "html",
    "malformed",
    "missing_field",
    "not_json",
    "redirect",
    "token_type",
    "too_large",
    "truncated",
    "wrong_type",
]
CallbackKind = Literal[
    "malformed",
    "not_ours",
    "issuer_differs",
    "issuer_missing",
    "redirect_uri_differs",
    "state_differs",
    "state_missing",
    "state_unknown",
    "state_used",
]

# A code is shown where it cannot be anything else: one word of one case, and no digit, as every token has some.
_PLAIN_CODE = re.compile(r"[a-z_]{1,48}|[A-Z_]{1,48}")


class ClientError(Exception):
    """A call gave no answer that can be used.

    ``outcome_unknown``: the server may have done what was asked all the same.
    """

    outcome_unknown: bool = False

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[ClientError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ClientError:
    made = kind.__new__(kind, *args)
    made.__dict__.update(attributes)
    return made


@record
class ErrorEntry:
    """One entry of a refusal, in the vendor's own words. Square: category, code, detail, field."""

    code: str | None = None
    detail: str | None = None
    category: str | None = None
    field: str | None = None

    @override
    def __repr__(self) -> str:
        plain = [one for one in (self.category, self.code, self.field) if one and _PLAIN_CODE.fullmatch(one)]
        return f"ErrorEntry({' '.join(plain)})"


class Refused(ClientError):
    """The server says no.

    ``code``, ``description`` and ``errors`` are its own words, ``retry_after`` is in seconds, and ``connection_state`` says
    why for now nothing goes although the tokens are good: ``suspended``. A 503 did nothing unless its
    code is ``outcome_unknown``; what a 500 did nobody knows.
    """

    def __init__(
        self,
        code: str,
        *,
        status: int,
        description: str = "",
        retry_after: int | None = None,
        connection_state: str | None = None,
        errors: tuple[ErrorEntry, ...] = (),
    ) -> None:
        said = code if _PLAIN_CODE.fullmatch(code) else "with a code of its own"
        super().__init__(f"The server refused: {said} (HTTP {status}).")
        self.code = code
        self.status = status
        self.description = description
        self.retry_after = retry_after
        self.connection_state = connection_state
        self.errors = errors or (ErrorEntry(code, description or None),)
        self.outcome_unknown = status >= 500 and (status != 503 or code == OUTCOME_UNKNOWN.code)


class NoAnswer(ClientError):
    """What came back is not an answer of an authorization server; ``kind`` says what it is instead.

    ``reason`` is a slug for logs. Nothing of the body is kept.
    """

    def __init__(self, kind: NoAnswerKind, *, status: int, reason: str = "") -> None:
        super().__init__(f"The server's answer cannot be used: {kind} (HTTP {status}).")
        self.kind: NoAnswerKind = kind
        self.status = status
        self.reason = reason or kind
        self.outcome_unknown = not 400 <= status < 500


class NotReached(ClientError):
    """No answer came. ``reason``: ``unreachable``, ``tls``, ``lost`` (after the request had left), ``timeout``."""

    def __init__(self, reason: str, *, outcome_unknown: bool) -> None:
        known = "whether it did what was asked is not known" if outcome_unknown else "nothing was sent"
        super().__init__(f"The server gave no answer: {reason}; {known}.")
        self.reason = reason
        self.outcome_unknown = outcome_unknown


class TimedOut(NotReached):
    """No answer came in time."""

    def __init__(self, *, outcome_unknown: bool) -> None:
        super().__init__("timeout", outcome_unknown=outcome_unknown)


class CallbackWrong(ClientError):
    """This callback does not end what was begun; ``kind`` says why. Nothing was sent to the server."""

    def __init__(self, kind: CallbackKind) -> None:
        super().__init__(f"The callback was not accepted: {kind}.")
        self.kind: CallbackKind = kind


class AuthorizationRefused(ClientError):
    """The customer, or the server for them, said no (RFC 6749 §4.1.2.1). ``code`` is ``access_denied``, mostly."""

    def __init__(self, code: str, description: str = "") -> None:
        said = code if _PLAIN_CODE.fullmatch(code) else "with a code of its own"
        super().__init__(f"It was not allowed: {said}.")
        self.code = code
        self.description = description


class WrongServer(ClientError):
    """What is published at this address is not this server's metadata, or not fit for use (RFC 8414 §3.3)."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The server's metadata cannot be used: {reason}.")
        self.reason = reason


class UnsafeAddress(ClientError):
    """Secrets are sent by https only; by http to this machine, or where ``allow_http`` is set."""

    def __init__(self) -> None:
        super().__init__("The address is not one of https (or of this machine): nothing was sent.")


class Unsupported(ClientError):
    """This server, or this dialect, has nothing of the kind."""

    def __init__(self, what: str) -> None:
        super().__init__(f"This server does not have it: {what}.")
        self.what = what


class NotConnected(ClientError):
    """Nothing is kept under this name."""

    def __init__(self) -> None:
        super().__init__("There are no tokens under this name: connect first.")


class Disconnected(ClientError):
    """The connection has ended at the other side; the customer has to connect again. ``reason`` is a slug."""

    def __init__(self, reason: str, at: datetime | None = None) -> None:
        super().__init__(f"The connection has ended: {reason if _PLAIN_CODE.fullmatch(reason) else 'refused'}.")
        self.reason = reason
        self.at = at


class StoreUnreadable(ClientError):
    """What is kept cannot be opened: another key, a file that was changed, or a key file that is not this user's alone."""

    def __init__(self) -> None:
        super().__init__("The store cannot be opened with this key.")
