"""The life of a connection from the command line: suspended and back, what lives by it, what was told, the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Grantway
from tests.helpers.database import connect, kill, settle_in, subscribe

Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def connection(tell: Tell, data: Path) -> str:
    """Helpdesk (which has a remove URL) connected to Acme, of which Ada is the owner."""
    tell(
        *("clients", "create", "--name", "Help", "--client-id", "helpdesk", "--redirect-uri", "https://c.example/cb"),
        *("--remove-url", "https://c.example/removed"),
    )
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    account = tell("accounts", "create", "--name", "Acme", "--id", "acme")["id"]
    tell("members", "add", "--account", "acme", "--user", "ada@example.com", "--role", "owner")
    made: str = settle_in(data, connect, "helpdesk", account)
    return made


def test_a_connection_is_suspended_and_resumed(tell: Tell, connection: str) -> None:
    suspended = tell("connections", "suspend", connection)
    assert (suspended["state"], suspended["suspensions"][0]["reason"]) == ("suspended", "operator")
    assert [one["id"] for one in tell("connections", "list", "--state", "suspended")["connections"]] == [connection]
    resumed = tell("connections", "resume", suspended["integration_id"])
    assert (resumed["state"], resumed["suspensions"], resumed["suspended_at"]) == ("pending", [], None)
    assert tell("connections", "list", "--state", "suspended") == {"connections": []}


@pytest.mark.parametrize("command", ["suspend", "resume", "remove"])
def test_what_is_removed_stays_removed(tell: Tell, grantway: Grantway, connection: str, command: str) -> None:
    tell("connections", "remove", connection)
    refused = grantway("connections", command, connection, "--json")
    assert (refused.code, refused.answer["reason"]) == (1, "connection_removed")


def test_what_lives_by_a_connection_is_listed_cancelled_and_goes_with_it(
    tell: Tell, data: Path, connection: str
) -> None:
    first, second = (settle_in(data, subscribe, connection, name) for name in ("s-1", "s-2"))
    tell("connections", "resources", "cancel", first)
    assert [one["id"] for one in tell("connections", "resources", "list", connection)["resources"]] == [second]
    tell("connections", "remove", connection)
    listed = tell("connections", "resources", "list", connection, "--cancelled")["resources"]
    assert [(one["reference"], one["cancelled_reason"]) for one in listed] == [("s-1", "platform"), ("s-2", "operator")]


def test_a_dead_delivery_is_shown_with_its_tries_and_sent_again(
    tell: Tell, grantway: Grantway, data: Path, connection: str
) -> None:
    tell("connections", "remove", connection)
    mine = ("deliveries", "list", "--connection", connection)
    waiting = next(one for one in tell(*mine, "--state", "waiting")["deliveries"] if one["kind"] == "remove_url")
    settle_in(data, kill, waiting["id"])
    (dead,) = tell("deliveries", "list", "--client", "helpdesk", "--state", "dead")["deliveries"]
    assert (dead["id"], dead["url"], dead["last_status"]) == (waiting["id"], "https://c.example/removed", 410)
    shown = tell("deliveries", "show", dead["id"])
    assert [(one["status"], one["answer"]) for one in shown["tries"]] == [(410, "Gone.")]
    assert "Gone." in grantway("deliveries", "show", dead["id"]).out
    assert tell("deliveries", "replay", dead["id"])["state"] == "waiting"
    settle_in(data, kill, dead["id"])
    assert tell("deliveries", "replay", "--dead", "--client", "helpdesk") == {"replayed": 1, "left_out": 0}
    assert tell("deliveries", "replay", "--dead") == {"replayed": 0, "left_out": 0}


@pytest.mark.parametrize(
    "options", [(), ("--client", "helpdesk"), ("nt_0", "--dead"), ("nt_0", "--client", "helpdesk")]
)
def test_a_replay_says_clearly_what_it_replays(grantway: Grantway, options: tuple[str, ...]) -> None:
    assert grantway("deliveries", "replay", *options, "--json").answer["reason"] == "option_malformed"


def test_an_event_told_twice_is_heard_once(tell: Tell, grantway: Grantway, connection: str) -> None:
    publish = ("events", "publish", "acme", "order.paid", "--payload", "-", "--id", "order-1")
    first = tell(*publish, stdin='{"order": 1}')
    assert (first["webhooks"], first["repeated"]) == (0, False)
    assert tell(*publish, stdin='{"order": 1}') == {**first, "repeated": True}
    for stdin, account, what, reason in (
        ("[]", "acme", "order.paid", "not_an_object"),
        ("{}", "nonesuch", "order.paid", "account_unknown"),
        ("{}", "acme", "connection.removed", "event_malformed"),
    ):
        ran = grantway("events", "publish", account, what, "--payload", "-", "--json", stdin=stdin)
        assert ran.answer["reason"] == reason
    ran = grantway("events", "publish", "acme", "order.paid", "--payload", "nonesuch.json", "--json")
    assert ran.answer["reason"] == "file_unreadable"


def test_the_platforms_key_stays_the_same(tell: Tell) -> None:
    shown = tell("platform", "events-secret")
    assert shown["events_secret"].startswith("whsec_")
    assert tell("platform", "events-secret") == shown


def test_a_scope_says_which_events_it_covers(tell: Tell) -> None:
    made = tell("scopes", "add", "orders", "--sentence", "See orders", "--event", "order.*", "--event", "cart.left")
    assert made["events"] == ["order.*", "cart.left"]


def test_the_audit_is_searched_by_what_is_named(tell: Tell, grantway: Grantway, connection: str) -> None:
    tell("connections", "suspend", connection)
    tell("users", "sign-out", "ada@example.com")
    tell("connections", "remove", connection)

    def actions(*options: str) -> list[str]:
        return [one["action"] for one in tell("audit", "search", *options)["entries"]]

    assert actions("--connection", connection) == ["connection_removed", "connection_suspended"]
    assert actions("--connection", connection, "--action", "connection_removed") == ["connection_removed"]
    assert actions("--client", "helpdesk", "--reason", "operator", "--limit", "1") == ["connection_removed"]
    assert "user_signed_out" in actions("--user", "ada@example.com")
    tell("accounts", "remove", "acme")
    about = {one["client_id"] for one in tell("audit", "search", "--client", "helpdesk")["entries"]}
    assert about == {"helpdesk"}
    assert {one["client_id"] for one in tell("connections", "show", connection)["history"]} == {"helpdesk"}
    found = tell("audit", "search", "--user", "ada@example.com")["entries"][0]["user_id"]
    assert actions("--user", found) == actions("--user", "ada@example.com")
    assert grantway("audit", "search", "--user", "eve@example.com", "--json").answer["reason"] == "user_unknown"
    assert grantway("audit", "search", "--client", "nonesuch", "--json").answer["reason"] == "client_unknown"


def test_counts_have_kinds_and_a_beginning(tell: Tell, grantway: Grantway) -> None:
    assert tell("counts") == {"counts": []}
    assert grantway("counts", "--kind", "sheep", "--json").answer["reason"] == "kind_unknown"
    assert grantway("counts", "--since", "yesterday", "--json").answer["reason"] == "time_malformed"


def test_who_is_disabled_has_left_and_comes_back_by_being_enabled(tell: Tell, connection: str) -> None:
    assert tell("users", "disable", "Ada@example.com")["disabled_at"]
    assert tell("users", "enable", tell("users", "list")["users"][0]["id"])["disabled_at"] is None
    assert tell("users", "sessions", "ada@example.com") == {"sessions": []}


def test_an_invitation_goes_out_by_mail(tell: Tell, grantway: Grantway, monkeypatch: pytest.MonkeyPatch) -> None:
    invited = tell("users", "invite", "--email", "new@example.com", "--name", "New")
    assert invited["has_password"] is False
    assert [one["kind"] for one in tell("deliveries", "list")["deliveries"]] == ["mail"]
    monkeypatch.setenv("GRANTWAY_PUBLIC_URL", "https://login.example.com")
    refused = grantway("users", "invite", "--email", "other@example.com", "--name", "Other", "--json")
    assert refused.answer["reason"] == "mail_not_sent"


def test_an_account_is_suspended_resumed_and_removed(tell: Tell, grantway: Grantway, connection: str) -> None:
    assert tell("accounts", "suspend", "acme")["suspended_at"]
    assert tell("accounts", "resume", "acme")["suspended_at"] is None
    assert tell("accounts", "remove", "acme")["removed_at"]
    assert tell("connections", "show", connection)["removed_reason"] == "operator"
    assert grantway("accounts", "remove", "acme", "--json").answer["reason"] == "account_unknown"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("connections", "show", "cn_0"), "connection_unknown"),
        (("deliveries", "show", "cn_0"), "id_malformed"),
        (("deliveries", "show", "nt_0351BWwqsjhsh2P6MqeAhF"), "delivery_unknown"),
        (("connections", "resources", "cancel", "s-1"), "id_malformed"),
        (("users", "disable", "us_0351BWwqsjhsh2P6MqeAhF"), "user_unknown"),
    ],
)
def test_an_id_of_nothing_is_said_to_be_one(grantway: Grantway, arguments: tuple[str, ...], reason: str) -> None:
    ran = grantway(*arguments, "--json")
    assert (ran.code, ran.answer["reason"]) == (1, reason)
