"""JWT access tokens, looked at as RFC 9068 §4 has it: what passes, what never does, and when keys are fetched."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

from grantway.resource import AccessToken, SignedTokens
from grantway.resource.refusals import Refused
from grantway.wire.http import HttpAnswer, HttpRequest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER = "https://login.example"
EC = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"}, private=True)
OTHER_EC = ECKey.generate_key("P-256", {"kid": "one"}, private=True)
P384 = ECKey.generate_key("P-384", {"kid": "p384"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": "one"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "us_1",
    "aud": "https://api.example",
    "client_id": "shop",
    "scope": "read write",
    "iat": int(NOON.timestamp()),
    "exp": int(NOON.timestamp()) + 600,
    "jti": "g1",
}


WEAK = {"kty": "RSA", "kid": "one", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xc1" * 128).rstrip(b"=").decode()}


def signed(key: Key = EC, header: dict[str, Any] = HEADER, **claims: Any) -> str:
    """A token with these claims changed; ``None`` leaves one out."""
    told = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(told), key, registry=registry)


def spelled(header: object, payload: object = CLAIMS, signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hashed(secret: bytes, header: dict[str, Any]) -> str:
    """A token under a shared secret, or under what somebody takes for one."""
    unsigned = spelled(header).rpartition(".")[0]
    return (
        f"{unsigned}.{base64.urlsafe_b64encode(hmac.digest(secret, unsigned.encode(), 'sha256')).rstrip(b'=').decode()}"
    )


def jwks(*keys: Any, max_age: int | None = 600) -> HttpAnswer:
    found = [key if isinstance(key, dict | str) else key.as_dict(private=False) for key in keys]
    headers = () if max_age is None else ((b"cache-control", b"public, max-age=%d" % max_age),)
    return HttpAnswer(200, headers, json.dumps({"keys": found}).encode())


def verifier(*algorithms: str) -> SignedTokens:
    return SignedTokens(ISSUER, f"{ISSUER}/jwks.json", algorithms=algorithms or ("ES256",))


def seen(token: str, at: datetime = NOON, answer: HttpAnswer | None = None, by: SignedTokens | None = None) -> Any:
    """What is made of the token, keys fetched when they are asked for."""
    by = by or verifier()
    found = by.look(token, at)
    if isinstance(found, HttpRequest):
        found = by.hear(token, answer or jwks(EC, P384, RSA), at, at)
    return found.reason if isinstance(found, Refused) else found


def test_a_signed_token_of_the_issuer_is_told_with_all_it_says() -> None:
    assert seen(signed(connection_id="cn_1", account_id="ac_1")) == AccessToken(
        scope=("read", "write"),
        audience=("https://api.example",),
        client_id="shop",
        subject="us_1",
        issuer=ISSUER,
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        id="g1",
        connection_id="cn_1",
        account_id="ac_1",
    )


@pytest.mark.parametrize(
    ("token", "slug"),
    [
        (signed(header=HEADER | {"typ": "JWT"}), "jwt_of_another_type"),
        (signed(header={"alg": "ES256", "kid": "one"}), "jwt_of_another_type"),
        (signed(header=HEADER | {"typ": "id_token+jwt"}), "jwt_of_another_type"),
        (spelled(HEADER | {"typ": ["at+jwt"]}), "jwt_of_another_type"),
        (spelled(HEADER | {"alg": "none"}), "algorithm_not_allowed"),
        (spelled(HEADER | {"alg": "None"}), "algorithm_not_allowed"),
        (spelled(HEADER | {"alg": ["ES256"]}), "algorithm_not_allowed"),
        (spelled({"typ": "at+jwt", "kid": "one"}), "algorithm_not_allowed"),
        (hashed(EC.as_pem(private=False), HEADER | {"alg": "HS256"}), "algorithm_not_allowed"),
        (hashed(EC.as_pem(private=False), HEADER), "signature_wrong"),
        (hashed(b"a grant's secret", {"alg": "HS256", "typ": "JWT", "kid": "gr_1"}),
         "jwt_of_another_type"),
        (signed(RSA, HEADER | {"alg": "RS256", "kid": "rsa"}), "algorithm_not_allowed"),
        (signed(header={"alg": "ES256", "typ": "at+jwt"}), "key_not_named"),
        (spelled(HEADER | {"kid": 1}), "key_not_named"),
        (signed(header=HEADER | {"kid": "unknown"}), "key_unknown"),
        (signed(header=HEADER | {"kid": "p384"}), "signature_wrong"),
        (spelled(HEADER | {"crit": ["exp"], "exp": 1}), "critical_header_unknown"),
        (spelled(HEADER | {"b64": False}), "critical_header_unknown"),
        (signed(OTHER_EC), "signature_wrong"),
        (spelled(HEADER), "signature_wrong"),
        (spelled(HEADER, signature=b"\0" * 64), "signature_wrong"),
        (spelled(HEADER, signature=b"\xff" * 63), "signature_wrong"),
        (signed()[:-4], "signature_wrong"),
        (signed(header=HEADER | {"padding": "x" * 600}, key=EC), "signature_wrong"),
        (signed(iss="https://evil.example"), "another_issuer"),
        (signed(iss=ISSUER + "/"), "another_issuer"),
        (signed(iss=None), "iss_missing"),
        (signed(sub=None), "sub_missing"),
        (signed(client_id=None), "client_id_missing"),
        (signed(jti=None), "jti_missing"),
        (signed(exp=None), "claim_missing"),
        (signed(iat=None), "claim_missing"),
        (signed(aud=None), "claim_missing"),
        (signed(aud=[]), "claim_missing"),
        (signed(aud={"https://api.example": 1}), "aud_malformed"),
        (signed(exp="tomorrow"), "time_malformed"),
        (signed(exp=True), "time_malformed"),
        (signed(exp=1e300), "time_malformed"),
        (signed(scope=["read"]), "scope_not_text"),
        (signed(exp=CLAIMS["iat"] - 31), "expired"),
        (signed(nbf=CLAIMS["iat"] + 31), "not_yet_valid"),
        (signed(cnf={"jkt": "thumbprint"}), "not_a_bearer_token"),
        (jws.serialize_compact(HEADER, b"[]", EC), "json_not_an_object"),
        (jws.serialize_compact(HEADER, b'{"iss": "a", "iss": "b"}', EC), "parameter_repeated"),
        ("gwa_opaque", "not_a_jwt"),
        ("a.b", "not_a_jwt"),
        ("a.b.c.d.e", "not_a_jwt"),
        ("..", "not_a_jwt"),
        (spelled(["alg"]), "not_a_jwt"),
        (spelled("alg"), "not_a_jwt"),
    ],
)  # fmt: skip
def test_what_is_not_a_signed_access_token_of_this_issuer_is_refused(token: str, slug: str) -> None:
    assert seen(token) == slug


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
def test_the_type_is_a_media_type(typ: str) -> None:
    assert isinstance(seen(signed(header=HEADER | {"typ": typ})), AccessToken)


def test_clocks_may_differ_by_the_leeway() -> None:
    assert isinstance(seen(signed(exp=CLAIMS["iat"] - 29)), AccessToken)
    assert isinstance(seen(signed(nbf=CLAIMS["iat"] + 29.5)), AccessToken)
    strict = SignedTokens(ISSUER, f"{ISSUER}/jwks.json", leeway=timedelta(0))
    assert seen(signed(exp=CLAIMS["iat"]), by=strict) == "expired"


def test_other_algorithms_are_verified_where_they_are_allowed() -> None:
    rsa = signed(RSA, HEADER | {"alg": "RS256", "kid": "rsa"})
    assert isinstance(seen(rsa, by=verifier("RS256")), AccessToken)
    assert isinstance(seen(signed(P384, HEADER | {"alg": "ES384", "kid": "p384"}), by=verifier("ES384")), AccessToken)
    assert seen(signed(), by=verifier("RS256")) == "algorithm_not_allowed"
    pss = signed(RSA, HEADER | {"alg": "PS256", "kid": "rsa"})
    only_rs256 = jwks(RSA.as_dict(private=False) | {"alg": "RS256"})
    assert seen(pss, answer=only_rs256, by=verifier("RS256", "PS256")) == "signature_wrong"


@given(st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | st.text("ab.{}[]:eyJ", max_size=30))
def test_whatever_arrives_is_refused_and_raises_nothing(token: str) -> None:
    assert seen(token) in {"not_a_jwt", "jwt_of_another_type"}


@given(st.integers(0, 2), st.integers(0), st.integers(1, 255))
def test_a_token_with_any_byte_changed_is_refused(part: int, place: int, by: int) -> None:
    parts = [bytearray(base64.urlsafe_b64decode(one + "==")) for one in signed().split(".")]
    parts[part][place % len(parts[part])] ^= by
    changed = ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)
    assert isinstance(seen(changed), str)


# --- keys -----------------------------------------------------------------------------------------------------------


def public(key: Key = EC, **members: Any) -> dict[str, Any]:
    return {name: value for name, value in (dict(key.as_dict(private=False)) | members).items() if value is not None}


@pytest.mark.parametrize(
    "answer",
    [
        jwks(),
        jwks(public(use="enc")),
        jwks(public(alg="ES384")),
        jwks(public(kid=None)),
        jwks(public(kid=1)),
        jwks(public(key_ops=["sign"])),
        jwks(public(x="AAAA")),
        jwks(dict(EC.as_dict(private=True))),
        jwks({"kty": "oct", "kid": "one", "k": "c2VjcmV0"}, "no key"),
        jwks(WEAK),
        jwks(*[public(kid=str(number)) for number in range(32)], public()),
    ],
)  # fmt: skip
def test_keys_that_are_not_for_this_are_not_used(answer: HttpAnswer) -> None:
    assert seen(signed(), answer=answer, by=verifier("ES256", "RS256")) == "key_unknown"


@pytest.mark.parametrize(
    "answer",
    [
        None, HttpAnswer(500), HttpAnswer(302, ((b"location", b"/"),)), HttpAnswer(200, (), b"<html>"),
        HttpAnswer(200, (), b"{}"), HttpAnswer(200, (), b'{"keys": {}}'), HttpAnswer(200, (), b'{"keys": [{"kid": '),
    ],
)  # fmt: skip
def test_without_keys_nobody_is_let_in(answer: HttpAnswer | None) -> None:
    found = verifier().hear(signed(), answer, NOON, NOON)
    assert isinstance(found, Refused)
    assert (found.error.status, found.reason) == (503, "keys_not_reached")


@pytest.fixture
def asks() -> Callable[[str, float], bool]:
    """Whether keys are asked for at this second after noon, when they were fetched."""
    by = verifier()
    assert isinstance(by.hear(signed(), jwks(EC), NOON, NOON), AccessToken)
    return lambda token, seconds: isinstance(by.look(token, NOON + timedelta(seconds=seconds)), HttpRequest)


UNKNOWN = signed(header=HEADER | {"kid": "unknown"})


def test_keys_are_kept_as_long_as_they_say(asks: Callable[[str, float], bool]) -> None:
    assert not asks(signed(), 599)
    assert asks(signed(), 600)


def test_an_unknown_key_is_looked_for_every_thirty_seconds_at_most(asks: Callable[[str, float], bool]) -> None:
    assert not asks(UNKNOWN, 29)
    assert asks(UNKNOWN, 30)


@pytest.mark.parametrize(("max_age", "seconds"), [(0, 30), (None, 300), (10**9, 86400)])
def test_what_the_answer_says_of_its_age_is_taken_within_bounds(max_age: int | None, seconds: int) -> None:
    by = verifier()
    by.hear(signed(exp=CLAIMS["exp"] + 10**6), jwks(EC, max_age=max_age), NOON, NOON)
    token = signed(exp=CLAIMS["exp"] + 10**6)
    assert isinstance(by.look(token, NOON + timedelta(seconds=seconds - 1)), AccessToken)
    assert isinstance(by.look(token, NOON + timedelta(seconds=seconds)), HttpRequest)


def test_a_new_key_is_found_and_a_withdrawn_one_is_gone() -> None:
    by = verifier()
    new = ECKey.generate_key("P-256", {"kid": "two"}, private=True)
    assert isinstance(by.hear(signed(), jwks(EC), NOON, NOON), AccessToken)
    later = NOON + timedelta(seconds=31)
    token = signed(new, HEADER | {"kid": "two"})
    assert isinstance(seen(token, later, jwks(new), by), AccessToken)
    assert seen(signed(), later, by=by) == "key_unknown"


def test_while_keys_cannot_be_fetched_the_fresh_ones_do_and_stale_ones_do_not() -> None:
    by = verifier()
    by.hear(signed(), jwks(EC), NOON, NOON)
    later = NOON + timedelta(seconds=31)
    failed = by.hear(UNKNOWN, None, later, later)
    assert isinstance(failed, Refused)
    assert failed.error.status == 503
    assert isinstance(by.look(signed(), later), AccessToken)
    assert seen(UNKNOWN, later + timedelta(seconds=29), by=by) == "keys_not_reached"
    assert isinstance(by.look(UNKNOWN, later + timedelta(seconds=30)), HttpRequest)
    stale = NOON + timedelta(seconds=600)
    by.hear(signed(), None, stale, stale)
    assert seen(signed(), stale + timedelta(seconds=4), by=by) == "keys_not_reached"
    assert isinstance(seen(signed(exp=CLAIMS["exp"] + 60), stale + timedelta(seconds=5), by=by), AccessToken)
