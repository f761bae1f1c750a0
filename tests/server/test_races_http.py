"""Races on the real server: two worker processes on one SQLite file, ten requests in the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

import pytest

from tests.helpers.customer import FORM, forms
from tests.helpers.integration import CHALLENGE, REDIRECT_URI, Integration
from tests.helpers.server import Platform, fetch, populate, serving

ROUNDS = 12


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("races") / "data", workers=2) as server:
        yield populate(server)


@pytest.fixture(scope="module")
def confidential(platform: Platform) -> Integration:
    return Integration.register(platform, "Helpdesk")


@pytest.fixture(scope="module")
def public(platform: Platform) -> Integration:
    return Integration.register(platform, "Phone", "--public")


def test_two_workers_serve(platform: Platform) -> None:
    assert len(platform.server.worker_pids()) == 2


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_ten_at_once_with_one_code_give_one_exchange_whose_tokens_live(
    platform: Platform, kind: str, request: pytest.FixtureRequest, confidential: Integration
) -> None:
    integration: Integration = request.getfixturevalue(kind)
    for _ in range(ROUNDS):
        code = integration.code(platform)
        answers = integration.at_once(10, partial(integration.exchange, code))
        assert sorted(status for status, _ in answers) == [200] + [400] * 9
        assert {answer["error"] for status, answer in answers if status == 400} == {"invalid_grant"}
        (winner,) = [answer for status, answer in answers if status == 200]
        if kind == "confidential":
            assert integration.introspect(winner["access_token"])["active"] is True
            assert integration.introspect(winner["refresh_token"])["active"] is True
        status, refreshed = integration.refresh(winner["refresh_token"])
        assert status == 200
        assert refreshed["refresh_token"] != winner["refresh_token"]


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_ten_at_once_with_one_refresh_token_get_the_same_successor_which_works(
    platform: Platform, kind: str, request: pytest.FixtureRequest
) -> None:
    integration: Integration = request.getfixturevalue(kind)
    token = integration.exchange(integration.code(platform))[1]["refresh_token"]
    seen = {token}
    for _ in range(ROUNDS):
        answers = integration.at_once(10, partial(integration.refresh, token))
        assert [status for status, _ in answers] == [200] * 10
        successors = {answer["refresh_token"] for _, answer in answers}
        assert len(successors) == 1
        assert len({answer["access_token"] for _, answer in answers}) == 10, "access tokens are each their own"
        (token,) = successors
        assert token not in seen
        seen.add(token)
    assert integration.refresh(token)[0] == 200


def test_ten_at_once_saying_allow_give_one_code(platform: Platform, confidential: Integration) -> None:
    customer = platform.new_browser()
    customer.sign_in()
    asked = {
        "response_type": "code", "client_id": confidential.client_id, "redirect_uri": REDIRECT_URI,
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "prompt": "consent",
    }  # fmt: skip
    page = customer.go("GET", f"/authorize?{urlencode(asked)}").header("location") or ""
    form = forms(customer.go("GET", page).text)[0]
    body = urlencode(form.fields | {"decision": "allow"}).encode()
    headers = [("Cookie", customer.cookie_header), ("Content-Type", FORM)]
    replies = confidential.at_once(10, lambda _: fetch("POST", platform.base_url + form.action, headers, body))
    sent_back = [reply for reply in replies if (reply.header("location") or "").startswith(REDIRECT_URI)]
    assert len(sent_back) == 10, "browsers show the answer to the last click: it is the first one's"
    assert len({reply.header("location") for reply in sent_back}) == 1
