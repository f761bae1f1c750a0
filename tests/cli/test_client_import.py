"""``grantway clients import``: exports of other servers, read whole, reported, and brought along once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from grantway.cli.exports import reading
from tests.cli.conftest import Grantway, Ran
from tests.helpers.foreign_hashes import hydra_pbkdf2

Tell = Callable[..., dict[str, Any]]
EXPORTS = Path(__file__).parent / "exports"
FILES = {
    "hydra": EXPORTS / "hydra-table.json",
    "keycloak": EXPORTS / "keycloak-realm.json",
    "django-oauth-toolkit": EXPORTS / "django-oauth-toolkit.json",
}


@pytest.fixture
def bring(grantway: Grantway) -> Callable[..., Ran]:
    """The import of an export in the repository, or of a value."""

    def command(source: str, value: Any = None, *arguments: str) -> Ran:
        if value is None:
            return grantway("clients", "import", str(FILES[source]), "--from", source, *arguments, "--json")
        return grantway("clients", "import", "-", "--from", source, *arguments, "--json", stdin=json.dumps(value))

    return command


def outcomes(ran: Ran) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for one in ran.answer["clients"]:
        told.setdefault(one["outcome"], []).append(one["client_id"])
    return told


def reasons(ran: Ran) -> dict[str, str]:
    return {one["client_id"]: one["reason"] for one in ran.answer["clients"] if one["reason"]}


def not_taken(ran: Ran, client_id: str) -> list[tuple[str, str]]:
    return [(one["what"], one["value"]) for one in ran.answer["not_taken"] if one["client_id"] == client_id]


# What each server's export comes to


def test_hydras_table_is_brought_along(bring: Callable[..., Ran], tell: Tell) -> None:
    """The file is what PostgreSQL wrote of Hydra 2.3.0: PBKDF2 as it comes, bcrypt where that was set."""
    tell("scopes", "add", "tickets.read", "--sentence", "Read tickets")
    ran = bring("hydra")
    assert (ran.code, outcomes(ran)) == snapshot(
        (
            1,
            {
                "imported": ["helpdesk", "till", "phone", "robot"],
                "left_out": ["keyed"],
                "failed": ["page", "elsewhere", "dear"],
            },
        )
    )
    assert reasons(ran) == snapshot(
        {
            "keyed": "not_to_move",
            "page": "grant_types_not_taken",
            "elsewhere": "client_malformed",
            "dear": "secret_hash_unfit",
        }
    )
    assert not_taken(ran, "helpdesk") == snapshot(
        [
            ("redirect URI", "http://helpdesk.example/plain"),
            ("scope", "openid offline tickets.write"),
            ("setting", "skip_consent"),
            ("setting", "authorization without PKCE"),
        ]
    )
    assert not_taken(ran, "elsewhere") == [("redirect URI", "http://elsewhere.example/callback")]
    assert ran.answer["missing_scopes"][-1] == snapshot(
        {"scope": "tickets.write", "clients": 1, "add_with": "grantway scopes add tickets.write --sentence '…'"}
    )
    helpdesk, robot, till, phone = (tell("clients", "show", one) for one in ("helpdesk", "robot", "till", "phone"))
    assert helpdesk["redirect_uris"] == ["https://helpdesk.example/callback", "http://127.0.0.1/callback"]
    assert (helpdesk["name"], helpdesk["scopes"], helpdesk["public"]) == ("Helpdesk", ["tickets.read"], False)
    assert helpdesk["default_scopes"] == []
    assert helpdesk["set"] == {"grant_types": "authorization_code refresh_token"}
    assert helpdesk["approved_at"] is not None
    assert (robot["set"], robot["resources"]) == ({"grant_types": "client_credentials"}, ["https://api.example"])
    assert [one["kept_as"] for one in till["secrets"]] == ["pbkdf2"]
    assert [one["kept_as"] for one in robot["secrets"]] == ["bcrypt"]
    assert (phone["public"], phone["secrets"], phone["set"]) == (True, [], {})


def test_what_hydras_cli_lists_has_no_secrets_and_that_is_said(bring: Callable[..., Ran]) -> None:
    listed = {"items": [{"client_id": "helpdesk", "redirect_uris": ["https://helpdesk.example/cb"], "scope": ""}]}
    ran = bring("hydra", listed)
    assert (ran.code, reasons(ran)) == (1, {"helpdesk": "secret_missing"})


def test_sqlites_rows_of_hydra_have_lists_as_text_and_flags_as_numbers(bring: Callable[..., Ran], tell: Tell) -> None:
    (row,) = [one for one in json.loads(FILES["hydra"].read_text()) if one["id"] == "till"]
    row |= {"rotated_secrets": [hydra_pbkdf2("the-one-before-that"), hydra_pbkdf2("and-the-one-before")]}
    lists = ("redirect_uris", "grant_types", "audience", "rotated_secrets")
    row |= {name: json.dumps(row[name]) for name in lists} | {"skip_consent": 0, "client_name": None}
    ran = bring("hydra", [row])
    assert (ran.answer["imported"], not_taken(ran, "till")[0]) == (1, ("scope", "tickets.read"))
    assert ("secret", "an older one") in not_taken(ran, "till")
    assert tell("clients", "show", "till")["name"] == "till"
    assert len(tell("clients", "show", "till")["secrets"]) == 2


def test_keycloaks_realm_is_brought_along(bring: Callable[..., Ran], tell: Tell) -> None:
    """The file is what ``kc.sh export`` of Keycloak 26.7.3 wrote of clients; one secret is masked as its console does."""
    tell("scopes", "add", "tickets.read", "--sentence", "Read tickets")
    tell("scopes", "add", "tickets.write", "--sentence", "Answer tickets")
    ran = bring("keycloak")
    assert (ran.code, outcomes(ran)) == snapshot(
        (
            1,
            {
                "left_out": [
                    "account",
                    "account-console",
                    "admin-cli",
                    "api",
                    "broker",
                    "keyed",
                    "off",
                    "realm-management",
                    "saml",
                    "security-admin-console",
                ],
                "imported": ["helpdesk", "phone", "robot", "till"],
                "failed": ["https://by-address.example", "masked", "short"],
            },
        )
    )
    assert reasons(ran)["masked"] == "entry_unfit"
    assert not_taken(ran, "helpdesk") == snapshot(
        [
            ("redirect URI", "*"),
            ("redirect URI", "https://helpdesk.example/*"),
            ("scope", "profile email address phone organization offline_access microprofile-jwt"),
        ]
    )
    assert not_taken(ran, "till") == snapshot(
        [
            ("grant type", "implicit"),
            ("grant type", "password"),
            ("grant type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("scope", "profile email address phone organization offline_access microprofile-jwt"),
            ("setting", "authorization without PKCE"),
        ]
    )
    helpdesk, till = tell("clients", "show", "helpdesk"), tell("clients", "show", "till")
    assert helpdesk["redirect_uris"] == ["https://helpdesk.example/callback"]
    assert (helpdesk["scopes"], helpdesk["default_scopes"]) == (["tickets.read", "tickets.write"], ["tickets.read"])
    assert [(one["kept_as"], one["expires_at"]) for one in till["secrets"]] == [
        ("sha256", "2100-01-01T00:00:00Z"),
        ("sha256", None),
    ]
    assert tell("clients", "show", "robot")["set"] == {"grant_types": "client_credentials"}


def test_several_realms_and_single_clients_of_keycloak_are_read(bring: Callable[..., Ran]) -> None:
    realm = json.loads(FILES["keycloak"].read_text())
    clients = {one["clientId"]: one for one in realm["clients"]}
    assert outcomes(bring("keycloak", clients["helpdesk"]))["imported"] == ["helpdesk"]
    assert outcomes(bring("keycloak", [clients["till"], clients["account"]]))["imported"] == ["till"]
    realms = [{"realm": "master", "clients": [clients["robot"]]}, {"realm": "demo", "clients": [clients["phone"]]}]
    assert outcomes(bring("keycloak", realms))["imported"] == ["robot", "phone"]


def test_a_dump_of_django_oauth_toolkit_is_brought_along(bring: Callable[..., Ran], tell: Tell) -> None:
    """The file is what ``manage.py dumpdata`` wrote (django-oauth-toolkit 3.4.1, Django 5.2)."""
    tell("scopes", "add", "tickets.read", "--sentence", "Read tickets")
    ran = bring("django-oauth-toolkit", None, "--scope", "tickets.read")
    assert (ran.code, outcomes(ran)) == snapshot(
        (
            1,
            {
                "imported": ["helpdesk", "robot", "till", "older", "oldest", "clear", "phone"],
                "failed": ["scripted", "password", "implicit"],
            },
        )
    )
    assert {one["client_id"]: one["secret"] for one in ran.answer["clients"] if one["secret"]} == snapshot(
        {
            "helpdesk": "pbkdf2",
            "robot": "argon2",
            "till": "bcrypt",
            "older": "bcrypt",
            "oldest": "pbkdf2",
            "clear": "sha256",
        }
    )
    assert not_taken(ran, "helpdesk") == snapshot(
        [
            ("redirect URI", "http://helpdesk.example/plain"),
            ("redirect URI", "https://*.helpdesk.example/cb"),
            ("setting", "skip_authorization"),
        ]
    )
    assert not_taken(ran, "older") == [("setting", "algorithm")]
    assert not_taken(ran, "password") == [("grant type", "password")]
    assert tell("clients", "show", "helpdesk")["scopes"] == ["tickets.read"]
    assert tell("clients", "show", "phone")["public"] is True


# What an import does, and does not


@pytest.mark.parametrize("source", FILES)
def test_a_dry_run_says_the_same_and_writes_nothing(source: str, bring: Callable[..., Ran], tell: Tell) -> None:
    tried = bring(source, None, "--dry-run").answer
    assert tell("clients", "list") == {"clients": []}
    done = bring(source).answer
    assert {**tried, "dry_run": False} == done
    assert len(tell("clients", "list")["clients"]) == done["imported"]


@pytest.mark.parametrize("source", FILES)
def test_the_same_again_changes_nothing(source: str, bring: Callable[..., Ran], tell: Tell) -> None:
    first = bring(source).answer
    tell("clients", "update", "helpdesk", "--name", "Changed here")
    entries = len(tell("audit", "search")["entries"])
    again = bring(source, None, "--create-scopes").answer
    assert (again["imported"], again["exists"]) == (0, first["imported"])
    assert tell("clients", "show", "helpdesk")["name"] == "Changed here"
    assert len(tell("audit", "search")["entries"]) == entries


@pytest.mark.parametrize("source", FILES)
def test_neither_a_secret_nor_a_hash_is_ever_shown(source: str, bring: Callable[..., Ran], grantway: Grantway) -> None:
    said = bring(source, None, "--dry-run").out
    said += grantway("clients", "import", str(FILES[source]), "--from", source).out
    for line in FILES[source].read_text().splitlines():
        secret = line.partition(": ")[2].strip('", ')
        if "secret" in line and len(secret) > 9 and not secret.isdigit():
            assert secret not in said
    assert "the-secret-of" not in said
    assert "$" not in said


def test_people_read_what_is_not_taken_before_anything_is_done(grantway: Grantway) -> None:
    ran = grantway("clients", "import", str(FILES["hydra"]), "--from", "hydra")
    report, _, done = ran.out.partition("Bringing them along:")
    assert "http://helpdesk.example/plain" in report
    assert "imported 4" in done


def test_each_client_is_in_the_audit_with_where_it_came_from(bring: Callable[..., Ran], tell: Tell) -> None:
    bring("hydra")
    noted = tell("audit", "search", "--client", "till")["entries"]
    by_action = {one["action"]: one for one in noted}  # both of one moment: neither is the newer one
    assert {action: one["actor"] for action, one in by_action.items()} == {
        "client_imported": "operator",
        "client_created": "operator",
    }
    assert by_action["client_imported"]["detail"] == {"source": "hydra"}


def test_unknown_scopes_are_made_where_that_is_asked_for(bring: Callable[..., Ran], tell: Tell) -> None:
    ran = bring("hydra", None, "--create-scopes")
    assert ran.answer["new_scopes"] == ["offline", "openid", "tickets.read", "tickets.write"]
    assert (ran.answer["missing_scopes"], len(tell("scopes", "list")["scopes"])) == ([], 4)
    assert tell("clients", "show", "helpdesk")["scopes"] == ["openid", "offline", "tickets.read", "tickets.write"]


def test_pkce_may_be_left_to_confidential_clients_and_to_no_others(bring: Callable[..., Ran], tell: Tell) -> None:
    keycloak = bring("keycloak", None, "--set", "pkce=accepted")
    assert ("setting", "authorization without PKCE") not in not_taken(keycloak, "till")
    assert tell("clients", "show", "till")["set"]["pkce"] == "accepted"
    assert "pkce" not in tell("clients", "show", "helpdesk")["set"]  # it was required there, too
    assert "pkce" not in tell("clients", "show", "phone")["set"]


def test_a_client_is_named_once(bring: Callable[..., Ran]) -> None:
    (till,) = [one for one in json.loads(FILES["hydra"].read_text()) if one["id"] == "till"]
    for arguments in (("--dry-run",), ()):
        ran = bring("hydra", [till, till], *arguments)
        assert [one["outcome"] for one in ran.answer["clients"]] == ["imported", "failed"]
    assert ran.answer["clients"][1]["reason"] == "client_twice"


def test_the_id_of_a_client_that_has_ended_is_not_used_again(bring: Callable[..., Ran], tell: Tell) -> None:
    bring("hydra")
    tell("clients", "end", "till")
    assert reasons(bring("hydra"))["till"] == "client_exists"


# What is no export


@pytest.mark.parametrize(
    ("source", "value", "client_id", "why"),
    [
        ("hydra", [3], None, "clients[0] is no object."),
        ("hydra", [{"client_name": "x"}], None, "clients[0].id is not a text."),
        ("hydra", [{"id": "x", "redirect_uris": "x"}], "x", "clients[0].redirect_uris is not a list of texts."),
        ("hydra", [{"id": "x", "grant_types": [1]}], "x", "clients[0].grant_types is not a list of texts."),
        ("hydra", [{"id": "x", "skip_consent": "no"}], "x", "clients[0].skip_consent is not true or false."),
        ("keycloak", {"clients": [[]]}, None, "clients[0] is no object."),
        ("keycloak", [{"clients": [{"clientId": 7}]}], None, "[0].clients[0].clientId is not a text."),
        ("keycloak", {"clientId": "x", "publicClient": "x"}, "x", "clients.publicClient is not true or false."),
        ("keycloak", {"clientId": "x", "attributes": []}, "x", "clients.attributes is no object."),
        ("keycloak", {"clientId": "x", "secret": "${vault.x}"}, "x", "clients.secret is in a vault: write the secret itself there."),
        (
            "keycloak",
            {"clientId": "x", "secret": "x", "attributes": {"client.secret.expiration.time": "soon"}},
            "x",
            "clients.attributes.client.secret.expiration.time is no time.",
        ),
        ("keycloak", {"clients": [{"clientId": "x"}], "clientScopes": 1}, "x", "clientScopes is not a list."),
        (
            "django-oauth-toolkit",
            [{"fields": {"client_id": "x", "authorization_grant_type": "implicit"}}],
            "x",
            "[0].fields.client_type is not a text.",
        ),
        ("django-oauth-toolkit", [{"fields": []}], None, "[0].fields is no object."),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_is_named_with_its_field(
    source: str, value: Any, client_id: str | None, why: str, bring: Callable[..., Ran]
) -> None:
    ran = bring(source, value)
    (line,) = ran.answer["clients"]
    assert (ran.code, line["client_id"], line["why"], line["reason"]) == (1, client_id, why, "entry_unfit")


@pytest.mark.parametrize(
    ("source", "text", "reason"),
    [
        ("hydra", "nonsense", "export_unfit"),
        ("hydra", '"a text"', "export_unfit"),
        ("hydra", '["\\ud800"]', "export_unfit"),
        ("hydra", "[" * 100_000, "export_unfit"),
        ("hydra", "[]", "export_empty"),
        ("keycloak", '{"realm": "demo"}', "export_unfit"),
        ("keycloak", '{"clients": 1}', "export_unfit"),
        ("django-oauth-toolkit", "{}", "export_unfit"),
        ("django-oauth-toolkit", '[{"model": "auth.user", "fields": {"username": "ada"}}]', "export_empty"),
    ],
)
def test_what_is_no_export_is_refused_whole(source: str, text: str, reason: str, grantway: Grantway) -> None:
    ran = grantway("clients", "import", "-", "--from", source, "--json", stdin=text)
    assert (ran.code, ran.answer["reason"]) == (1, reason)


def test_a_file_that_is_not_there_or_too_large_is_said_so(
    grantway: Grantway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = grantway("clients", "import", "/nonexistent", "--from", "hydra", "--json")
    assert ran.answer["reason"] == "file_unreadable"
    monkeypatch.setattr(reading, "LARGEST", 1024**2)
    large = tmp_path / "large.json"
    large.write_text(" " * (1024**2 + 1))
    ran = grantway("clients", "import", str(large), "--from", "hydra", "--json")
    assert (ran.answer["reason"], ran.answer["error"]) == ("export_too_large", "An export has at most 1 MiB.")
