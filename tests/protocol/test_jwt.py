"""Two kinds of JWT, never interchangeable: that of RFC 9068, and Sunshine Conversations' own that names the account."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose

from grantway.protocol import jwt
from grantway.protocol.administration.signing_keys import ensure_key, rotate_now
from grantway.protocol.ids import show
from grantway.protocol.introspection import INACTIVE
from grantway.protocol.issuing import Issued
from grantway.protocol.keys import ACCOUNT_JWT, derive
from grantway.protocol.model import SigningKey
from grantway.server.mint import Mint
from grantway.server.signing_keys import draw_signing_key
from tests.helpers.stage import ISSUER, Integration, Stage, Tokens, refused

API = "https://api.example"


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.decide(ensure_key, draw_signing_key(stage.vault))
    return stage


@pytest.fixture
def signed(stage: Stage) -> Integration:
    return stage.integration(policy={"access_token_format": "jwt"}, resources=(API,))


def packed(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    found = jwt.read(text)
    assert found is not None
    return dict(found.header), dict(found.payload)


def with_header(text: str, **changes: Any) -> str:
    header, _ = parts(text)
    changed = {name: value for name, value in (header | changes).items() if value is not ...}
    return ".".join((packed(changed), *text.split(".")[1:]))


def with_payload(text: str, **changes: Any) -> str:
    head, _, tail = text.split(".")
    return ".".join((head, packed(parts(text)[1] | changes), tail))


# RFC 9068


def test_an_access_token_of_rfc_9068_says_what_it_must(stage: Stage, signed: Integration) -> None:
    tokens = stage.connect(signed, scope=("write", "read"))
    header, payload = parts(tokens.access)
    (key,) = stage.all(SigningKey)
    now = int(stage.clock().timestamp())
    grant = stage.grant_of(tokens)
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    assert payload | {"jti": None} == {
        "iss": ISSUER, "sub": show("us", stage.ada.id), "aud": API, "client_id": signed.client.client_id,
        "scope": "write read", "iat": now, "exp": now + 600, "jti": None,
        "connection_id": show("cn", grant.connection_id), "account_id": show("ac", stage.acme.id),
    }  # fmt: skip
    assert stage.scope_of(tokens.access) == ("write", "read")


def test_anybody_verifies_it_with_the_published_key(stage: Stage, signed: Integration) -> None:
    (key,) = stage.all(SigningKey)
    token = jose.decode(stage.connect(signed).access, jose_jwk.import_key(dict(key.public_jwk)), algorithms=["ES256"])
    assert token.claims["iss"] == ISSUER


def test_audiences_are_a_list_only_when_there_are_several(stage: Stage) -> None:
    policy = {"access_token_format": "jwt"}
    none = stage.integration(policy=policy)
    two = stage.integration(policy=policy, resources=(API, "https://b.example"))
    assert parts(stage.connect(none).access)[1]["aud"] == ISSUER
    assert parts(stage.connect(two).access)[1]["aud"] == [API, "https://b.example"]
    assert stage.is_active(stage.connect(none).access)
    assert stage.is_active(stage.connect(two).access)


def test_a_clients_own_jwt_hangs_from_the_client(stage: Stage, signed: Integration) -> None:
    own = stage.minted(stage.client_credentials(signed))
    assert parts(own.access)[1]["sub"] == signed.client.client_id
    assert stage.is_active(own.access)
    stage.amend(signed.client, ended_at=stage.clock())
    assert not stage.is_active(own.access)


def test_a_jwt_can_be_ended_before_its_time(stage: Stage, signed: Integration) -> None:
    tokens = stage.connect(signed)
    stage.revoke(signed, tokens.access)
    assert stage.introspect(tokens.access).reason == "access_token_ended"
    assert stage.is_active(stage.refreshed(signed, tokens.refresh).access)


def test_without_a_key_nothing_is_consumed_and_the_client_may_come_again() -> None:
    stage = Stage()
    by = stage.integration(policy={"access_token_format": "jwt"})
    code = stage.code(by)
    refused(stage.exchange(by, code), "temporarily_unavailable", "no_signing_key")
    stage.decide(ensure_key, draw_signing_key(stage.vault))
    tokens = stage.minted(stage.exchange(by, code))
    assert stage.is_active(tokens.access)


def test_a_key_that_was_withdrawn_verifies_nothing_any_more(stage: Stage, signed: Integration) -> None:
    before = stage.connect(signed)
    stage.decide(rotate_now, draw_signing_key(stage.vault))
    assert not stage.is_active(before.access)
    assert stage.is_active(stage.refreshed(signed, before.refresh).access)


# Sunshine's


def test_a_sunshine_token_is_exactly_the_vendors(stage: Stage) -> None:
    by = stage.sunshine(client_id="shoplifter")
    tokens = stage.connect(by)
    head, body, tail = tokens.access.split(".")
    kid = show("gr", stage.grant_of(tokens).id)
    app = stage.acme.external_ids["sunshine"]
    iat = int(stage.clock().timestamp())
    assert head == packed({"alg": "HS256", "typ": "JWT", "kid": kid, "azp": "shoplifter"})
    assert body == packed({"scope": "integration", "appId": app, "iat": iat})
    key = derive(tokens.issued.secret, ACCOUNT_JWT)
    assert tail == packed(hmac.digest(key, f"{head}.{body}".encode(), "sha256"))


def test_its_key_is_the_grants_own(stage: Stage) -> None:
    by = stage.sunshine()
    one, two = stage.connect(by), stage.connect(by)
    kid = parts(two.access)[0]["kid"]
    assert stage.introspect(with_header(one.access, kid=kid)).answer == INACTIVE
    stage.revoke(by, one.access)
    assert not stage.is_active(one.access)
    assert stage.is_active(two.access)


# Confusion


def resigned(text: str, key: bytes, **header: Any) -> str:
    """The same claims under another header, signed with HS256 and a key of the attacker's choice."""
    head, body, _ = with_header(text, **header).split(".")
    return f"{head}.{body}.{packed(hmac.new(key, f'{head}.{body}'.encode(), sha256).digest())}"


def test_neither_kind_passes_for_the_other(stage: Stage, signed: Integration) -> None:
    access, account = stage.connect(signed), stage.connect(stage.sunshine())
    (key,) = stage.all(SigningKey)
    kid_of_grant, kid_of_key = parts(account.access)[0]["kid"], key.kid
    forged = [
        with_header(access.access, typ="JWT"),
        with_header(access.access, typ="JWT", alg="HS256", kid=kid_of_grant),
        with_header(account.access, typ="at+jwt"),
        with_header(account.access, typ="at+jwt", alg="ES256", kid=kid_of_key),
        resigned(access.access, json.dumps(dict(key.public_jwk)).encode(), alg="HS256"),
        resigned(access.access, derive(account.issued.secret, ACCOUNT_JWT), alg="HS256", typ="JWT"),
        resigned(access.access, derive(account.issued.secret, ACCOUNT_JWT), alg="HS256", kid=kid_of_grant),
    ]
    for text in forged:
        assert stage.introspect(text).answer == INACTIVE


def test_an_at_jwt_signed_as_an_account_token_reaches_only_its_own_grants_scope(stage: Stage) -> None:
    """Whoever has a grant's secret has that grant, and nothing else."""
    account = stage.connect(stage.sunshine())
    wide = with_payload(account.access, scope="integration admin")
    assert stage.introspect(wide).answer == INACTIVE
    assert stage.scope_of(resigned(wide, derive(account.issued.secret, ACCOUNT_JWT))) == ("integration",)


def test_a_standard_clients_grant_never_takes_an_account_token(stage: Stage, signed: Integration) -> None:
    tokens = stage.connect(signed)
    forged = jwt.write_account_jwt(tokens.issued.secret, tokens.issued.access, client_id="x", account="y")
    assert stage.introspect(forged).answer == INACTIVE


@pytest.mark.parametrize("kind", ["jwt", "account_jwt"])
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"}, {"alg": "None"}, {"alg": "NONE"}, {"alg": ""}, {"alg": None}, {"alg": ...}, {"alg": ["ES256"]},
        {"alg": "RS256"}, {"alg": "ES384"}, {"typ": ...}, {"typ": None}, {"typ": "jwt"}, {"typ": "at+JWT"},
        {"typ": "application/at+jwt"}, {"kid": "nonesuch"}, {"kid": ...}, {"kid": None}, {"kid": 1}, {"kid": ["a"]},
        {"kid": {}}, {"kid": ""}, {"kid": "gr_"}, {"kid": "gr_" + "0" * 22}, {"kid": "gr_é"},
    ],
)  # fmt: skip
def test_another_header_is_no_token(stage: Stage, signed: Integration, kind: str, header: dict[str, Any]) -> None:
    text = stage.connect(signed if kind == "jwt" else stage.sunshine()).access
    changed = with_header(text, **header)
    assert stage.introspect(changed).answer == INACTIVE
    assert stage.introspect(changed.rpartition(".")[0] + ".").answer == INACTIVE  # and without a signature


@pytest.mark.parametrize("kind", ["jwt", "account_jwt"])
def test_what_is_signed_cannot_be_changed(stage: Stage, signed: Integration, kind: str) -> None:
    text = stage.connect(signed if kind == "jwt" else stage.sunshine()).access
    assert stage.is_active(text)
    for changes in ({"scope": "admin"}, {"iat": 0}, {"exp": 2**33}, {"aud": "x"}, {"appId": "0" * 24}, {"iss": "x"}):
        assert stage.introspect(with_payload(text, **changes)).answer == INACTIVE


def test_a_token_of_another_issuer_is_none_of_ours_even_under_our_key(stage: Stage, signed: Integration) -> None:
    decision = stage.exchange(signed, stage.code(signed))
    assert isinstance(decision.answer, Issued)
    elsewhere = Mint("https://other.example", stage.vault).access_token(decision.answer)
    assert stage.introspect(elsewhere).answer == INACTIVE


@pytest.mark.parametrize("jti", ["", "g", "x" + "0" * 44, "g" + "z" * 44, "g" + "é" * 44])
def test_an_id_that_names_no_row_of_ours_is_no_token(stage: Stage, signed: Integration, jti: str) -> None:
    decision = stage.exchange(signed, stage.code(signed))
    key = stage.mint._key(decision.answer.signing_key)
    claims = {"iss": ISSUER, "jti": jti, "aud": API, "iat": 0, "exp": 2**31, "scope": "read"}
    text = jwt.sign_access(json.dumps(claims).encode(), decision.answer.signing_key.kid, key)
    assert stage.introspect(text).answer == INACTIVE


def test_a_key_that_nobody_published_signs_nothing(stage: Stage, signed: Integration) -> None:
    stranger = Stage(seed=8)
    stranger.decide(ensure_key, draw_signing_key(stranger.vault))
    by = stranger.integration(policy={"access_token_format": "jwt"})
    foreign = stranger.connect(by).access
    (ours,) = stage.all(SigningKey)
    assert stage.introspect(foreign).answer == INACTIVE
    assert stage.introspect(with_header(foreign, kid=ours.kid)).answer == INACTIVE


@given(st.text(max_size=80) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_text_is_taken_apart_or_is_no_jwt(text: str) -> None:
    found = jwt.read(text)
    assert found is None or isinstance(found.header, dict)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10), lambda inner: st.lists(inner, max_size=3)
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "typ": st.sampled_from(["JWT", "at+jwt"]) | values, "alg": st.sampled_from(["HS256", "ES256", "none"]) | values,
        "kid": st.just("gr_" + "0" * 22) | values,
    },
)  # fmt: skip
_STAGE = Stage()


@given(
    headers | values, st.dictionaries(st.sampled_from(["iss", "jti", "scope", "exp"]), values), st.binary(max_size=70)
)
def test_any_json_is_inactive_and_nothing_else(header: Any, payload: Any, signature: bytes) -> None:
    text = ".".join((packed(header), packed(payload), packed(signature)))
    assert _STAGE.introspect(text).answer == INACTIVE


@pytest.mark.parametrize(
    "text",
    [
        "a.b",
        "a.b.c.d",
        "..",
        "e30.e30.",
        "e30.W10.",
        "W10.e30.",
        ("[" * 6_000 + ".e30.e30")[:8_100],
        "x" * 9_000 + "..",
        "e30 .e30.e30",
    ],
)
def test_what_is_no_jwt_is_none(stage: Stage, text: str) -> None:
    found = jwt.read(text)
    assert found is None or not found.header
    assert stage.introspect(text).answer == INACTIVE


def test_deep_json_is_no_jwt(stage: Stage) -> None:
    deep = packed(b"[" * 5_000)
    assert jwt.read(f"{deep}.e30.e30") is None


def test_an_account_token_is_read_without_an_end_and_without_a_serial(stage: Stage) -> None:
    tokens: Tokens = stage.connect(stage.sunshine())
    found = jwt.read(tokens.access)
    assert found is not None
    access = jwt.account_access(found, stage.grant_of(tokens).id, ((), ()))
    assert (access.expires_at, access.serial, access.scope) == (None, b"", ("integration",))
    assert stage.clock() - access.issued_at < timedelta(seconds=1)


def test_a_jwt_without_expiry_is_never_written(stage: Stage) -> None:
    tokens = stage.connect(stage.sunshine())
    with pytest.raises(ValueError, match="expiry"):
        jwt.access_claims(tokens.issued.access, issuer=ISSUER, client_id="x", subject="y", extra={})
