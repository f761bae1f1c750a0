"""Clients that came from another server: their secret is verified once, slowly, and is like any other from then on."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from grantway.protocol.administration.client_secrets import end_secret, name_of, rotate_secret
from grantway.protocol.decision import Refusal
from grantway.protocol.digests import digest
from grantway.protocol.issuing import Issued
from grantway.protocol.model import Client, ClientSecret
from grantway.protocol.throttle import (
    FAILURES_PER_ADDRESS,
    FIRST_DELAY,
    FREE_FAILURES,
    buckets_of,
    buckets_of_client,
)
from grantway.protocol.token import token
from grantway.server import secret_verifier
from grantway.server.app import build_app
from grantway.server.client_authentication import decided
from grantway.server.slow_work import AT_A_TIME, LONGEST_QUEUE
from grantway.wire.http import HttpRequest
from grantway.wire.messages import ClientCredentials, TokenRequest
from tests.helpers.asgi import Caller, Reply
from tests.helpers.customer import FORM
from tests.helpers.foreign_hashes import ALL, django_argon2, hydra_bcrypt, hydra_pbkdf2
from tests.helpers.stage import Integration, Stage

SECRET = "the-secret-that-it-has-already"
HASH = hydra_pbkdf2(SECRET)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def came_from_elsewhere(stage: Stage, *hashes: str, by: Integration | None = None) -> Integration:
    """A client of whose secrets only these hashes are known."""
    by = by or stage.integration()
    secrets = tuple(ClientSecret(b"", stage.clock(), foreign_hash=one) for one in hashes or (HASH,))
    return Integration(stage.amend(by.client, secrets=secrets), SECRET)


async def ask(stage: Stage, by: Integration, secret: str | None = None, peer: str = "192.0.2.7") -> Any:
    """The decision about a token for the client itself."""
    shown = ClientCredentials(by.client.client_id, SECRET if secret is None else secret, "client_secret_basic")
    request = TokenRequest("client_credentials", shown)
    service = stage.house.service
    return await decided(service, HttpRequest("POST", "/token", peer=peer), service.consult, token, request, "standard")


def asked(stage: Stage, by: Integration, secret: str | None = None, **more: Any) -> Any:
    return asyncio.run(ask(stage, by, secret, **more))


def secrets_of(stage: Stage, by: Integration) -> tuple[ClientSecret, ...]:
    return stage.stored(Client, by.client.id).secrets


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The secrets that were verified slowly, in order."""
    seen: list[str] = []

    def watched(secret: str, known: str) -> bool:
        seen.append(secret)
        return fits(secret, known)

    fits = secret_verifier.fits
    monkeypatch.setattr(secret_verifier, "fits", watched)
    return seen


@pytest.mark.parametrize("name", ALL)
def test_a_secret_of_every_kind_is_verified_once_and_then_ours(stage: Stage, name: str, verified: list[str]) -> None:
    by = came_from_elsewhere(stage, ALL[name](SECRET))
    before = secrets_of(stage, by)[0]
    assert isinstance(asked(stage, by).answer, Issued)
    assert secrets_of(stage, by) == (replace(before, digest=digest(SECRET), foreign_hash=None),)
    for _ in range(3):
        assert asked(stage, by).reason == "issued_to_client"
    assert verified == [SECRET]
    entry = stage.audited()[-1]
    assert (entry.action, entry.client_id) == ("client_secret_upgraded", by.client.id)
    assert entry.actor == f"client:{by.client.client_id}"


def test_a_wrong_secret_is_the_same_invalid_client_as_ever_and_changes_nothing(stage: Stage) -> None:
    by, other = came_from_elsewhere(stage), stage.integration()
    for wrong in ("wrong", "", HASH, SECRET + "x", digest(SECRET).hex()):
        decision = asked(stage, by, wrong)
        assert decision.answer.error == asked(stage, other, wrong).answer.error
        assert decision.reason == "client_secret_wrong"
    assert secrets_of(stage, by)[0].foreign_hash == HASH
    assert asked(stage, by).reason == "issued_to_client"


def test_without_what_verifies_it_a_rule_never_takes_the_secret(stage: Stage) -> None:
    by = came_from_elsewhere(stage)
    refusal = stage.client_credentials(by).answer
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.to_verify) == ("client_secret_wrong", (HASH,))
    assert HASH not in repr(refusal)


@pytest.mark.parametrize("out", ["disabled_at", "ended_at"])
def test_nothing_slow_is_done_for_a_client_that_is_out(stage: Stage, out: str, verified: list[str]) -> None:
    by = came_from_elsewhere(stage)
    stage.amend(by.client, **{out: stage.clock()})
    assert asked(stage, by).reason == "client_secret_wrong"
    assert verified == []


def test_nor_for_what_cannot_be_its_secret(stage: Stage, verified: list[str]) -> None:
    by, own, public = came_from_elsewhere(stage), stage.integration(), stage.integration(public=True)
    assert asked(stage, by, "x" * 513).reason == "client_secret_wrong"
    assert asked(stage, own, "wrong").reason == "client_secret_wrong"
    assert asked(stage, public, "any").reason == "client_secret_of_a_public_client"
    stage.amend(by.client, secrets=(ClientSecret(b"", stage.clock(), stage.clock(), HASH),))
    assert asked(stage, by).reason == "client_secret_wrong"
    assert verified == []


def test_of_two_secrets_each_is_verified_and_kept_by_itself(stage: Stage) -> None:
    older, newer = "the-older-secret-of-it", "the-newer-secret-of-it"
    by = came_from_elsewhere(stage, hydra_bcrypt(older), django_argon2(newer))
    assert asked(stage, by, newer).reason == "issued_to_client"
    assert [one.foreign_hash is None for one in secrets_of(stage, by)] == [False, True]
    assert asked(stage, by, older).reason == "issued_to_client"
    assert [one.digest for one in secrets_of(stage, by)] == [digest(older), digest(newer)]


def test_a_short_secret_works_and_keeps_its_slow_hash(stage: Stage, verified: list[str]) -> None:
    by = came_from_elsewhere(stage, hydra_pbkdf2("hunter2"))
    for _ in range(2):
        assert asked(stage, by, "hunter2").reason == "issued_to_client"
    assert secrets_of(stage, by)[0].foreign_hash is not None
    assert verified == ["hunter2", "hunter2"]


def test_a_secret_that_was_rotated_away_in_the_meantime_proves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = came_from_elsewhere(stage)

    def rotated(secret: str, known: str) -> bool:
        stage.decide(rotate_secret, by.client.client_id, compromised=True)
        return True

    monkeypatch.setattr(secret_verifier, "fits", rotated)
    assert asked(stage, by).reason == "client_secret_wrong"
    assert [one.foreign_hash for one in secrets_of(stage, by)] == [None]


def test_a_rotation_leaves_the_older_secret_its_time(stage: Stage) -> None:
    by = came_from_elsewhere(stage)
    rotated: Any = stage.decide(rotate_secret, by.client.client_id).answer
    for secret in (SECRET, rotated.client_secret):
        assert asked(stage, by, secret).reason == "issued_to_client"
    stage.wait(days=8)
    assert asked(stage, by).reason == "client_secret_wrong"
    assert asked(stage, by, rotated.client_secret).reason == "issued_to_client"


def test_it_has_a_name_like_any_other_and_is_ended_by_it(stage: Stage) -> None:
    by = came_from_elsewhere(stage, HASH, hydra_bcrypt("another-secret-of-it"))
    first, second = (name_of(one) for one in secrets_of(stage, by))
    assert first != second
    assert len(first) == len(second) == 8
    stage.decide(end_secret, by.client.client_id, first)
    assert asked(stage, by).reason == "client_secret_wrong"
    assert asked(stage, by, "another-secret-of-it").reason == "issued_to_client"


def test_wrong_secrets_cost_nobody_at_the_same_address_their_sign_in() -> None:
    for person, client in zip(
        (buckets_of("same", "192.0.2.7"), buckets_of("same", "")),
        (buckets_of_client("same", "192.0.2.7"), buckets_of_client("same", "")),
        strict=True,
    ):
        assert len({person.person, person.address, client.person, client.address}) == 4


# Many at once


def test_ten_first_uses_at_once_are_all_answered_and_one_of_them_changes_the_record(
    stage: Stage, verified: list[str]
) -> None:
    by = came_from_elsewhere(stage)

    async def crowd() -> list[Any]:
        return await asyncio.gather(*(ask(stage, by) for _ in range(10)))

    assert {one.reason for one in asyncio.run(crowd())} == {"issued_to_client"}
    assert [entry.action for entry in stage.audited()].count("client_secret_upgraded") == 1
    assert stage.stored(Client, by.client.id).version == by.client.version + 1
    assert verified == [SECRET]


def test_beyond_the_queue_the_answer_is_busy_and_nothing_counts(stage: Stage) -> None:
    many = [came_from_elsewhere(stage, by=stage.integration(f"No. {n}")) for n in range(AT_A_TIME + LONGEST_QUEUE + 3)]

    async def crowd() -> list[Any]:
        return await asyncio.gather(*(ask(stage, by, f"{SECRET}{n}") for n, by in enumerate(many)))

    busy = [one.answer for one in asyncio.run(crowd()) if one.reason == "client_secrets_busy"]
    assert [(one.error.status, one.retry_after) for one in busy] == [(503, 1)] * 3


# Guessing


def test_guessing_one_clients_secret_gets_slow(stage: Stage) -> None:
    by = came_from_elsewhere(stage)
    for number in range(FREE_FAILURES):
        asked(stage, by, f"wrong {number}")
    began = perf_counter()
    asked(stage, by, "wrong")
    assert perf_counter() - began >= FIRST_DELAY


def test_an_address_that_guesses_is_told_later_and_only_there(stage: Stage, verified: list[str]) -> None:
    clients = [came_from_elsewhere(stage, by=stage.integration(f"No. {n}")) for n in range(FAILURES_PER_ADDRESS)]
    for by in clients:
        assert asked(stage, by, "wrong").reason == "client_secret_wrong"
    looked_at = len(verified)
    limited = asked(stage, clients[0])
    assert (limited.answer.error.status, limited.reason) == (429, "client_address_limited")
    assert limited.answer.retry_after == 900
    assert len(verified) == looked_at
    assert asked(stage, clients[1], peer="198.51.100.4").reason == "issued_to_client"
    assert asked(stage, clients[1]).reason == "issued_to_client"  # it is ours now, and never counted
    stage.wait(minutes=15)
    assert asked(stage, clients[0]).reason == "issued_to_client"


# Over HTTP


def basic(by: Integration) -> tuple[str, str]:
    pair = f"{by.client.client_id}:{SECRET}".encode()
    return "Authorization", "Basic " + base64.b64encode(pair).decode()


def form(target: str, **fields: str) -> Callable[[Caller, Integration], Reply]:
    def post(caller: Caller, by: Integration) -> Reply:
        body = urlencode(fields | {"client_id": by.client.client_id, "client_secret": SECRET}).encode()
        return caller.request("POST", target, [("Content-Type", FORM)], body)

    return post


def square(target: str, **members: str) -> Callable[[Caller, Integration], Reply]:
    def post(caller: Caller, by: Integration) -> Reply:
        headers = [("Content-Type", "application/json"), ("Authorization", f"Client {SECRET}")]
        body = orjson.dumps(members | {"client_id": by.client.client_id})
        return caller.request("POST", target.format(client_id=by.client.client_id), headers, body)

    return post


ENDPOINTS: dict[str, tuple[str, Callable[[Caller, Integration], Reply]]] = {
    "token": ("integration", form("/token", grant_type="client_credentials")),
    "a code": ("integration", form("/token", grant_type="authorization_code", code="gwc_x", redirect_uri="x")),
    "introspect": ("integration", form("/introspect", token="gwa_x")),
    "revoke": ("integration", form("/revoke", token="gwa_x")),
    "Sunshine": ("sunshine", form("/oauth/token", grant_type="authorization_code", code="gwc_x")),
    "Square": ("square", square("/oauth2/token", grant_type="authorization_code", code="gwc_x", client_secret=SECRET)),
    "Square renews": ("square", square("/oauth2/clients/{client_id}/access-token/renew", access_token="gwa_x")),
    "Square revokes": ("square", square("/oauth2/revoke", access_token="gwa_x")),
    "Phone.com": ("phonecom", form("/v4/oauth/access-token", grant_type="authorization_code", code="gwc_x")),
    "a password": ("password", form("/v4/oauth/access-token", grant_type="password", username="a@b", password="x")),
}


def an_integration(stage: Stage, kind: str) -> Integration:
    if kind == "password":
        return stage.phonecom(policy={"grant_types": "authorization_code refresh_token password"})
    made: Integration = getattr(stage, kind)()
    return made


@pytest.mark.parametrize("name", ENDPOINTS)
def test_wherever_clients_authenticate_the_secret_is_verified(name: str) -> None:
    log = BytesIO()
    stage = Stage()
    service = replace(stage.house.service, log_stream=log)
    kind, post = ENDPOINTS[name]
    by = came_from_elsewhere(stage, by=an_integration(stage, kind))
    wrong = came_from_elsewhere(stage, hydra_pbkdf2("another"), by=an_integration(stage, kind))
    caller = Caller(build_app(service))
    try:
        refused, taken = post(caller, wrong), post(caller, by)
    finally:
        caller.close()
    assert secrets_of(stage, by)[0].digest == digest(SECRET), taken.text
    assert secrets_of(stage, wrong)[0].foreign_hash is not None
    reasons = [orjson.loads(line)["reason"] for line in log.getvalue().splitlines()]
    assert reasons[0] == "client_secret_wrong", refused.text
    assert reasons[1] != "client_secret_wrong", taken.text
    assert SECRET.encode() not in log.getvalue()


def test_a_limited_address_is_told_when_to_come_back(stage: Stage) -> None:
    by = came_from_elsewhere(stage)
    caller = Caller(build_app(stage.house.service))
    try:
        for number in range(FAILURES_PER_ADDRESS):
            other = came_from_elsewhere(stage, hydra_pbkdf2("another"), by=stage.integration(f"No. {number}"))
            assert ENDPOINTS["token"][1](caller, other).status == 401
        reply = ENDPOINTS["token"][1](caller, by)
        header = caller.request("POST", "/introspect", [("Content-Type", FORM), basic(by)], b"token=gwa_x")
    finally:
        caller.close()
    assert [(one.status, one.header("retry-after")) for one in (reply, header)] == [(429, "900")] * 2
    assert reply.json()["error"] == "too_many_requests"
