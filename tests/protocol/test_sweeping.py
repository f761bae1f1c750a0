"""A grant goes when none of its tokens can be used any more, and not a day before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.connections import remove
from grantway.protocol.decision import Put
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.model import Grant, Restoration
from grantway.protocol.permanent import make_token
from grantway.protocol.sweeping import LOOK_AGAIN, sweep_grants
from grantway.server.storage.port import drive
from tests.helpers.stage import Stage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def swept(stage: Stage) -> int:
    """How many grants a turn of the sweeper takes; it looks until there is nothing to look at."""
    before = len(stage.all(Grant))
    while stage.decide(sweep_grants, 10).answer == 10:
        pass
    return before - len(stage.all(Grant))


def days_until_it_goes(stage: Stage, up_to: int = 500) -> int | None:
    """How many days from now, with a look every day; ``None``: not within ``up_to``."""
    for day in range(up_to):
        if swept(stage):
            return day
        stage.wait(days=1)
    return None


def test_a_grant_goes_a_month_after_the_last_token_that_its_refresh_token_could_have_got(stage: Stage) -> None:
    by = stage.integration()  # 90 days without a refresh, access tokens for ten minutes
    tokens = stage.connect(by)
    stage.wait(days=89)
    tokens = stage.refreshed(by, tokens.refresh)
    assert swept(stage) == 0
    stage.wait(days=89)
    assert swept(stage) == 0
    stage.wait(days=1, minutes=-1)
    stage.refreshed(by, tokens.refresh)  # the last moment
    assert days_until_it_goes(stage) == 90 + 30 + 1


@pytest.mark.parametrize(
    ("policy", "days"),
    [
        ({"refresh_idle_lifetime": None, "refresh_lifetime": 10 * 86_400}, 10 + 30 + 1),
        ({"refresh_lifetime": 10 * 86_400}, 10 + 30 + 1),
        ({"access_token_lifetime": 200 * 86_400}, 90 + 200 + 30 + 1),
        (
            {"access_token_lifetime": 86_400, "issues_refresh_tokens": False, "grant_types": "authorization_code"},
            90 + 1 + 30 + 1,
        ),
        ({"refresh_idle_lifetime": None}, None),
        ({"access_token_lifetime": None}, None),
    ],
)
def test_it_goes_by_its_clients_policy(stage: Stage, policy: dict[str, Any], days: int | None) -> None:
    stage.connect(stage.integration(policy=policy))
    assert days_until_it_goes(stage) == days


def test_where_nothing_rotates_the_last_day_of_use_counts(stage: Stage) -> None:
    by = stage.integration(policy={"rotates_refresh_tokens": False})
    tokens = stage.connect(by)
    for _ in range(4):
        stage.wait(days=80)
        assert swept(stage) == 0
        stage.refreshed(by, tokens.refresh)
    assert days_until_it_goes(stage) == 90 + 30 + 1


def test_tokens_without_end_keep_their_grant(stage: Stage) -> None:
    stage.connect(stage.sunshine())
    square = stage.square(policy={})
    stage.connect(square, code_challenge=None)
    assert stage.decide(make_token, square.client.client_id, stage.acme.id).reason == "permanent_token_made"
    assert days_until_it_goes(stage, 800) is None


def test_a_token_that_is_used_keeps_its_grant_even_where_the_policy_was_shortened_after_it(stage: Stage) -> None:
    endless = {"access_token_lifetime": None, "issues_refresh_tokens": False, "grant_types": "authorization_code"}
    by = stage.integration(policy=endless)
    tokens = stage.connect(by)
    stage.amend(by.client, overrides=tuple(sorted((endless | {"access_token_lifetime": 600}).items())))
    for _ in range(10):
        stage.wait(days=29)
        assert swept(stage) == 0
        assert stage.is_active(tokens.access)
    assert days_until_it_goes(stage) is not None


def test_the_grant_of_an_implicit_token_goes_soon(stage: Stage) -> None:
    by = stage.phonecom(policy={"grant_types": "implicit"}, public=True)
    stage.authorize(by, response_type="token")
    assert days_until_it_goes(stage) == 30 + 1


def test_grants_of_a_removed_connection_go_a_month_later_or_when_they_are_looked_at(stage: Stage) -> None:
    tokens = stage.connect(stage.sunshine())
    stage.wait(days=40)
    assert swept(stage) == 0
    stage.decide(remove, stage.connection_of(tokens).id, reason="operator", actor="operator")
    gone = days_until_it_goes(stage)
    assert gone is not None
    assert 30 <= gone <= LOOK_AGAIN.days + 1


def test_a_suspended_connection_comes_back_with_all_its_grants(stage: Stage) -> None:
    by = stage.integration(policy={"refresh_idle_lifetime": None})
    tokens = stage.connect(by)
    stage.amend(stage.connection_of(tokens), suspended_at=stage.clock())
    assert days_until_it_goes(stage) is None


def test_what_may_still_be_used_is_looked_at_a_few_times_a_year_and_no_more(stage: Stage) -> None:
    stage.connect(stage.sunshine())
    looks = 0
    for _ in range(365):
        looks += stage.decide(sweep_grants).answer
        stage.wait(days=1)
    assert looks == 4


def test_nothing_goes_while_the_database_knows_less_than_its_tokens(stage: Stage) -> None:
    stage.connect(stage.integration())
    stage.wait(days=200)
    now = stage.clock()
    stage.make_true(Put(Restoration(bytes(16), now, now - DAY, now + HOUR)))
    assert swept(stage) == 0
    stage.wait(hours=2)
    assert swept(stage) == 1


@pytest.mark.parametrize(("kind", "days"), [("access", 100), ("access", None), ("refresh", 100), ("migration", 100)])
def test_the_grant_of_an_older_systems_token_stays_as_long_as_that_may_be_used(
    stage: Stage, kind: Any, days: int | None
) -> None:
    by = stage.square() if kind == "migration" else stage.integration() if days else stage.sunshine()
    expires = None if days is None else stage.clock() + days * DAY
    token = OlderToken(kind, digest("an older token"), expires)
    line = OlderGrant(by.client.client_id, show("ac", stage.acme.id), (token,), "ada@example.com")
    assert stage.decide(import_tokens, line).reason == "tokens_imported"
    for day in range(500):
        # Tokens themselves go a month after they expired.
        drive(stage.storage.sweep())
        if swept(stage):
            assert days is not None
            assert days + 30 <= day <= days + 30 + LOOK_AGAIN.days + 1
            return
        stage.wait(days=1)
    assert days is None
