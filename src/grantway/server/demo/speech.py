"""How an integration speaks: what its dialect says at each step, and which buttons that makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grantway.server.demo.desk import Desk
from grantway.server.demo.inbox import is_signed
from grantway.wire.headers import write_bearer
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import AuthorizationAnswer, ClientCredentials, ErrorAnswer, TokenAnswer


@dataclass(frozen=True)
class Registration:
    """What an integrator got when it registered, and the addresses that it gave."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    remove_url: str
    webhooks_at: str
    scopes: tuple[str, ...] = ()
    notice_secret: str = field(default="", repr=False)
    """What calls to its remove URL are signed with."""
    hooks: dict[str, str] = field(default_factory=dict, repr=False)
    """The keys of its webhooks, by the name that it put into each one's address. A real one has a database."""

    @property
    def by_basic(self) -> ClientCredentials:
        return ClientCredentials(self.client_id, self.client_secret, "client_secret_basic")

    @property
    def in_body(self) -> ClientCredentials:
        return ClientCredentials(self.client_id, self.client_secret, "client_secret_post")


def by_standard_webhooks(own: Registration, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a call to the remove URL is the platform's, as most see it."""
    return is_signed(own.notice_secret, headers, body)


Write = Callable[[Registration, Desk], HttpRequest]
Hear = Callable[[Registration, Desk, HttpAnswer], None]
"""Takes what an answer says to the desk. Raises ``Malformed``."""


@dataclass(frozen=True)
class Call:
    """One button: what stands on it, what its answer is called, what is sent. ``is_end``: little goes afterwards."""

    label: str
    title: str
    write: Write
    hear: Hear | None = None
    is_end: bool = False


@dataclass(frozen=True)
class Speech:
    """One dialect, as an integrator speaks it. ``names_issuer``: answers say who answered (RFC 9207)."""

    sentence: str
    authorize: Callable[[Registration, str, str], str]
    """Path and query to which the browser goes, from ``state`` and code challenge."""
    read_authorization: Callable[[str], AuthorizationAnswer]
    exchange: Callable[[Registration, str, str], HttpRequest]
    """From code and code verifier."""
    read_tokens: Callable[[HttpAnswer], TokenAnswer | ErrorAnswer]
    calls: Mapping[str, Call]
    is_signed: Callable[[Registration, Mapping[str, str], bytes], bool] = by_standard_webhooks
    """Whether a call to its remove URL is the platform's."""
    names_issuer: bool = False


def takes(read: Callable[[HttpAnswer], TokenAnswer | ErrorAnswer]) -> Hear:
    """Takes the tokens of an answer that is read so."""

    def hear(registration: Registration, desk: Desk, received: HttpAnswer) -> None:
        answer = read(received)
        if isinstance(answer, ErrorAnswer):
            desk.hear_no(answer)
        else:
            desk.take(answer)

    return hear


def api_call(path: str) -> Call:
    """The platform's own API, called with the access token."""

    def write(registration: Registration, desk: Desk) -> HttpRequest:
        bearer = write_bearer(desk.access_token or "").encode()
        return HttpRequest("GET", path, headers=((b"authorization", bearer),))

    return Call("Call the API", "API called", write)
