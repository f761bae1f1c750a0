"""Settings: where they come from, and everything that is wrong with them at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grantway.protocol.model import Scope
from grantway.server.settings import Settings
from grantway.server.settings_reference import reference
from grantway.server.settings_sources import CannotStart, load_settings
from grantway.wire.loopback import is_loopback

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("GRANTWAY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


def problems(**options: Any) -> list[str]:
    with pytest.raises(CannotStart) as stopped:
        load_settings(**options)
    return list(stopped.value.problems)


def test_nothing_at_all_is_a_server_on_this_machine() -> None:
    settings = load_settings()
    assert settings.issuer == "http://127.0.0.1:8080"
    assert settings.is_local
    assert settings.database_path == Path("data/grantway.db")


def test_the_constructor_takes_exactly_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_PORT", "9")
    assert Settings().port == 8080


def test_options_win_over_the_environment_and_that_over_the_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "data/grantway.toml").write_text('port = 1\nhost = "127.0.0.2"\nplatform_name = "Acme"\n')
    monkeypatch.setenv("GRANTWAY_PORT", "2")
    monkeypatch.setenv("GRANTWAY_HOST", "127.0.0.3")
    settings = load_settings(host="127.0.0.4", workers=None)
    assert (settings.port, settings.host, settings.platform_name) == (2, "127.0.0.4", "Acme")


def test_the_settings_file_can_lie_elsewhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "elsewhere.toml").write_text('data = "other"\n')
    monkeypatch.setenv("GRANTWAY_SETTINGS", "elsewhere.toml")
    assert load_settings().data == Path("other")
    monkeypatch.setenv("GRANTWAY_SETTINGS", "nowhere.toml")
    assert problems() == ["There is no settings file nowhere.toml."]


def test_the_file_in_the_data_directory_does_not_move_it(place: Path) -> None:
    (place / "data/grantway.toml").write_text('data = "other"\n')
    assert len(problems()) == 1


def test_all_problems_are_told_at_once_under_the_names_they_were_set_by(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "data/grantway.toml").write_text('platform = "x"\nlog_level = "loud"\n[scopes.a]\nsentnce.en = "A"\n')
    for name, value in {
        "PORT": "eighty",
        "HOST": "0.0.0.0",
        "PUBLICURL": "https://x.example",
        "TRUSTED_PROXIES": "10.0.0.1/8",
        "DATABASE": "mysql://db/grantway",
        "SCOPES": "{}",
    }.items():
        monkeypatch.setenv(f"GRANTWAY_{name}", value)
    told = "\n".join(problems())
    for begin in (
        "GRANTWAY_PUBLICURL is not a setting. Did you mean GRANTWAY_PUBLIC_URL?",
        "GRANTWAY_SCOPES is not a setting.",
        "GRANTWAY_PORT: ",
        "GRANTWAY_PUBLIC_URL: It is required",
        "GRANTWAY_TRUSTED_PROXIES: It lists networks",
        "GRANTWAY_DATABASE: It takes the path of a SQLite file",
        "data/grantway.toml: platform is not a setting. Did you mean platform_name?",
        "data/grantway.toml: log_level: ",
        "data/grantway.toml: scopes.a.sentence: ",
        "data/grantway.toml: scopes.a.sentnce is not a setting.",
    ):
        assert begin in told
    assert all(line.endswith((".", "?")) for line in told.splitlines())


@pytest.mark.parametrize("text", ["port = ", "\x00", "[scopes", "a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_told_without_a_traceback(place: Path, text: str) -> None:
    (place / "data/grantway.toml").write_text(text)
    assert len(problems()) == 1


def test_a_secret_is_in_no_problem_and_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "hunter2hunter2")
    assert "hunter2" not in repr(load_settings())
    monkeypatch.setenv("GRANTWAY_MASTER_KEY_FILE", "somewhere")
    assert "hunter2" not in " ".join(problems())


@pytest.mark.parametrize(
    ("given", "issuer"),
    [
        ("https://login.example.com/", "https://login.example.com"),
        ("https://Login.Example.com:8443", "https://login.example.com:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_public_address_is_the_issuer(given: str, issuer: str) -> None:
    assert load_settings(host="0.0.0.0", public_url=given).issuer == issuer


@pytest.mark.parametrize(
    "given",
    [
        "http://login.example.com",
        "login.example.com",
        "ftp://login.example.com",
        "https://",
        "https://login.example.com/oauth",
        "https://login.example.com?x",
        "https://login.example.com/#",
        "https://me@login.example.com",
        "https://login.example.com:port",
        "http://[::1",
    ],
)
def test_what_cannot_be_an_issuer_is_refused(given: str) -> None:
    assert len(problems(public_url=given)) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "login.example.com"])
def test_off_loopback_the_public_address_has_to_be_said(host: str) -> None:
    assert "required" in problems(host=host)[0]


def test_loopback_is_no_matter_of_name_servers() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("", "0.0.0.0", "localhost.example.com", "127.0.0.1.nip.io"))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("grants.db", "grants.db"),
        ("/var/lib/grants.db", "/var/lib/grants.db"),
        ("sqlite:grants.db", "grants.db"),
        ("sqlite:/var/lib/grants.db", "/var/lib/grants.db"),
        ("sqlite:///var/lib/grants.db", "/var/lib/grants.db"),
    ],
)
def test_the_database_is_a_file(given: str, path: str) -> None:
    assert load_settings(database=given).database_path == Path(path)


def test_removals_are_journalled_beside_a_file_and_beside_postgresql_only_where_it_is_said() -> None:
    assert load_settings(database="/var/lib/grants.db").removals_directory == Path("/var/lib/removals")
    assert load_settings(database="postgresql://db/grantway").removals_directory is None
    named = load_settings(database="postgresql://db/grantway", removals_journal="/var/lib/removals")
    assert named.removals_directory == Path("/var/lib/removals")


@pytest.mark.parametrize("given", ["mysql://x", ":memory:", "sqlite::memory:", "sqlite:", ""])
def test_another_database_is_refused(given: str) -> None:
    assert len(problems(database=given)) == 1


def test_proxies_are_networks_or_single_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_TRUSTED_PROXIES", "10.0.0.0/8, ::1 192.0.2.7")
    assert [str(one) for one in load_settings().trusted_proxies] == ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_PUBLIC_URL", "")
    assert load_settings().public_url is None


def test_the_catalogue_of_the_file_is_scopes(place: Path) -> None:
    (place / "data/grantway.toml").write_text(
        '[scopes."orders:read"]\nsentence.en = "See"\nsentence.de = "Sehen"\nsensitivity = "low"\nopens.en = ["Orders"]\n'
    )
    assert load_settings().catalogue == (
        Scope("orders:read", {"en": "See", "de": "Sehen"}, "low", {"en": ("Orders",)}, {}),
    )
    (place / "data/grantway.toml").write_text('[scopes.a]\nsentence.en = "See"\nevents = ["*.paid"]\n')
    with pytest.raises(CannotStart, match="no event type"):
        load_settings()
    (place / "data/grantway.toml").write_text('[scopes."two words"]\nsentence.en = "See"\n')
    assert "cannot be a scope" in problems()[0]


def test_every_setting_has_a_sentence() -> None:
    assert all((field.description or "").endswith(".") for field in Settings.model_fields.values())


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs/reference/settings.md").read_text()
    assert written == reference(), "run: python -m grantway.server.settings_reference > docs/reference/settings.md"
    printed = subprocess.run(
        [sys.executable, "-m", "grantway.server.settings_reference"], capture_output=True, check=True, text=True
    )
    assert printed.stdout == written
