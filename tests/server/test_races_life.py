"""The end of a connection on the real server: two worker processes on one SQLite file, ten requests in one moment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.helpers.integration import Integration
from tests.helpers.server import Platform, populate, serving

ROUNDS = 5


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("races") / "data", workers=2) as server:
        yield populate(server)


def register(platform: Platform, name: str, *arguments: str) -> Integration:
    return Integration.register(platform, name, "--remove-url", "http://127.0.0.1:9999/removed", *arguments)


def ended_once(platform: Platform, connection: str, reason: str) -> dict[str, Any]:
    """Assert that the connection is removed, for this reason, and that everybody is told of it once."""
    shown = platform.server.cli("connections", "show", connection)
    assert shown["removed_reason"] == reason
    ends = [entry for entry in shown["history"] if entry["action"] == "connection_removed"]
    assert [entry["reason"] for entry in ends] == [reason]
    assert [notice["kind"] for notice in shown["deliveries"]].count("remove_url") == 1
    return shown


def test_ten_who_give_the_same_access_back_end_the_connection_once(platform: Platform) -> None:
    integration = register(platform, "Leaver")
    for _ in range(ROUNDS):
        tokens = integration.exchange(integration.code(platform))[1]
        ended: dict[str, str] = {"token": tokens["refresh_token"]}
        answers = integration.at_once(10, partial(integration.post, "/revoke", ended))
        assert [status for status, _ in answers] == [200] * 10
        ended_once(platform, tokens["connection_id"], "integrator")
        assert integration.introspect(tokens["access_token"]) == {"active": False}


def test_ten_at_once_with_one_code_that_may_not_be_repeated_end_the_connection_once(platform: Platform) -> None:
    """Token requests are proposed, so that reuse is found on a plain read: its changes carry their own guard."""
    integration = register(platform, "Strict", "--set", "code_reuse_window=0")
    for _ in range(ROUNDS):
        answers = integration.at_once(10, partial(integration.exchange, integration.code(platform)))
        assert sorted(status for status, _ in answers) == [200] + [400] * 9
        (winner,) = [answer for status, answer in answers if status == 200]
        shown = ended_once(platform, winner["connection_id"], "reuse_detected")
        assert [entry["action"] for entry in shown["history"]].count("grant_ended") == 1
        assert integration.introspect(winner["access_token"]) == {"active": False}


def test_ten_first_exchanges_at_once_all_work(platform: Platform) -> None:
    integration = register(platform, "Eager")
    codes = [integration.code(platform) for _ in range(10)]
    waiting = iter(codes)
    answers = integration.at_once(10, lambda connection: integration.exchange(next(waiting), connection))
    assert [status for status, _ in answers] == [200] * 10
    assert len({answer["connection_id"] for _, answer in answers}) == 1
    assert all(integration.introspect(answer["access_token"])["active"] for _, answer in answers)


def test_what_is_suspended_while_ten_refresh_comes_back_as_it_was(platform: Platform) -> None:
    integration = register(platform, "Patient")
    tokens = integration.exchange(integration.code(platform))[1]
    connection = tokens["connection_id"]
    platform.server.cli("connections", "suspend", connection)
    answers = integration.at_once(10, partial(integration.refresh, tokens["refresh_token"]))
    assert {(status, answer["error"], answer["connection_state"]) for status, answer in answers} == {
        (403, "access_denied", "suspended")
    }
    assert integration.introspect(tokens["access_token"]) == {"active": False, "connection_state": "suspended"}
    platform.server.cli("connections", "resume", connection)
    assert integration.introspect(tokens["access_token"])["active"] is True
    status, refreshed = integration.refresh(tokens["refresh_token"])
    assert status == 200
    assert integration.introspect(refreshed["access_token"])["active"] is True
