"""Time as the vendors have it, over a socket: the server is in this process, so its clock can be turned.

``grantway serve`` has no way to turn it: nobody waits here, and nobody can in production.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from grantway.client import Refused, Square
from grantway.client.vendors.square import ObtainTokenRequest
from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.server.app import build_app
from grantway.server.passwords import hash_password
from grantway.server.settings import Settings
from tests.helpers.customer import Customer
from tests.helpers.people import House
from tests.helpers.server import PASSWORD, fetch
from tests.helpers.socket_server import serving
from tests.helpers.square import PERMISSIONS, REDIRECT_URI, Application, error, said


@dataclass
class Till(Application):
    """A Square application on a server whose clock stands still until it is turned."""

    house: House
    account_id: str

    def at(self, **duration: float) -> None:
        """Turn the clock to so long after the start."""
        self.house.clock.now = START + timedelta(**duration)

    def is_active(self, token: str) -> bool:
        return self.status(token).status == 200


START = House.in_memory().clock()


@pytest.fixture
def till() -> Iterator[Till]:
    house = House.in_memory(log_level="error")
    ada, acme = house.user("ada@example.com", "Ada", hash_password(PASSWORD)), house.account("Acme")
    house.member(acme, ada)
    made = house.client(
        "Till", profile="square", redirect_uris=(REDIRECT_URI,), scopes=PERMISSIONS, default_scopes=PERMISSIONS
    )
    with serving(build_app(house.service)) as origin:
        customer = Customer(fetch, origin, "ada@example.com", PASSWORD)
        yield Till(fetch, origin, made, customer, house, show("ac", acme.id))


def test_a_token_is_renewed_at_day_29_and_at_day_44_and_not_at_day_46(till: Till) -> None:
    first, second, third = (till.tokens()["access_token"] for _ in range(3))
    till.at(days=29)
    assert till.is_active(first)
    renewed = said(till.renew(first))
    assert datetime.fromisoformat(renewed["expires_at"]) == START + timedelta(days=59)
    till.at(days=44)
    assert not till.is_active(second)
    assert till.is_active(said(till.renew(second))["access_token"])
    assert till.is_active(renewed["access_token"])
    till.at(days=46)
    assert error(till.renew(third))[:3] == (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED")
    till.at(days=60)
    assert not till.is_active(renewed["access_token"])


def test_a_renewed_token_cannot_be_renewed_again_a_moment_later(till: Till) -> None:
    token = till.tokens()["access_token"]
    till.at(days=40)
    said(till.renew(token))
    till.at(days=40, seconds=119)
    said(till.renew(token))
    till.at(days=40, seconds=120)
    assert till.renew(token).status == 401


def test_a_refresh_token_of_pkce_lives_ninety_days_from_its_last_use(till: Till) -> None:
    first = till.tokens_with_pkce()
    assert datetime.fromisoformat(first["refresh_token_expires_at"]) == START + timedelta(days=90)
    till.at(days=89)
    second = said(till.refresh(first["refresh_token"], client_secret=None))
    assert datetime.fromisoformat(second["refresh_token_expires_at"]) == START + timedelta(days=179)
    till.at(days=89 + 91)
    late = till.refresh(second["refresh_token"], client_secret=None)
    assert error(late)[:3] == (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED")


def test_a_refresh_token_of_the_code_flow_outlives_them_all(till: Till) -> None:
    tokens = till.tokens()
    till.at(days=4000)
    again = said(till.refresh(tokens["refresh_token"]))
    assert again["refresh_token"] == tokens["refresh_token"]
    assert till.is_active(again["access_token"])


def test_a_short_lived_token_works_after_23_hours_and_not_after_25(till: Till) -> None:
    token = till.tokens(short_lived=True)["access_token"]
    till.at(hours=23)
    assert till.is_active(token)
    till.at(hours=25)
    assert not till.is_active(token)


def test_a_code_works_for_five_minutes(till: Till) -> None:
    in_time, late = till.code(), till.code()
    till.at(minutes=4.9)
    assert till.obtain(code=in_time).status == 200
    till.at(minutes=5)
    assert error(till.obtain(code=late))[:3] == (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED")


def test_a_migration_token_is_exchanged_once_in_the_words_of_our_client(till: Till) -> None:
    line = OlderGrant(till.client_id, till.account_id, (OlderToken("migration", digest("sq0atp-older")),))
    till.house.decide(import_tokens, line)
    with Square(base_url=till.base_url) as client:
        asked = ObtainTokenRequest(
            client_id=till.client_id, client_secret=till.secret, grant_type="migration_token",
            migration_token="sq0atp-older",
        )  # fmt: skip
        tokens = client.obtain_token(asked)
        assert tokens.refresh_token
        assert till.is_active(tokens.access_token)
        with pytest.raises(Refused):
            client.obtain_token(asked)
        assert till.is_active(tokens.access_token)


def test_no_setting_of_a_server_turns_its_clock() -> None:
    assert not [name for name in Settings.model_fields if "clock" in name or "now" in name or "offset" in name]
