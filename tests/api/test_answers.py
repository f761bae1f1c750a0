"""What all calls share: pages, repetitions, problems."""

from __future__ import annotations

import re
from typing import Any

import pytest

from grantway.protocol.model import IdempotentAnswer
from grantway.server.api.calls import CALLS
from tests.api.conftest import REDIRECT_URI, Api
from tests.helpers import engine

ADA = {"email": "ada@example.com", "name": "Ada"}
LISTS = [call for call in CALLS if call.paged]


def walk(api: Api, target: str) -> list[Any]:
    """All pages, by following ``next``; the Link header says the same."""
    found, cursor = [], ""
    while True:
        joined = f"{target}&cursor={cursor}" if cursor else target
        reply = api.call("GET", joined)
        assert reply.status == 200, reply.text
        page = reply.json()
        found += page["data"]
        link = reply.header("link")
        if page["next"] is None:
            assert link is None
            return found
        assert link is not None
        assert f"cursor={page['next']}" in link
        assert link.endswith('>; rel="next"')
        cursor = page["next"]


# --- pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_show_everything_once_newest_first(limit: int, api: Api) -> None:
    made = []
    for number in range(7):
        made.append(api.tell("POST", "/v1/users", {"email": f"p{number}@example.com", "name": "P"}, 201)["id"])
        api.house.clock.turn(seconds=1)
    assert [one["id"] for one in walk(api, f"/v1/users?limit={limit}")] == made[::-1]


def test_a_filter_stays_through_the_pages(api: Api) -> None:
    for number in range(5):
        api.tell("POST", "/v1/users", {"email": f"a{number}@example.com", "name": "A"}, 201)
        api.tell("POST", "/v1/users", {"email": f"b{number}@example.com", "name": "B"}, 201)
    found = walk(api, "/v1/users?limit=2&email=A")
    assert sorted(one["email"] for one in found) == [f"a{number}@example.com" for number in range(5)]


@pytest.mark.parametrize("call", LISTS, ids=lambda call: call.name)
@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "limit=1&limit=2", "nonesuch=1"])
def test_a_page_that_cannot_be_is_refused(query: str, call: Any, api: Api) -> None:
    problem = api.refuse("GET", f"{call.path}?{query}")
    if query != "limit=1&limit=2":
        assert problem["errors"][0]["parameter"] == query.partition("=")[0]


def test_the_cursor_of_nothing_is_refused(api: Api) -> None:
    assert api.refuse("GET", f"/v1/users?cursor={'z' * 22}", status=422)["errors"][0]["parameter"] == "cursor"


def test_a_query_that_names_nothing_says_so(api: Api) -> None:
    for name in ("account", "client"):
        assert api.refuse("GET", f"/v1/connections?{name}=none", status=422)["errors"][0]["parameter"] == name


# --- repetitions


def test_the_same_key_and_body_get_the_same_answer_and_make_one(api: Api) -> None:
    first = api.call("POST", "/v1/users", ADA, Idempotency_Key="one")
    again = api.call("POST", "/v1/users", ADA, Idempotency_Key="one")
    assert (first.status, first.body) == (again.status, again.body) == (201, again.body)
    assert len(api.tell("GET", "/v1/users")["data"]) == 1
    assert api.house.audited().count("user_created") == 1


def test_the_order_of_members_makes_no_other_request(api: Api) -> None:
    api.tell("POST", "/v1/users", ADA, 201, Idempotency_Key="one")
    api.tell("POST", "/v1/users", dict(reversed(ADA.items())), 201, Idempotency_Key="one")


@pytest.mark.parametrize(("target", "body"), [("/v1/users", {**ADA, "name": "Eve"}), ("/v1/accounts", {"name": "Ada"})])
def test_the_same_key_for_something_else_is_refused(target: str, body: Any, api: Api) -> None:
    api.tell("POST", "/v1/users", ADA, 201, Idempotency_Key="one")
    assert api.refuse("POST", target, body, 422, Idempotency_Key="one")["type"].endswith("#idempotency_key_reused")


def test_another_operator_key_has_repetitions_of_its_own(api: Api) -> None:
    api.tell("POST", "/v1/users", ADA, 201, Idempotency_Key="one")
    problem = api.refuse("POST", "/v1/users", ADA, 409, key=api.new_key("*"), Idempotency_Key="one")
    assert problem["reason"] == "user_exists"


def test_a_secret_that_is_shown_once_is_shown_to_the_repetition_and_lies_sealed(api: Api) -> None:
    wanted = {"name": "Helpdesk", "redirect_uris": [REDIRECT_URI], "scopes": []}
    first = api.tell("POST", "/v1/clients", wanted, 201, Idempotency_Key="one")
    again = api.tell("POST", "/v1/clients", wanted, 201, Idempotency_Key="one")
    assert again["client_secret"] == first["client_secret"]
    stored = engine.records(api.house.service.storage, IdempotentAnswer)
    assert len(stored) == 1
    assert first["client_secret"].encode() not in stored[0].body_sealed
    assert first["client_secret"] not in repr(stored[0])


def test_after_a_day_the_key_may_be_used_anew(api: Api) -> None:
    api.tell("POST", "/v1/users", ADA, 201, Idempotency_Key="one")
    api.house.clock.turn(hours=24)
    api.tell("POST", "/v1/users", {"email": "eve@example.com", "name": "Eve"}, 201, Idempotency_Key="one")


def test_a_no_is_not_kept(api: Api) -> None:
    api.refuse("POST", "/v1/users", {**ADA, "email": "nobody"}, 422, Idempotency_Key="one")
    api.tell("POST", "/v1/users", ADA, 201, Idempotency_Key="one")


@pytest.mark.parametrize("key", ["a b", "a" * 256])
def test_a_key_that_is_none_is_refused(key: str, api: Api) -> None:
    api.refuse("POST", "/v1/users", ADA, Idempotency_Key=key)


# --- problems


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"email": "a@example.com"}, "#/name", "This is needed."),
        ({**ADA, "nick/na~me": 1}, "#/nick~1na~0me", "There is no such member."),
        ({**ADA, "name": 7}, "#/name", "Expected str, got int."),
        ({**ADA, "name": ""}, "#/name", "Expected str of length >= 1."),
        ({**ADA, "invite": "yes"}, "#/invite", "Expected bool, got str."),
    ],
)
def test_what_does_not_fit_is_pointed_at(body: Any, pointer: str, detail: str, api: Api) -> None:
    assert api.refuse("POST", "/v1/users", body)["errors"] == [{"pointer": pointer, "detail": detail}]


def test_a_value_that_was_sent_does_not_come_back(api: Api) -> None:
    problem = api.call("PUT", "/v1/accounts/acme/members/us_0", {"role": "zq7mark"})
    assert "zq7mark" not in problem.text
    assert problem.json()["errors"] == [
        {"pointer": "#/role", "detail": "This is none of the values that are taken here."}
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"name":"A","name":"B"}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{" + b" " * 65536 + b"}", "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(body: bytes, kind: str, status: int, api: Api) -> None:
    headers = [("Authorization", f"Bearer {api.key}"), ("Content-Type", kind)]
    reply = api.caller.request("POST", "/v1/accounts", headers, body)
    assert (reply.status, reply.header("content-type")) == (status, "application/problem+json")
    assert reply.json()["instance"] == reply.header("x-request-id")


def test_an_address_without_a_call_is_a_problem(api: Api) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert api.refuse(method, "/v1/nonesuch/x", status=404)["type"].endswith("/v1/problems#not_found")


def test_a_method_that_a_call_does_not_take_is_a_problem(api: Api) -> None:
    reply = api.call("PATCH", "/v1/users")
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD, POST")
    assert reply.header("content-type") == "application/problem+json"


def test_every_kind_of_problem_is_listed_where_its_type_points(api: Api) -> None:
    kinds = {one["code"]: one for one in api.tell("GET", "/v1/problems", key="")["data"]}
    problem = api.refuse("GET", "/v1/users", status=401, key="")
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/v1/problems#(\w+)", problem["type"])
    assert kinds["invalid_token"]["title"] == problem["title"]


def test_no_key_secret_or_address_of_a_person_is_logged(api: Api) -> None:
    api.tell("POST", "/v1/users", ADA, 201)
    api.refuse("POST", "/v1/users", ADA, 409)
    assert "ada@" not in api.log.getvalue().decode()
    assert api.key not in api.log.getvalue().decode()
