"""Access tokens become strings: after the commit, with keys that were loaded and tested before."""

from __future__ import annotations

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from grantway.protocol import jwt
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued, account_of
from grantway.protocol.model import SigningKey
from grantway.protocol.tokens import write_access_token
from grantway.protocol.vault import Vault
from grantway.wire.messages import TokenAnswer


class Mint:
    """Makes the strings of access tokens. Holds parsed signing keys by id: a key of an id never changes."""

    def __init__(self, issuer: str, vault: Vault) -> None:
        self._issuer = issuer
        self._vault = vault
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def token_answer(self, issued: Issued) -> TokenAnswer:
        """The message for what was decided: the string of the access token, and all that is said beside it."""
        access, held = issued.access, issued.held
        lifetime = None if access.expires_at is None else int((access.expires_at - access.issued_at).total_seconds())
        return TokenAnswer(
            access_token=self.access_token(issued),
            token_type="Bearer",
            expires_in=lifetime,
            refresh_token=issued.refresh_token,
            scope=access.scope,
            connection_id=None if held is None else show("cn", held.connection.id),
            account=None if issued.account is None else account_of(issued.client, issued.account),
            expires_at=access.expires_at,
            refresh_token_expires_at=issued.refresh_expires_at,
            short_lived=issued.short_lived,
        )

    def access_token(self, issued: Issued) -> str:
        """The string of the access token, in the format that the client's policy names."""
        held, policy = issued.held, issued.client.policy
        if policy.access_token_format == "jwt" and issued.signing_key is not None:
            extra = {} if held is None else {"connection_id": show("cn", held.connection.id)}
            if issued.account is not None:
                extra["account_id"] = show("ac", issued.account.id)
            claims = jwt.access_claims(
                issued.access,
                issuer=self._issuer,
                client_id=issued.client.client_id,
                subject=issued.subject,
                extra=extra,
            )
            return jwt.sign_access(orjson.dumps(claims), issued.signing_key.kid, self._key(issued.signing_key))
        if held is None:
            return write_access_token(issued.secret, issued.access)
        ordered = held.grant.scope, held.grant.resource
        if issued.as_account_jwt or policy.access_token_format == "account_jwt":
            account, client_id = held.account.external_ids[policy.dialect], issued.client.client_id
            if issued.as_account_jwt:
                return jwt.write_serial_jwt(issued.secret, issued.access, ordered, client_id=client_id, account=account)
            return jwt.write_account_jwt(issued.secret, issued.access, client_id=client_id, account=account)
        return write_access_token(issued.secret, issued.access, ordered)

    def _key(self, key: SigningKey) -> ec.EllipticCurvePrivateKey:
        parsed = self._keys.get(key.kid)
        if parsed is None:
            loaded = load_der_private_key(self._vault.open(key.key_id, key.private_sealed, key.kid.encode()), None)
            if not isinstance(loaded, ec.EllipticCurvePrivateKey):
                raise TypeError("a signing key of another kind")
            parsed = self._keys[key.kid] = loaded
        return parsed
