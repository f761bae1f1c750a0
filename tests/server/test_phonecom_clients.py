"""The clients of an account over HTTP (vendors.md §2.5). What is allowed is told in ``tests/protocol``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.phonecom import SCOPES, VOIP_ID, Switchboard, bearer, switchboard

CLIENTS = f"/v4/accounts/{VOIP_ID}/oauth/clients"


@pytest.fixture
def there() -> Iterator[Switchboard]:
    with switchboard() as one:
        yield one


def token(there: Switchboard, scope: str = "account-owner") -> dict[str, str]:
    """A token of the account's own client."""
    asking = {"grant_type": "client_credentials", "scope": scope, **there.proof(there.trusted)}
    return bearer(there.post(asking).json()["access_token"])


def add(there: Switchboard, path: str, uri: str, headers: dict[str, str]) -> Reply:
    sent = [("Content-Type", "application/json"), *headers.items()]
    return there.caller.request("POST", path, sent, b'{"redirect_uri":"%s"}' % uri.encode())


def test_an_accounts_clients_are_listed_by_numbers_a_page_at_a_time(there: Switchboard) -> None:
    there.house.client("Second", profile="phonecom", scopes=SCOPES, account_id=there.account.id)
    headers = token(there)
    reply = there.get(CLIENTS, **headers)
    assert (reply.status, reply.header("content-type")) == (200, "application/json")
    listed: dict[str, Any] = reply.json()
    assert {name: value for name, value in listed.items() if name != "items"} == {
        "filters": {}, "sort": {}, "total": 2, "offset": 0, "limit": 25,
    }  # fmt: skip
    assert sorted(one["client_name"] for one in listed["items"]) == ["Importer", "Second"]
    assert all(type(one["id"]) is int for one in listed["items"])
    second = there.get(f"{CLIENTS}?offset=1&limit=1", **headers).json()
    assert second["items"] == listed["items"][1:]
    assert there.get(f"{CLIENTS}/{listed['items'][0]['id']}", **headers).json() == listed["items"][0]


def test_a_redirect_uri_is_added_shown_and_removed(there: Switchboard) -> None:
    headers = token(there)
    (client,) = there.get(CLIENTS, **headers).json()["items"]
    path = f"{CLIENTS}/{client['id']}/redirect-uris"
    made = add(there, path, "https://app.example/new", headers)
    assert made.status == 201
    entry = made.json()
    assert entry["client"] == client
    assert entry["redirect_uri"] == {"id": entry["id"], "uri": "https://app.example/new", "type": "redirect"}
    assert there.get(f"{path}/{entry['id']}", **headers).json() == entry
    assert entry in there.get(path, **headers).json()["items"]
    assert there.delete(f"{path}/{entry['id']}", **headers).json() == {"success": True}
    assert there.get(f"{path}/{entry['id']}", **headers).status == 404
    assert add(there, path, "http://app.example/plain", headers).status == 422


def test_a_client_is_ended_and_its_tokens_with_it(there: Switchboard) -> None:
    headers = token(there)
    (client,) = there.get(CLIENTS, **headers).json()["items"]
    reply = there.delete(f"{CLIENTS}/{client['id']}", **headers)
    assert (reply.status, reply.json()) == (200, {"success": True})
    assert there.get(CLIENTS, **headers).status == 401


@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/v4/accounts/1/oauth/clients", "account-owner", 404),
        ("/v4/accounts/x/oauth/clients", "account-owner", 404),
        (f"{CLIENTS}/1", "account-owner", 404),
        (f"{CLIENTS}/x", "account-owner", 404),
        (f"{CLIENTS}/1/redirect-uris/1", "account-owner", 404),
        (f"{CLIENTS}?limit=1000", "account-owner", 422),
        (CLIENTS, "extension-user", 403),
    ],
)
def test_what_is_refused(there: Switchboard, path: str, scope: str, status: int) -> None:
    reply = there.get(path, **token(there, scope))
    assert reply.status == status
    assert reply.header("content-type") == "application/vnd.mason+json"
    assert there.get(path).status == (status if status == 422 or path.endswith("/x") else 401)
    assert reply.header("access-control-allow-origin") is None
