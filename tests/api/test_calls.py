"""What calls do, told where a table of calls does not tell it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration import account_changes
from grantway.protocol.administration.accounts import NewAccount
from grantway.protocol.administration.aftermath import AT_A_TIME, remove_connections
from grantway.protocol.administration.client_changes import ClientChange, update_client
from grantway.protocol.administration.client_life import end_client
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.decision import Add, Decision, RemoveConnection
from grantway.protocol.hand_off import Goal, send_to_platform
from grantway.protocol.model import Connection, Notice, Session
from tests.api.conftest import REDIRECT_URI, Api, Furnished
from tests.helpers import engine
from tests.helpers.stage import Stage

SECRETS = ("digest", "sealed", "gws_", "gwo_", "gwa_", "whsec_", "password_hash", "private")


@pytest.fixture
def furnished(api: Api) -> Furnished:
    return api.furnish()


# --- people and accounts


def test_a_disabled_user_is_signed_out_and_may_be_enabled_again(furnished: Furnished) -> None:
    api, user = furnished.api, furnished.ids["user"]
    assert api.tell("POST", f"/v1/users/{user}/disable", {})["disabled_at"] is not None
    assert api.tell("POST", f"/v1/users/{user}/enable")["disabled_at"] is None


def test_an_erased_user_has_no_name_or_address_any_more_and_stays_out(furnished: Furnished) -> None:
    api, user = furnished.api, furnished.ids["user"]
    refused = api.tell("POST", f"/v1/users/{user}/erase", {}, 409)
    assert refused["reason"] == "last_owner"
    erased = api.tell("POST", f"/v1/users/{user}/erase", {"force": True})
    assert (erased["id"], erased["email"], erased["has_password"]) == (user, None, False)
    assert erased["name"].startswith("erased-")
    assert erased["erased_at"] == erased["disabled_at"] is not None
    assert api.tell("POST", f"/v1/users/{user}/enable", {}, 409)["reason"] == "user_erased"


def test_signing_out_ends_every_session(furnished: Furnished) -> None:
    api, user = furnished.api, furnished.ids["user"]
    api.tell("DELETE", f"/v1/users/{user}/sessions", status=204)
    assert engine.records(api.house.service.storage, Session) == []
    assert "user_signed_out" in api.house.audited()


def test_putting_an_account_twice_makes_one(api: Api) -> None:
    first = api.tell("PUT", "/v1/accounts/acme", {"name": "Acme", "subdomain": "acme"})
    again = api.tell("PUT", "/v1/accounts/acme", {"name": "Acme", "subdomain": "acme"})
    changed = api.tell("PUT", "/v1/accounts/acme", {"name": "Acme & Co"})
    assert again == first
    assert (changed["id"], changed["subdomain"]) == (first["id"], None)
    assert changed["external_ids"] == first["external_ids"]
    assert api.house.audited().count("account_changed") == 1


def test_what_a_change_leaves_out_stays_and_null_takes_it_away(api: Api) -> None:
    api.tell("PUT", "/v1/accounts/acme", {"name": "Acme", "display_name": "ACME", "metadata": {"tier": "gold"}})
    changed = api.tell("PATCH", "/v1/accounts/acme", {"display_name": None})
    assert (changed["name"], changed["display_name"], changed["metadata"]) == ("Acme", None, {"tier": "gold"})


def test_an_external_id_of_another_account_is_refused(api: Api) -> None:
    taken = api.tell("PUT", "/v1/accounts/acme", {"name": "Acme"})["external_ids"]["sunshine"]
    wanted = {"name": "Beta", "external_ids": {"sunshine": taken}}
    assert api.refuse("PUT", "/v1/accounts/beta", wanted, 409)["reason"] == "external_id_taken"
    api.tell("PUT", "/v1/accounts/beta", {"name": "Beta"})
    change = {"external_ids": {"sunshine": taken}}
    assert api.refuse("PATCH", "/v1/accounts/beta", change, 409)["reason"] == "external_id_taken"


def test_a_member_has_an_id_of_their_own_in_the_account_that_is_given_or_drawn(furnished: Furnished) -> None:
    api, one = furnished.api, f"/v1/accounts/acme/members/{furnished.ids['user']}"
    (drawn,) = api.tell("GET", "/v1/accounts/acme/members")["data"]
    assert int(drawn["external_ids"]["phonecom"]) > 0
    wanted = {"role": "owner", "external_ids": {"phonecom": "1767963"}}
    assert api.tell("PUT", one, wanted)["external_ids"] == {"phonecom": "1767963"}
    assert api.tell("PUT", one, {"role": "owner"})["external_ids"] == {"phonecom": "1767963"}
    api.refuse("PUT", one, {"role": "owner", "external_ids": {"phonecom": "seven"}}, 422)
    other = api.tell("POST", "/v1/users", {"email": "grace@example.com", "name": "Grace"}, 201)["id"]
    taken = api.refuse("PUT", f"/v1/accounts/acme/members/{other}", wanted, 409)
    assert taken["reason"] == "member_id_taken"


def test_the_platform_says_at_a_sign_in_by_which_id_somebody_is_known_in_an_account(api: Api) -> None:
    account = {"id": "acme", "name": "Acme", "role": "owner", "member_ids": {"phonecom": "1767963"}}
    _signed_in(api, accounts=[account])
    (member,) = api.tell("GET", "/v1/accounts/acme/members")["data"]
    assert member["external_ids"] == {"phonecom": "1767963"}


def test_a_removed_account_is_still_shown_and_its_id_not_used_again(furnished: Furnished) -> None:
    api, connection = furnished.api, furnished.ids["connection"]
    assert api.tell("DELETE", "/v1/accounts/acme")["removed_at"] is not None
    assert api.tell("GET", "/v1/accounts/acme")["removed_at"] is not None
    assert api.tell("GET", f"/v1/connections/{connection}")["state"] == "removed"
    assert api.refuse("PUT", "/v1/accounts/acme", {"name": "Acme"}, 409)["reason"] == "account_removed"
    api.refuse("POST", "/v1/accounts/acme/resume", status=404)


def test_a_suspended_accounts_tokens_come_back_as_they_were() -> None:
    stage = Stage()
    tokens = stage.connect(stage.integration())
    _on_acme(stage, account_changes.suspend_account)
    assert not stage.is_active(tokens.access)
    _on_acme(stage, account_changes.resume_account)
    assert stage.is_active(tokens.access)


def test_the_integration_hears_of_every_connection_of_a_removed_account() -> None:
    stage = Stage()
    for name in ("One", "Two"):
        stage.connect(stage.integration(name, remove_url="https://integrator.example/gone"))
    _on_acme(stage, account_changes.remove_account, "operator")
    assert [one.kind for one in stage.all(Notice)].count("remove_url") == 2


def test_the_audit_says_which_client_an_entry_is_about(furnished: Furnished) -> None:
    entries = furnished.api.tell("GET", "/v1/audit?action=connection_removed")["data"]
    assert [one["client_id"] for one in entries] == ["gone"]


def test_an_account_dies_in_one_row_and_its_connections_go_a_hundred_in_a_commit_each_told_once() -> None:
    stage = Stage()
    tokens = stage.connect(stage.integration())
    by = [stage.integration(f"No {n}", remove_url="https://integrator.example/gone") for n in range(AT_A_TIME + 5)]
    for n, one in enumerate(by):
        row_id = (1000 + n).to_bytes(16, "big")
        stage.make_true(Add(Connection(row_id, one.client.id, stage.acme.id, f"{n:024x}", (), stage.clock())))
    removed = _on_acme(stage, account_changes.remove_account, "operator_key:ok_1")
    assert not stage.is_active(tokens.access)
    assert sum(isinstance(change, RemoveConnection) for change in removed.changes) == AT_A_TIME
    stage.decide(end_client, by[0].client.client_id)  # left by its account, and by its client as well
    batches = [stage.decide(remove_connections, 4).answer for _ in range(3)]
    assert batches == [4, 2, 0]
    assert [one.kind for one in stage.all(Notice)].count("remove_url") == len(by)
    told = [one for one in stage.audited() if one.action == "connection_removed"]
    assert len({one.connection_id for one in told}) == len(told) == len(by) + 1
    assert {one.actor for one in told if one.reason == "operator"} == {"operator_key:ok_1"}


def test_an_id_of_your_own_that_is_none_is_refused(api: Api) -> None:
    made: Any = api.house.decide(account_changes.put_account, "ac_me", NewAccount("Acme")).answer
    assert made.reason == "account_malformed"


def test_the_last_owner_stays(furnished: Furnished) -> None:
    target = f"/v1/accounts/acme/members/{furnished.ids['user']}"
    assert furnished.api.refuse("DELETE", target, status=409)["reason"] == "last_owner"
    assert furnished.api.refuse("PUT", target, {"role": "member"}, 409)["reason"] == "last_owner"


def test_who_came_by_hand_off_gets_no_membership_by_a_call(api: Api) -> None:
    api.tell("PUT", "/v1/accounts/acme", {"name": "Acme"})
    user = _signed_in(api)["user_id"]
    problem = api.refuse("PUT", f"/v1/accounts/acme/members/{user}", {"role": "owner"}, 409)
    assert problem["reason"] == "user_of_platform"


def test_a_sign_in_is_completed_once(api: Api) -> None:
    answer = _signed_in(api)
    assert answer["return_to"].startswith("http://127.0.0.1:8080/sign-in/return?request=")
    assert api.tell("GET", f"/v1/users/{answer['user_id']}")["external_id"] == "u1"


# --- clients and connections


def test_a_clients_life(furnished: Furnished) -> None:
    api, one = furnished.api, "/v1/clients/helpdesk"
    changed = api.tell("PATCH", one, {"name": "Help", "remove_url": None, "version": 1})
    assert (changed["name"], changed["remove_url"], changed["version"]) == ("Help", None, 2)
    assert api.refuse("PATCH", one, {"name": "Again", "version": 1}, 409)["reason"] == "client_changed"
    rotated = api.tell("POST", f"{one}/secrets", {"expire_old_in": 60}, 201)
    assert rotated["client_secret"].startswith("gws_")
    assert api.tell("POST", f"{one}/disable")["disabled_at"] is not None
    assert api.tell("POST", f"{one}/enable")["disabled_at"] is None
    assert api.refuse("POST", f"{one}/approve", status=409)["reason"] == "client_approved"
    assert api.tell("DELETE", one)["ended_at"] is not None
    assert api.tell("GET", one)["ended_at"] is not None
    api.refuse("PATCH", one, {"name": "Late"}, 404)


def test_a_draft_is_approved_as_it_was_looked_at(api: Api) -> None:
    eve = api.house.user("eve@example.com", "Eve")
    draft = NewClient("Shoplifter", redirect_uris=(REDIRECT_URI,), scopes=())
    client_id = api.house.decide(create_client, draft, developer=eve).answer.client.client_id  # type: ignore[union-attr]
    one = f"/v1/clients/{client_id}"
    looked_at = api.tell("GET", one)["version"]
    api.house.decide(update_client, client_id, ClientChange(name="Northwind"), developer=eve)
    assert api.refuse("POST", f"{one}/approve", {"version": looked_at}, 409)["reason"] == "client_changed"
    unseen = {"version": looked_at, "word": "Why?"}
    assert api.refuse("POST", f"{one}/send-back", unseen, 409)["reason"] == "client_changed"
    assert api.tell("POST", f"{one}/approve", {"version": looked_at + 1})["approved_at"] is not None


@pytest.mark.parametrize("url", ["http://client.example/gone", "https://10.0.0.1/gone", "https://169.254.169.254/"])
def test_an_address_that_may_not_be_called_is_refused_where_it_is_registered(url: str, furnished: Furnished) -> None:
    api = furnished.api
    wanted = {"name": "New", "redirect_uris": [REDIRECT_URI], "scopes": [], "remove_url": url}
    resource = {"kind": "subscription", "reference": "sub_2", "url": url}
    connection = furnished.ids["connection"]
    for method, target, body, pointer in (
        ("POST", "/v1/clients", wanted, "#/remove_url"),
        ("PATCH", "/v1/clients/helpdesk", {"remove_url": url}, "#/remove_url"),
        ("POST", f"/v1/connections/{connection}/resources", resource, "#/url"),
    ):
        assert api.refuse(method, target, body, 422)["errors"][0]["pointer"] == pointer


def test_a_connection_is_suspended_resumed_and_removed_with_what_lives_by_it(furnished: Furnished) -> None:
    api, one = furnished.api, f"/v1/connections/{furnished.ids['connection']}"
    suspended = api.tell("POST", f"{one}/suspend")
    assert [each["reason"] for each in api.tell("GET", one)["suspensions"]] == ["operator"]
    assert suspended["id"] == furnished.ids["connection"]
    assert api.tell("POST", f"{one}/resume")["suspensions"] == []
    removed = api.tell("DELETE", one)
    assert (removed["state"], removed["removed_reason"]) == ("removed", "operator")
    assert removed == api.tell("GET", one)
    cancelled = api.tell("GET", f"{one}/resources/{furnished.ids['resource']}")
    assert cancelled["cancelled_at"] is not None
    api.refuse("DELETE", one, status=404)


def test_a_connection_is_found_by_its_integration_id_too(furnished: Furnished) -> None:
    by_id = furnished.api.tell("GET", f"/v1/connections/{furnished.ids['connection']}")
    assert furnished.api.tell("GET", f"/v1/connections/{by_id['integration_id']}") == by_id


@pytest.mark.parametrize(("state", "count"), [("live", 2), ("suspended", 0), ("removed", 1), ("all", 3)])
def test_connections_are_listed_by_state(state: str, count: int, furnished: Furnished) -> None:
    target = f"/v1/connections?account=acme&state={state}"
    assert len(furnished.api.tell("GET", target)["data"]) == count


def test_a_resource_of_another_connection_is_not_there(furnished: Furnished) -> None:
    api, ids = furnished.api, furnished.ids
    gone = api.tell("GET", "/v1/connections?state=removed")["data"][0]["id"]
    api.refuse("GET", f"/v1/connections/{gone}/resources/{ids['resource']}", status=404)
    api.refuse("DELETE", f"/v1/connections/{gone}/resources/{ids['resource']}", status=404)
    assert len(api.tell("GET", f"/v1/connections/{ids['connection']}/resources")["data"]) == 1


def test_an_event_says_to_how_many_it_goes_and_its_id_makes_it_one(furnished: Furnished) -> None:
    event = {"account": "acme", "type": "order.paid", "payload": {"order": 7}, "id": "order-7-paid"}
    first = furnished.api.tell("POST", "/v1/events", event, 202)
    assert first["to"] == 0
    assert furnished.api.tell("POST", "/v1/events", event, 202) == first
    problem = furnished.api.refuse("POST", "/v1/events", {**event, "account": "none"}, 422)
    assert problem["errors"][0]["pointer"] == "#/account"


def test_a_delivery_that_waits_is_on_its_way_already(furnished: Furnished) -> None:
    api, one = furnished.api, f"/v1/deliveries/{furnished.ids['delivery']}"
    told = api.tell("GET", one)
    assert (told["delivery"]["state"], told["attempts"]) == ("waiting", [])
    assert api.tell("POST", f"{one}/replay") == told["delivery"]


# --- the house


def test_signing_keys_rotate_once_at_a_time(api: Api) -> None:
    assert api.tell("POST", "/v1/signing-keys", {}, 201)["state"] == "signing"
    assert api.tell("POST", "/v1/signing-keys", {}, 201)["state"] == "waiting"
    assert api.refuse("POST", "/v1/signing-keys", {}, 409)["reason"] == "rotation_under_way"
    assert len(api.tell("GET", "/v1/signing-keys")["data"]) == 2


def test_a_scope_in_use_stays_in_the_catalogue(furnished: Furnished) -> None:
    api = furnished.api
    assert api.refuse("DELETE", "/v1/scopes/orders", status=409)["reason"] == "scope_in_use"
    api.tell("PUT", "/v1/scopes/unused", {"sentences": {"en": "Nothing"}})
    api.tell("DELETE", "/v1/scopes/unused", status=204)
    api.refuse("DELETE", "/v1/scopes/unused", status=404)


def test_counts_are_told_for_a_year_at_most(api: Api) -> None:
    since = (api.house.clock() - timedelta(days=367)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert api.refuse("GET", f"/v1/counts?since={since}", status=422)["reason"] == "since_too_early"
    assert api.tell("GET", f"/v1/counts?since={since.replace('2025', '2026')}")["data"] == []


def test_no_listing_holds_a_secret(furnished: Furnished) -> None:
    for target in (
        "users", "accounts", "clients", "scopes", "connections", "deliveries", "audit", "signing-keys", "operator-keys",
        "accounts/acme/members", f"connections/{furnished.ids['connection']}/resources",
        "clients/till/tokens",
    ):  # fmt: skip
        text = furnished.api.call("GET", f"/v1/{target}").text
        assert '"data":[{' in text or target == "signing-keys"
        assert [word for word in SECRETS if word in text] == []


def _signed_in(api: Api, **more: Any) -> Any:
    """Somebody leaves for the platform's sign-in, and the platform says who they are: once."""
    leaving = ("browser", "https://platform.example/in", Goal("/connections"))
    sent: Any = api.house.decide(send_to_platform, *leaving).answer
    request_id = sent.url.partition("request=")[2].partition("&")[0]
    said = {"id": "u1", "name": "Una", "auth_time": api.house.clock().isoformat(), **more}
    answer = api.tell("POST", f"/v1/sign-ins/{request_id}", said)
    api.refuse("POST", f"/v1/sign-ins/{request_id}", said, 404)
    return answer


def _on_acme(stage: Stage, rule: Any, *more: Any) -> Decision[Any]:
    """The rule about Acme as it is now."""

    async def decided(facts: Any, at: Any) -> Any:
        return await rule(facts, at, await facts.account(stage.acme.id), *more)

    return stage.decide(decided)
