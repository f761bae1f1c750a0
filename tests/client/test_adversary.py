"""Attacks on the client: addresses that are none, a directory that a stranger was in before, and logs at their loudest."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grantway.client import FileStore, MemoryStore, NotConnected, StoreUnreadable, Tokens, UnsafeAddress, WrongServer
from grantway.client.pending import MemoryPending
from grantway.client.standard import Metadata, Standard, _checked
from tests.helpers.hostile import Hostile, says

SECRET, ACCESS, REFRESH, NEW = "gws_secret123", "gwa_access456", "gwr_refresh789", "gwa_new"

Make = Callable[..., Any]


def at(make: Make, address: str, **settings: Any) -> Any:
    metadata = Metadata("https://login.example", address, address, address, address)
    return make(Standard("https://login.example", metadata), client_id="me", client_secret=SECRET, **settings)


@pytest.mark.parametrize(
    "address",
    [
        f"https://{'a' * 64}.example/token", "https://a..example/token", "https://.example/token", "https:///token",
        "https:token", "https://127.0.0.1:99999/", "https://[::1/", "https://me:secret@login.example/", "file:///etc/passwd",
        "https://login.example/\ud800", "https://login.example/a\r\nX: y", "https://ℝ.example\x00/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_a_typed_error_and_nothing_is_looked_up(make: Make, address: str) -> None:
    with pytest.raises(UnsafeAddress) as raised:
        at(make, address).refresh(Tokens(ACCESS, refresh_token=REFRESH))
    assert address not in str(raised.value)


@pytest.mark.parametrize(
    ("scheme", "endpoint"),
    [
        ("http", "javascript:alert(1)"),
        ("http", "data:text/html,x"),
        ("http", "//evil.example/authorize"),
        ("http", "/authorize"),
    ],
)
def test_no_browser_is_sent_where_only_a_script_or_another_scheme_would_be(
    make: Make, twin: Hostile, scheme: str, endpoint: str
) -> None:
    assert twin.base_url.startswith(scheme)
    twin.play(says(200, {"issuer": twin.base_url, "authorization_endpoint": endpoint, "token_endpoint": twin.base_url}))
    with pytest.raises(WrongServer, match="endpoint_not_https"):
        make(twin.base_url, client_id="me", redirect_uri="https://app.example/cb").begin()


def test_however_an_issuer_of_https_is_spelled_its_secrets_stay_on_https() -> None:
    for issuer in ("https://login.example", "HTTPS://login.example"):
        with pytest.raises(WrongServer):
            _checked(Metadata(issuer, token_endpoint="http://127.0.0.1:1/token"), issuer)


# --- two servers


def test_a_server_is_never_shown_what_another_gave_although_both_clients_share_store_and_name(make: Make) -> None:
    store = MemoryStore()

    def of(issuer: str, client_id: str = "me") -> Any:
        return make(Standard(issuer, Metadata(issuer)), client_id=client_id, store=store).connection("ada")

    honest, evil = of("https://login.example"), of("https://login.evil.example")
    held = Tokens(ACCESS, refresh_token=REFRESH, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    honest.keep(held)
    for stranger in (evil, of("https://login.example", "another"), of("https://login.example", "me ada")):
        for asked in (stranger.access_token, stranger.tokens, stranger.disconnect):
            with pytest.raises(NotConnected):
                asked()
    evil.keep(Tokens("gwa_evil"))
    assert honest.tokens() == held


# --- files


def test_a_key_that_others_can_read_or_that_a_stranger_put_there_seals_nothing(tmp_path: Path) -> None:
    FileStore(tmp_path / "mine").save("a", {"n": 1})
    key = tmp_path / "mine" / "key"
    key.chmod(0o644)
    with pytest.raises(StoreUnreadable):
        FileStore(tmp_path / "mine")
    key.chmod(0o660)  # as orchestrators leave the files of a volume: its group is who runs this
    assert FileStore(tmp_path / "mine").load("a") == {"n": 1}

    (tmp_path / "known").write_bytes(bytes(32))
    (tmp_path / "known").chmod(0o600)
    for target in (tmp_path / "known", tmp_path / "nowhere", Path("/dev/zero")):
        (tmp_path / f"linked-{target.name}").mkdir()
        (tmp_path / f"linked-{target.name}" / "key").symlink_to(target)
        with pytest.raises(StoreUnreadable):
            FileStore(tmp_path / f"linked-{target.name}")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_seals_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(32))
    (tmp_path / "key").chmod(0o600)
    os.chown(tmp_path / "key", 12345, 12345)
    with pytest.raises(StoreUnreadable):
        FileStore(tmp_path)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "mine")
    store._path("a", "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        store.try_hold("a")
    assert not (tmp_path / "elsewhere").exists()


# --- logs


def test_a_whole_life_at_the_loudest_leaves_no_secret_in_any_log(
    make: Make, twin: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    """httpx2 and httpcore2 log requests and answers' headers at DEBUG: what is secret has to travel in none of these."""
    base = twin.base_url
    metadata = Metadata(base, f"{base}/authorize", f"{base}/token", f"{base}/introspect", f"{base}/revoke")
    good = {"access_token": NEW, "token_type": "Bearer", "expires_in": 600, "refresh_token": f"{REFRESH}-2"}
    waiting, back = MemoryPending(), "https://app.example/cb"
    client = make(Standard(base, metadata), client_id="me", client_secret=SECRET, redirect_uri=back, pending=waiting)
    with caplog.at_level(logging.DEBUG):
        twin.play(says(200, good))
        begun = client.begin()
        verifier = waiting._waiting[begun.state].code_verifier
        tokens = client.complete(f"{back}?code=gwc_code012&state={begun.state}")
        client.refresh(tokens)
        twin.play(says(200, {"active": True}))
        client.info(tokens)
        twin.play(says(200, {}))
        client.revoke(tokens)
    logged = "\n".join(f"{one.getMessage()} {vars(one)!r}" for one in caplog.records)
    assert any(one.name.startswith("httpcore2") for one in caplog.records), "they were heard"
    assert verifier
    for secret in (SECRET, NEW, REFRESH, "gwc_code012", begun.state, verifier):
        assert secret not in logged
