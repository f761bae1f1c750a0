"""What commands do, and what they say when they do not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import Grantway
from tests.helpers.database import connect, settle_in

Tell = Callable[..., dict[str, Any]]
CALLBACK = ("--redirect-uri", "https://client.example/callback")


@pytest.mark.own_storage
def test_a_first_client_needs_no_ceremony(grantway: Grantway, data: Path) -> None:
    ran = grantway(
        "clients", "create", "--name", "Helpdesk", "--profile", "standard", *CALLBACK, "--scope", "a b", "--json"
    )
    assert ran.code == 0
    assert ran.answer["client_secret"].startswith("gws_")
    assert ran.answer["new_scopes"] == ["a", "b"]
    assert sorted(path.name for path in data.iterdir() if not path.name.startswith("grantway.db.")) == [
        "grantway.db",
        "master.key",
    ]


def test_a_secret_is_shown_once_and_never_again(tell: Tell, grantway: Grantway) -> None:
    made = tell("clients", "create", "--name", "Helpdesk", *CALLBACK)
    for arguments in (("clients", "show", made["client_id"]), ("clients", "list")):
        assert made["client_secret"] not in grantway(*arguments).out
        assert made["client_secret"] not in grantway(*arguments, "--json").out


def test_a_catalogue_in_the_settings_file_is_kept_to(tell: Tell, grantway: Grantway, data: Path) -> None:
    data.mkdir()
    (data / "grantway.toml").write_text('[scopes."orders"]\nsentence.en = "See your orders"\nsensitivity = "low"\n')
    refused = grantway("clients", "create", "--name", "Helpdesk", *CALLBACK, "--scope", "orders invoices", "--json")
    assert refused.code == 1
    assert refused.answer["reason"] == "scope_unknown"
    assert tell("clients", "create", "--name", "Helpdesk", *CALLBACK, "--scope", "orders")["new_scopes"] == []
    created = tell("clients", "create", "--name", "Bills", *CALLBACK, "--scope", "invoices", "--create-scopes")
    assert created["new_scopes"] == ["invoices"]
    listed = {one["name"]: one["in_settings_file"] for one in tell("scopes", "list")["scopes"]}
    assert listed == {"invoices": False, "orders": True}
    for arguments in (("scopes", "remove", "orders"), ("scopes", "add", "orders", "--sentence", "Other")):
        assert grantway(*arguments, "--json").answer["reason"] == "scope_in_settings_file"


def test_off_loopback_a_scope_that_nobody_described_is_refused(
    grantway: Grantway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRANTWAY_PUBLIC_URL", "https://login.example.com")
    ran = grantway("clients", "create", "--name", "Helpdesk", *CALLBACK, "--scope", "a")
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.startswith("grantway: The catalogue has no scope a")


def test_a_sunshine_client_brings_its_id_and_secret_along(tell: Tell, grantway: Grantway) -> None:
    secret = "5XJ85yjUtRcaQu_pDINblPZb"
    arguments = ("clients", "create", "--name", "Shop", "--profile", "sunshine", *CALLBACK, "--client-id", "shoplifter")
    made = tell(*arguments, "--client-secret-stdin", stdin=f"{secret}\r\n")
    assert (made["client_id"], made["client_secret"], made["scopes"]) == ("shoplifter", secret, ["integration"])
    assert grantway(*arguments, "--json").answer["reason"] == "client_exists"
    assert grantway(*arguments, "--client-secret-stdin", "--json").answer["reason"] == "stdin_empty"


def test_single_fields_of_policy_are_set_as_json_or_text(tell: Tell, grantway: Grantway) -> None:
    create = ("clients", "create", "--name", "Signed", *CALLBACK)
    made = tell(*create, "--set", "access_token_format=jwt", "--set", "access_token_lifetime=300")
    assert made["set"] == {"access_token_format": "jwt", "access_token_lifetime": 300}
    for wrong in ("access_token_format=paper", "nonesuch=1", "rotates_refresh_tokens=perhaps", "grant_types=[]"):
        assert grantway(*create, "--set", wrong, "--json").answer["reason"] == "policy_malformed"
    assert grantway(*create, "--set", "no-equals-sign", "--json").answer["reason"] == "option_malformed"


def test_a_resource_server_has_its_resource_and_no_redirect_uri(tell: Tell, grantway: Grantway) -> None:
    create = ("clients", "create", "--name", "API", "--kind", "resource-server")
    made = tell(*create, "--resource", "https://api.example/")
    assert (made["kind"], made["resources"]) == ("resource-server", ["https://api.example/"])
    assert grantway(*create, "--json").answer["reason"] == "client_malformed"


def test_rotating_a_secret_says_until_when_the_one_before_works(tell: Tell, grantway: Grantway) -> None:
    made = tell("clients", "create", "--name", "Helpdesk", *CALLBACK)
    rotated = tell("clients", "rotate-secret", made["client_id"], "--expire-old-in", "60")
    assert rotated["client_secret"] != made["client_secret"]
    assert rotated["older_secret_works_until"]
    assert len(tell("clients", "show", made["client_id"])["secrets"]) == 2
    stolen = tell("clients", "rotate-secret", made["client_id"], "--compromised")
    assert (stolen["older_secret_works_until"], stolen["dropped_secrets"]) == (None, 2)
    assert stolen["tokens_not_before"]
    for seconds in ("-1", "99999999999999999"):
        ran = grantway("clients", "rotate-secret", made["client_id"], f"--expire-old-in={seconds}", "--json")
        assert ran.answer["reason"] == "duration_out_of_range"


def test_an_icon_is_drawn_anew_and_what_is_none_is_refused(tell: Tell, grantway: Grantway, tmp_path: Path) -> None:
    client_id = tell("clients", "create", "--name", "Helpdesk", *CALLBACK)["client_id"]
    Image.new("RGB", (600, 600), "navy").save(tmp_path / "icon.jpg")
    assert tell("clients", "set-icon", client_id, str(tmp_path / "icon.jpg"))["icon_bytes"] > 0
    (tmp_path / "icon.svg").write_text("<svg/>")
    assert (
        grantway("clients", "set-icon", client_id, str(tmp_path / "icon.svg"), "--json").answer["reason"]
        == "icon_malformed"
    )
    assert (
        grantway("clients", "set-icon", client_id, str(tmp_path / "none"), "--json").answer["reason"]
        == "file_unreadable"
    )


def test_a_password_comes_from_standard_input_and_has_eight_characters(tell: Tell, grantway: Grantway) -> None:
    create = ("users", "create", "--email", "Ada@Example.com", "--name", "Ada", "--password-stdin")
    assert grantway(*create, "--json", stdin="1234567\n").answer["reason"] == "password_malformed"
    assert grantway(*create, "--json", stdin="").answer["reason"] == "stdin_empty"
    assert tell(*create, stdin="correct horse\n")["email"] == "ada@example.com"
    assert tell("users", "set-password", "--email", "ada@example.com", "--password-stdin", stdin="battery staple")
    assert tell("users", "list")["users"][0]["has_password"] is True


def test_lists_are_newest_first_and_as_long_as_asked_for(tell: Tell, grantway: Grantway) -> None:
    for name in ("First", "Second", "Third"):
        tell("accounts", "create", "--name", name)
    assert [one["name"] for one in tell("accounts", "list")["accounts"]] == ["Third", "Second", "First"]
    assert [one["name"] for one in tell("accounts", "list", "--limit", "2")["accounts"]] == ["Third", "Second"]
    assert grantway("accounts", "list", "--limit", "0").code == 2


def test_an_account_is_named_by_our_id_or_its_own(tell: Tell, grantway: Grantway) -> None:
    made = tell(
        "accounts", "create", "--name", "Acme", "--id", "acme", "--subdomain", "acme", "--display-name", "ACME",
        "--external", "sunshine=5698edbf2a43bd081be982f1", "--settings", '{"useAnimalNames": true}', "--metadata", '{"plan": "a"}',
    )  # fmt: skip
    assert re.fullmatch("ac_[0-9A-Za-z]{22}", made["id"])
    assert made["external_ids"]["sunshine"] == "5698edbf2a43bd081be982f1"
    assert set(made["external_ids"]) == {"sunshine", "square", "phonecom", "standard"}
    assert tell("accounts", "show", "acme") == tell("accounts", "show", made["id"])
    assert grantway("accounts", "show", "nonesuch", "--json").answer["reason"] == "account_unknown"


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--external", "sunshine", "option_malformed"),
        ("--external", "sunshine=short", "account_malformed"),
        ("--external", "myspace=1", "account_malformed"),
        ("--settings", "[]", "not_an_object"),
        ("--metadata", "{", "not_an_object"),
        ("--subdomain", "A b", "account_malformed"),
    ],
)
def test_an_account_that_cannot_be_is_refused(grantway: Grantway, option: str, value: str, reason: str) -> None:
    ran = grantway("accounts", "create", "--name", "Acme", option, value, "--json")
    assert (ran.code, ran.answer["reason"]) == (1, reason)


def test_members_come_and_go(tell: Tell, grantway: Grantway) -> None:
    tell("accounts", "create", "--name", "Acme", "--id", "acme")
    for name in ("ada", "grace"):
        tell("users", "create", "--email", f"{name}@example.com", "--name", name)
    tell("members", "add", "--account", "acme", "--user", "ada@example.com", "--role", "owner")
    tell("members", "add", "--account", "acme", "--user", "grace@example.com", "--role", "member")
    assert [one["may_connect"] for one in tell("members", "list", "--account", "acme")["members"]] == [True, False]
    refused = grantway("members", "remove", "--account", "acme", "--user", "ada@example.com", "--json")
    assert refused.answer["reason"] == "last_owner"
    tell("members", "remove", "--account", "acme", "--user", "grace@example.com")
    assert len(tell("accounts", "show", "acme")["members"]) == 1


def test_a_connection_is_shown_gets_a_key_and_is_removed(tell: Tell, grantway: Grantway, data: Path) -> None:
    client = tell(
        "clients", "create", "--name", "Shop", "--profile", "sunshine", *CALLBACK, "--remove-url", "https://c.example/r"
    )
    account = tell("accounts", "create", "--name", "Acme")
    connection = settle_in(data, connect, client["client_id"], account["id"])
    listed = tell("connections", "list", "--account", account["id"], "--client", client["client_id"])["connections"]
    assert [one["id"] for one in listed] == [connection]
    key = tell("connections", "create-key", connection)
    assert re.fullmatch("app_[0-9a-f]{24}", key["key_id"])
    assert key["key_secret"] not in grantway("connections", "show", connection, "--json").out
    removed = tell("connections", "remove", listed[0]["integration_id"])
    assert (removed["id"], removed["removed_reason"]) == (connection, "operator")
    assert grantway("connections", "remove", connection, "--json").answer["reason"] == "connection_removed"
    assert grantway("connections", "create-key", connection, "--json").answer["reason"] == "connection_removed"
    assert tell("connections", "list")["connections"] == []
    assert len(tell("connections", "list", "--state", "all")["connections"]) == 1
    shown = tell("connections", "show", connection)
    assert [one["url"] for one in shown["deliveries"]] == ["https://c.example/r"]
    assert {"connection_key_created", "connection_removed"} <= {one["action"] for one in shown["history"]}


def test_keys_are_published_before_they_sign(tell: Tell, grantway: Grantway) -> None:
    assert tell("keys", "list")["keys"] == []
    tell("migrate")
    first = tell("keys", "list")["keys"]
    assert [one["state"] for one in first] == ["signing"]
    assert [one["state"] for one in tell("keys", "rotate")["keys"]] == ["signing", "waiting"]
    assert grantway("keys", "rotate", "--json").answer["reason"] == "rotation_under_way"
    leaked = tell("keys", "rotate", "--now")["keys"]
    assert [one["state"] for one in leaked] == ["signing"]
    assert leaked[0]["kid"] != first[0]["kid"]


@pytest.mark.own_storage
def test_migrating_twice_changes_nothing(tell: Tell) -> None:
    assert tell("migrate")["applied"]
    assert tell("migrate")["applied"] == []


def test_people_read_tables_and_sentences(grantway: Grantway) -> None:
    assert "There are no users." in grantway("users", "list").out
    ran = grantway("clients", "create", "--name", "Help [bold]desk", *CALLBACK)
    assert "shown this once" in ran.out
    assert "Help [bold]desk" in grantway("clients", "list").out
    refused = grantway("clients", "show", "nonesuch")
    assert (refused.code, refused.out, refused.err) == (1, "", "grantway: There is no client 'nonesuch'.\n")


def test_an_unknown_setting_stops_every_command(
    grantway: Grantway, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setenv("GRANTWAY_PUBLICURL", "https://login.example.com")
    ran = grantway("users", "list", "--json")
    assert ran.code == 1
    assert ran.answer["problems"] == ["GRANTWAY_PUBLICURL is not a setting. Did you mean GRANTWAY_PUBLIC_URL?"]
    assert not data.exists()


def test_check_config_changes_nothing_and_warns(tell: Tell, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    assert tell("check-config")["warnings"] == []
    monkeypatch.setenv("GRANTWAY_PUBLIC_URL", "https://login.example.com")
    checked = tell("check-config")
    assert checked["settings"]["issuer"] == "https://login.example.com"
    assert len(checked["warnings"]) == 1
    assert not data.exists()


def test_check_config_looks_at_the_master_key_too(grantway: Grantway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "too short")
    ran = grantway("check-config", "--json")
    assert (ran.code, ran.answer["reason"]) == (1, "cannot_start")
    assert "too short" not in ran.out


def test_another_master_key_is_refused_with_a_sentence(tell: Tell, grantway: Grantway, data: Path) -> None:
    tell("migrate")
    key = data / "master.key"
    kept = key.read_text()
    key.unlink()
    assert "its master key" in grantway("users", "list", "--json").answer["error"]
    key.write_text("A" * 86 + "==\n")
    refused = grantway("users", "list", "--json")
    assert (refused.code, refused.answer["reason"]) == (1, "cannot_start")
    assert "not the one that the database" in refused.answer["error"]
    key.write_text(kept)
    assert tell("users", "list") == {"users": []}


def test_json_keeps_names_as_they_are(tell: Tell, grantway: Grantway) -> None:
    tell("accounts", "create", "--name", "Café Zürich ☕")
    assert json.loads(grantway("accounts", "list", "--json").out)["accounts"][0]["name"] == "Café Zürich ☕"


def test_a_remove_url_that_is_not_public_is_refused_at_registration(grantway: Grantway) -> None:
    """What is registered here is called later from inside the platform's network."""
    ran = grantway(
        *("clients", "create", "--name", "Helpdesk", "--redirect-uri", "https://client.example/cb"),
        *("--remove-url", "https://169.254.169.254/latest", "--json"),
    )
    assert ran.code == 1
    assert "public" in ran.out


def test_the_key_that_notices_are_signed_with_can_be_shown_again(tell: Tell) -> None:
    made = tell(
        *("clients", "create", "--name", "Helpdesk", "--redirect-uri", "https://client.example/cb"),
        *("--remove-url", "https://client.example/removed"),
    )
    assert made["notice_secret"].startswith("whsec_")
    assert tell("clients", "notice-secret", made["client_id"])["notice_secret"] == made["notice_secret"]


def test_a_members_own_id_in_the_account_is_given_or_drawn(tell: Tell, grantway: Grantway) -> None:
    tell("accounts", "create", "--name", "Acme", "--id", "acme")
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    add = ("members", "add", "--account", "acme", "--user", "ada@example.com", "--role", "owner")
    assert int(tell(*add)["external_ids"]["phonecom"]) > 0
    assert tell(*add, "--external", "phonecom=1767963")["external_ids"] == {"phonecom": "1767963"}
    assert tell("members", "list", "--account", "acme")["members"][0]["external_ids"] == {"phonecom": "1767963"}
    ran = grantway(*add, "--external", "phonecom=x", "--json")
    assert (ran.code, ran.answer["reason"]) == (1, "member_id_malformed")
