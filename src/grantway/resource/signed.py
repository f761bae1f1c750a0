"""Look at the signature instead of asking: JWT access tokens (RFC 9068), with the keys of the authorization server.

Costs no call, and sees no end: a token that was revoked, or whose connection was removed or suspended, is good here until
it expires. Vendors' JWTs (``typ: JWT``, HS256) are not for this: nobody but their server can verify them.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from grantway.client.transport import checked
from grantway.resource.keys import Keys, read_keys
from grantway.resource.refusals import Refused, invalid_token, unavailable
from grantway.resource.token import AccessToken, read_moment
from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer, HttpRequest

if TYPE_CHECKING:
    from joserfc.jwk import Key

ASYMMETRIC = frozenset(
    {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519", "Ed448"}
)
"""Never ``none``; never HMAC, with which whoever knows the public key could sign."""
LARGEST_LEEWAY = timedelta(minutes=5)
REFETCH = timedelta(seconds=30)
"""An unknown key is looked for this often at most, however many tokens name one."""
RETRY = timedelta(seconds=5)
"""After a failure the keys are asked for again so soon."""

_QUESTION = HttpRequest("GET", "/", headers=((b"accept", JSON_TYPE.encode()),))


class SignedTokens:
    """Verifies ``at+jwt`` of this issuer with the keys at ``jwks_url``. Needs the extra ``grantway[resource]``.

    ``leeway``: how far clocks may differ.
    """

    one_asks_for_all = True
    knows_audience = False

    def __init__(
        self,
        issuer: str,
        jwks_url: str,
        *,
        algorithms: tuple[str, ...] = ("ES256",),
        leeway: timedelta = timedelta(seconds=30),
        allow_http: bool = False,
    ) -> None:
        try:
            import joserfc.errors  # introspection does without
            import joserfc.jws
        except ImportError:
            raise ImportError("To verify signed tokens: pip install 'grantway[resource]'.") from None
        if not algorithms or not ASYMMETRIC.issuperset(algorithms):
            raise ValueError(f"Algorithms are among {', '.join(sorted(ASYMMETRIC))}.")
        if not timedelta(0) <= leeway <= LARGEST_LEEWAY:
            raise ValueError("The leeway is five minutes at most (RFC 9068 §4).")
        checked(jwks_url, allow_http=allow_http)
        self.url = jwks_url
        self._issuer = issuer
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway
        self._jws, self._jose_error = joserfc.jws, joserfc.errors.JoseError
        self._registry = joserfc.jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        self._keys = Keys()

    def look(self, token: str, now: datetime) -> AccessToken | Refused | HttpRequest:
        """What the token says if its key is here, or the question for the keys."""
        kid = self._kid(token)
        if isinstance(kid, Refused):
            return kid
        keys = self._keys
        if kid in keys.by_id and now < keys.fresh_until:
            return self._verified(token, keys.by_id[kid], now)
        if now >= keys.not_again_before:
            return _QUESTION
        return unavailable("keys_not_reached") if keys.failed else invalid_token("key_unknown")

    def hear(self, token: str, answer: HttpAnswer | None, asked_at: datetime, now: datetime) -> AccessToken | Refused:
        """The keys arrived, or did not: what that makes of the token."""
        found = None if answer is None else read_keys(answer, self._algorithms)
        if found is None:
            # Keys that are fresh stay. Those that were due to be looked at again may be withdrawn: they are not used.
            wait = REFETCH if asked_at < self._keys.fresh_until else RETRY
            self._keys = replace(self._keys, not_again_before=asked_at + wait, failed=True)
            return unavailable("keys_not_reached")
        by_id, lifetime = found
        self._keys = Keys(by_id, asked_at + lifetime, asked_at + REFETCH)
        kid = self._kid(token)
        if isinstance(kid, Refused):
            return kid
        return self._verified(token, by_id[kid], now) if kid in by_id else invalid_token("key_unknown")

    def _kid(self, token: str) -> str | Refused:
        """The key that the header names, once the header is one of an access token's."""
        head, *rest = token.split(".")
        if len(rest) != 2:
            return invalid_token("not_a_jwt")
        try:
            decoded = base64.b64decode(head + "=" * (-len(head) % 4), altchars=b"-_", validate=True)
            header = read_json_object(decoded).plain
        except (ValueError, Malformed):
            return invalid_token("not_a_jwt")
        typ, alg, kid = header.get("typ"), header.get("alg"), header.get("kid")
        if not isinstance(typ, str) or typ.lower() not in {"at+jwt", "application/at+jwt"}:
            return invalid_token("jwt_of_another_type")  # RFC 9068 §4; ID tokens and vendors' JWTs end here
        if not isinstance(alg, str) or alg not in self._algorithms:
            return invalid_token("algorithm_not_allowed")
        if "crit" in header or "b64" in header:
            return invalid_token("critical_header_unknown")  # RFC 7515 §4.1.11
        return kid if isinstance(kid, str) else invalid_token("key_not_named")

    def _verified(self, token: str, key: Key, now: datetime) -> AccessToken | Refused:
        try:
            signed = self._jws.deserialize_compact(token, key, registry=self._registry)
            key.check_alg(signed.headers()["alg"])
        except (self._jose_error, ValueError, TypeError):
            return invalid_token("signature_wrong")
        try:
            return self._found(read_json_object(signed.payload or b""), now)
        except Malformed as error:
            return invalid_token(error.reason)

    def _found(self, claims: Parameters, now: datetime) -> AccessToken | Refused:
        """What the claims say, those that RFC 9068 §2.2 requires being there."""
        expires_at, not_before = read_moment(claims.plain.get("exp")), read_moment(claims.plain.get("nbf"))
        issued_at = read_moment(claims.plain.get("iat"))
        token = AccessToken(
            scope=claims.scope() or (),
            audience=claims.many("aud"),
            client_id=claims.needed("client_id"),
            subject=claims.needed("sub"),
            issuer=claims.needed("iss"),
            issued_at=issued_at,
            expires_at=expires_at,
            id=claims.needed("jti"),
            connection_id=claims.visible("connection_id"),
            account_id=claims.visible("account_id"),
        )
        if token.issuer != self._issuer:
            return invalid_token("another_issuer")
        if expires_at is None or issued_at is None or not token.audience:
            return invalid_token("claim_missing")
        if now >= expires_at + self._leeway:
            return invalid_token("expired")
        if not_before is not None and now < not_before - self._leeway:
            return invalid_token("not_yet_valid")
        if claims.plain.get("cnf") is not None:
            # Bound to a key, which nobody proved here to have (RFC 7800, RFC 9449 §7.1).
            return invalid_token("not_a_bearer_token")
        return token
