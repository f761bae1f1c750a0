"""Authlib on Flask and SQLAlchemy, after its own example (authlib/example-oauth2-server) with what that leaves out.

    gunicorn program:app              serves; DATABASE names the database, KEYS a folder with the signing keys
    python program.py FOLDER CODES REFRESH ACCESS REVOCABLE RACES      makes the tables, the clients and the grants

Left out there: rotation (off unless told otherwise), introspection, and signed access tokens (RFC 9068).
"""

import os
import secrets
import sys
import time
from pathlib import Path

from authlib.common.security import generate_token
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_query_client_func,
    create_query_token_func,
    create_revocation_endpoint,
    create_save_token_func,
)
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.material import CHALLENGE, CLIENT_CREDENTIALS, EXCHANGE, REDIRECT_URI, SCOPE, write_material

DAY = 24 * 60 * 60
KINDS = ("opaque", "ES256", "RS256")
db = SQLAlchemy()


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(40), unique=True)

    def get_user_id(self):
        return self.id


class OAuth2Client(db.Model, OAuth2ClientMixin):
    __tablename__ = "oauth2_client"
    id = db.Column(db.Integer, primary_key=True)


class OAuth2AuthorizationCode(db.Model, OAuth2AuthorizationCodeMixin):
    __tablename__ = "oauth2_code"
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id", ondelete="CASCADE"))

    def is_expired(self):
        return self.auth_time + DAY < time.time()  # made before the load, used later: else five minutes


class OAuth2Token(db.Model, OAuth2TokenMixin):
    __tablename__ = "oauth2_token"
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id", ondelete="CASCADE"))
    # Signed tokens are longer than the 255 characters of the mixin.
    access_token = db.Column(db.Text, unique=True, nullable=False)


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code, request):
        raise NotImplementedError  # nobody signs in here

    def query_authorization_code(self, code, client):
        found = OAuth2AuthorizationCode.query.filter_by(code=code, client_id=client.client_id).first()
        return found if found and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code):
        db.session.delete(authorization_code)
        db.session.commit()

    def authenticate_user(self, authorization_code):
        return db.session.get(User, authorization_code.user_id)


class RefreshTokenGrant(grants.RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = OAuth2Token.query.filter_by(refresh_token=refresh_token).first()
        return token if token and not token.is_revoked() else None

    def authenticate_user(self, credential):
        return db.session.get(User, credential.user_id)

    def revoke_old_credential(self, credential):
        credential.access_token_revoked_at = credential.refresh_token_revoked_at = int(time.time())
        db.session.add(credential)
        db.session.commit()


class Introspection(IntrospectionEndpoint):
    def query_token(self, token_string, token_type_hint):
        return create_query_token_func(db.session, OAuth2Token)(token_string, token_type_hint)

    def check_permission(self, token, client, request):
        return token.client_id == client.client_id

    def introspect_token(self, token):
        return {
            "active": True,
            "client_id": token.client_id,
            "token_type": token.token_type,
            "scope": token.get_scope(),
            "sub": str(token.user_id),
            "exp": token.issued_at + token.expires_in,
            "iat": token.issued_at,
        }


class Signed(JWTBearerTokenGenerator):
    def __init__(self, alg, key):
        super().__init__("https://issuer.example", alg)
        self._keys = KeySet([key])

    def get_jwks(self):
        return self._keys


def make_app():
    app = Flask(__name__)
    app.config.update(SQLALCHEMY_DATABASE_URI=os.environ["DATABASE"], SQLALCHEMY_TRACK_MODIFICATIONS=False)
    db.init_app(app)
    server = AuthorizationServer(
        app, create_query_client_func(db.session, OAuth2Client), create_save_token_func(db.session, OAuth2Token)
    )
    keys = Path(os.environ["KEYS"])
    opaque = BearerTokenGenerator(lambda **_: generate_token(42), lambda **_: generate_token(48))
    of_client = {
        "bench-ES256": Signed("ES256", ECKey.import_key((keys / "ec.pem").read_bytes(), {"kid": "ec"})),
        "bench-RS256": Signed("RS256", RSAKey.import_key((keys / "rsa.pem").read_bytes(), {"kid": "rsa"})),
    }

    def generate(grant_type, client, **rest):
        return of_client.get(client.client_id, opaque)(grant_type, client, **rest)

    server.register_token_generator("default", generate)
    server.register_grant(grants.ClientCredentialsGrant)
    server.register_grant(AuthorizationCodeGrant, [CodeChallenge(required=True)])
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(create_revocation_endpoint(db.session, OAuth2Token))
    server.register_endpoint(Introspection)
    app.post("/oauth/token", endpoint="token")(server.create_token_response)
    app.post("/oauth/revoke", endpoint="revoke")(lambda: server.create_endpoint_response("revocation"))
    app.post("/oauth/introspect", endpoint="introspect")(lambda: server.create_endpoint_response("introspection"))
    return app


@event.listens_for(Engine, "connect")
def _fastest(connection, _):
    """SQLite as fast as it goes, if asked: a write-ahead log that is never flushed."""
    if os.environ.get("UNFLUSHED"):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")


def prepare(folder, codes, refresh_tokens, access_tokens, revocable, races):
    """The rows that the endpoints would have written, each of a user of its own."""
    db.create_all()
    callers = {}
    for kind in KINDS:
        client = OAuth2Client(client_id=f"bench-{kind}", client_secret=secrets.token_urlsafe(32))
        client.set_client_metadata(
            {
                "client_name": f"Bench {kind}",
                "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
                "redirect_uris": [REDIRECT_URI],
                "response_types": ["code"],
                "scope": SCOPE,
                "token_endpoint_auth_method": "client_secret_basic",
            }
        )
        db.session.add(client)
        callers[f"client_credentials {kind}"] = {
            "id": client.client_id,
            "secret": client.client_secret,
            "body": CLIENT_CREDENTIALS,
        }
    db.session.commit()
    number = codes + refresh_tokens + access_tokens + revocable + races
    db.session.execute(db.insert(User), [{"id": each, "username": f"user-{each}"} for each in range(1, number + 1)])
    users = iter(range(1, number + 1))
    common = {"client_id": "bench-opaque", "scope": SCOPE}
    waiting = [
        common
        | {
            "code": generate_token(48),
            "user_id": next(users),
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        for _ in range(codes)
    ]
    tokens = [
        common
        | {
            "access_token": generate_token(42),
            "refresh_token": generate_token(48),
            "token_type": "Bearer",
            "user_id": user,
            "expires_in": DAY,
        }
        for user in users
    ]
    if waiting:
        db.session.execute(db.insert(OAuth2AuthorizationCode), waiting)
    db.session.execute(db.insert(OAuth2Token), tokens)
    db.session.commit()
    rest = iter(tokens)
    files = {"codes": [each["code"] for each in waiting]}
    for name, kind, count in (
        ("refresh_tokens", "refresh_token", refresh_tokens),
        ("access_tokens", "access_token", access_tokens),
        ("revocable", "refresh_token", revocable),
        ("races", "refresh_token", races),
    ):
        files[name] = [next(rest)[kind] for _ in range(count)]
    said = {
        "token": "/oauth/token",
        "introspection": "/oauth/introspect",
        "revocation": "/oauth/revoke",
        "callers": callers,
        "user": callers["client_credentials opaque"],
        "exchange": EXCHANGE,
    }
    write_material(Path(folder), said, files)


app = make_app()
if __name__ == "__main__":
    with app.app_context():
        prepare(sys.argv[1], *map(int, sys.argv[2:]))
