"""Ask the authorization server at each call what the token is good for (RFC 7662): an end is effective at once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

from grantway.client.transport import checked
from grantway.resource.refusals import SUSPENDED, Refused, invalid_token, unavailable
from grantway.resource.token import AccessToken, read_moment
from grantway.wire.dialects.standard import read_introspection_answer, write_introspection_request
from grantway.wire.errors import Malformed
from grantway.wire.headers import read_retry_after
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ClientCredentials, ErrorAnswer, IntrospectionAnswer, IntrospectionRequest

LARGEST_CACHE = 10_000


class Introspection:
    """Asks at ``url`` as a resource server with these credentials.

    ``cache`` is how long an answer may be used again: nothing by default. Never beyond the token's end, and only answers
    that let somebody in. So long, at most, is a revocation hidden.
    """

    one_asks_for_all = False
    knows_audience = True

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        cache: timedelta = timedelta(0),
        allow_http: bool = False,
    ) -> None:
        checked(url, allow_http=allow_http)
        self.url = url
        self._credentials = ClientCredentials(client_id, client_secret, "client_secret_basic")
        self._cache = cache
        self._kept: OrderedDict[bytes, tuple[AccessToken, datetime]] = OrderedDict()
        """What was answered and when it was asked, by the token's digest, the longest unused first."""
        self._turn = Lock()

    def look(self, token: str, now: datetime) -> AccessToken | HttpRequest:
        """What was answered a moment ago, or the question."""
        if self._cache:
            found = self._find(_digest(token), now)
            if found is not None:
                return found
        return write_introspection_request(IntrospectionRequest(token, self._credentials, "access_token"))

    def hear(self, token: str, answer: HttpAnswer | None, asked_at: datetime, now: datetime) -> AccessToken | Refused:
        """What the authorization server says of the token."""
        if answer is None:
            return unavailable("introspection_not_reached")
        try:
            said = read_introspection_answer(answer)
            if isinstance(said, ErrorAnswer):
                return unavailable(f"introspection_answered_{answer.status}", said.retry_after)
            found = _found(said)
        except Malformed:
            return unavailable("introspection_answer_malformed", read_retry_after(answer))
        if self._cache and isinstance(found, AccessToken):
            self._keep(_digest(token), found, asked_at)
        return found

    def _find(self, digest: bytes, now: datetime) -> AccessToken | None:
        with self._turn:
            found, asked_at = self._kept.get(digest, (None, now))
            if found is None:
                return None
            # A clock that was put back makes an answer old, never younger.
            is_fresh = timedelta(0) <= now - asked_at < self._cache
            if is_fresh and (found.expires_at is None or now < found.expires_at):
                self._kept.move_to_end(digest)
                return found
            del self._kept[digest]
            return None

    def _keep(self, digest: bytes, found: AccessToken, asked_at: datetime) -> None:
        with self._turn:
            self._kept[digest] = (found, asked_at)
            self._kept.move_to_end(digest)
            while len(self._kept) > LARGEST_CACHE:
                self._kept.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _found(said: IntrospectionAnswer) -> AccessToken | Refused:
    if not said.active:
        return SUSPENDED if said.connection_state == "suspended" else invalid_token("inactive")
    # Of a refresh token no type is said, and one that is bound to a key is not for bearers (RFC 9449 §7.1).
    if said.token_type is None or said.token_type.lower() != "bearer":
        return invalid_token("not_a_bearer_token")
    return AccessToken(
        scope=said.scope,
        audience=said.aud,
        client_id=said.client_id,
        subject=said.sub,
        issuer=said.iss,
        issued_at=read_moment(said.iat),
        expires_at=read_moment(said.exp),
        id=said.jti,
        connection_id=said.connection_id,
        member_id=said.member_id,
        account_id=said.account.id if said.account else None,
        account_name=said.account.name if said.account else None,
    )
