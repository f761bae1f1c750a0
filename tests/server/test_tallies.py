"""From what a process counts to what pictures show."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Tally
from grantway.protocol.moment import Moment
from grantway.protocol.tallies import KINDS
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError, drive
from grantway.server.tallies import CONNECTIONS, SIGN_INS, Tallies, totals
from tests.helpers.customer import Customer
from tests.helpers.server import fetch, serving
from tests.helpers.world import PUBLIC_URL, World, world
from tests.server.test_app import Troubled


async def all_tallies(facts: Facts, at: Moment, since: datetime) -> Decision[tuple[Tally, ...]]:
    return Decision(await facts.tallies(since))


def told(service: Service, since: datetime) -> dict[tuple[str, str], int]:
    found = drive(service.consult(all_tallies, since)).answer
    return {(tally.kind, tally.label): tally.count for tally in found}


def flush(tallies: Tallies) -> None:
    asyncio.run(tallies.flush())


def a_busy_minute(there: World) -> None:
    tokens = there.standard_tokens()
    there.refresh(tokens["refresh_token"])
    there.post_form("/token", {"grant_type": "client_credentials", **there.proof()})
    there.post_form("/token", {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"})
    stranger = Customer(there.caller.request, PUBLIC_URL, "ada@example.com", "wrong")
    with pytest.raises(AssertionError, match="refused with 403"):
        stranger.sign_in()


def test_tokens_refusals_connections_and_sign_ins_are_told_once_by_the_hour() -> None:
    with world() as there:
        service, clock = there.house.service, there.house.clock
        a_busy_minute(there)
        tallies = Tallies(service)
        flush(tallies)
        first = told(service, clock.now - timedelta(hours=1))
        assert first["tokens", "authorization_code"] == 1
        assert first["tokens", "refresh_token"] == 1
        assert first["tokens", "client_credentials"] == 1
        assert first["connections", "created"] == 1
        assert first["sign_ins", "signed_in"] == 1
        assert first["sign_ins", "wrong_password"] == 1
        refusals = {label: count for (kind, label), count in first.items() if kind == "refusals"}
        assert sum(refusals.values()) == 1
        assert not set(refusals) & set(SIGN_INS)
        flush(tallies)
        assert told(service, clock.now - timedelta(hours=1)) == first
        clock.turn(hours=1)
        there.post_form("/token", {"grant_type": "client_credentials", **there.proof()})
        flush(tallies)
        assert told(service, clock.now - timedelta(minutes=30)) == {("tokens", "client_credentials"): 1}


def test_what_nobody_has_to_answer_for_is_not_told() -> None:
    with world() as there:
        there.get("/wp-login.php")
        there.get("/token")
        assert totals(there.house.service.metrics) == {}


def test_all_kinds_are_those_that_pictures_know() -> None:
    with world() as there:
        metrics = there.house.service.metrics
        for action in CONNECTIONS:
            metrics.counts["audited", action, ""] += 1
        metrics.delivery("webhook", "delivered")
        a_busy_minute(there)
        found = totals(metrics)
        assert {kind for kind, _ in found} == set(KINDS)
        assert found["deliveries", "delivered"] == 1
        assert {label for kind, label in found if kind == "connections"} == {
            "created", "removed", "suspended", "resumed",
        }  # fmt: skip


def test_what_the_storage_does_not_take_is_told_the_next_time() -> None:
    with world() as there:
        service = there.house.service
        a_busy_minute(there)
        broken = replace(service, storage=Troubled(StorageError("busy")))
        tallies = Tallies(broken)
        flush(tallies)
        object.__setattr__(broken, "storage", service.storage)
        flush(tallies)
        assert told(service, there.house.clock.now - timedelta(hours=1))["connections", "created"] == 1


def test_a_commit_of_unknown_outcome_is_passed_on() -> None:
    with world() as there:
        a_busy_minute(there)
        with pytest.raises(OutcomeUnknown):
            flush(Tallies(replace(there.house.service, storage=Troubled(OutcomeUnknown()))))


def test_a_server_that_stops_tells_what_it_counted(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        made: dict[str, Any] = server.cli("clients", "create", "--name", "Machine", "--scope", "a")
        body = f"grant_type=client_credentials&client_id={made['client_id']}&client_secret={made['client_secret']}"
        form = [("content-type", "application/x-www-form-urlencoded")]
        for _ in range(3):
            assert fetch("POST", f"{server.base_url}/token", form, body.encode()).status == 200
        assert server.stop() == 0
        server.start()
        key = server.cli("operator-keys", "create", "--name", "Pictures", "--scope", "metrics:read")["key"]
        since = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        address = f"{server.base_url}/v1/counts?kind=tokens&since={since}"
        counts = fetch("GET", address, [("authorization", f"Bearer {key}")]).json()
        assert [(one["label"], one["count"]) for one in counts["data"]] == [("client_credentials", 3)]
