"""What is counted, how several workers' counts come together, and who may read them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from grantway.protocol.administration.operator_keys import CreatedOperatorKey, create_operator_key
from grantway.server.metrics import Metrics
from grantway.server.metrics.counting import MOST_CELLS
from grantway.server.metrics.exposition import exposition
from grantway.server.metrics.shared import Shelf, clear, directory_of
from grantway.server.storage.port import Census, Figures
from tests.helpers.asgi import Reply
from tests.helpers.server import fetch, serving
from tests.helpers.world import World, world

NOTHING = Census(0, 0, 0)
ALIVE = {**asdict(Figures()), "alive": True}


@pytest.fixture
def there() -> Iterator[World]:
    with world() as one:
        yield one


def key(there: World, *scopes: str) -> str:
    made = there.house.decide(create_operator_key, "Prometheus", scopes).answer
    assert isinstance(made, CreatedOperatorKey)
    return made.text


def scrape(there: World, text: str | None) -> Reply:
    return there.get("/metrics", **({"authorization": f"Bearer {text}"} if text else {}))


def samples(text: str) -> dict[str, float]:
    """The samples by name and labels, as any Prometheus would read them; a line that is none fails."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            read = re.fullmatch(r'([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)', line)
            assert read, line
            assert read[1] not in found, f"twice: {line}"
            found[read[1]] = float(read[2])
    return found


def test_metrics_are_for_a_key_that_may_read_them(there: World) -> None:
    assert scrape(there, None).status == 401
    assert scrape(there, "gwo_nonsense").status == 401
    assert scrape(there, there.standard_tokens()["access_token"]).status == 401
    refused = scrape(there, key(there, "audit:read"))
    assert (refused.status, refused.json()["error"]) == (403, "insufficient_scope")
    told = scrape(there, key(there, "metrics:read"))
    assert (told.status, told.header("content-type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert told.header("cache-control") == "no-store"


def test_what_was_answered_is_counted_by_route_status_and_reason(there: World) -> None:
    there.standard_tokens()
    there.post_form("/token", {"grant_type": "password", **there.proof()})
    there.post_form("/token", {"grant_type": "client_credentials", **there.proof()})
    found = samples(scrape(there, key(there, "metrics:read")).body.decode())
    assert found['grantway_requests_total{route="token",status="2xx"}'] == 2
    assert found['grantway_requests_total{route="token",status="4xx"}'] == 1
    assert found['grantway_tokens_total{grant_type="authorization_code",format="opaque"}'] == 1
    assert found['grantway_tokens_total{grant_type="client_credentials",format="opaque"}'] == 1
    assert found['grantway_request_duration_seconds_count{route="token"}'] == 3
    assert found['grantway_request_duration_seconds_bucket{route="token",le="+Inf"}'] == 3
    assert found['grantway_requests_total{route="POST /authorize/{pending_id}",status="3xx"}'] >= 1
    assert found['grantway_connection_changes_total{change="created"}'] == 1
    assert found['grantway_audited_total{action="consented"}'] == 1
    assert found["grantway_connections"] == 1
    assert found["grantway_workers"] == 1
    assert sum(count for name, count in found.items() if name.startswith("grantway_decisions_total")) == sum(
        count for name, count in found.items() if name.startswith("grantway_requests_total")
    )


def test_nothing_that_a_request_said_becomes_a_label(there: World) -> None:
    for method, path in (("BREW", "/zq7mark"), ("GET", "/zq7mark"), ("GET", "/icons/zq7mark.png"), ("ZQ7MARK", "/")):
        there.caller.request(method, path)
    there.post_form("/token", {"grant_type": "zq7mark", "client_id": "zq7mark"})
    body = scrape(there, key(there, "metrics:read")).body.decode()
    assert "zq7mark" not in body.lower()
    assert 'route="OTHER unknown"' in body


def test_buckets_hold_all_that_took_no_longer() -> None:
    metrics = Metrics()
    for ms in (0.2, 0.5, 0.6, 3, 99999):
        metrics.answered("token", 200, "ok", ms)
    found = samples(exposition(metrics, [ALIVE], NOTHING).decode())
    by_bound = {
        re.findall('le="(.*)"', name)[0]: count for name, count in found.items() if "duration_seconds_bucket" in name
    }
    assert (by_bound["0.0005"], by_bound["0.001"], by_bound["0.0025"], by_bound["0.005"]) == (2, 3, 3, 4)
    assert (by_bound["2.5"], by_bound["+Inf"]) == (4, 5)
    assert found['grantway_request_duration_seconds_sum{route="token"}'] == pytest.approx(100.0033)


def test_there_are_only_so_many_cells_whatever_happens() -> None:
    metrics = Metrics()
    for number in range(MOST_CELLS + 50):
        metrics.answered("token", 400, f"reason_{number}", 1)
    assert len(metrics.answers) <= MOST_CELLS + 1
    assert sum(cell.count for cell in metrics.answers.values()) == MOST_CELLS + 50


def test_labels_are_escaped() -> None:
    metrics = Metrics()
    metrics.delivery('a"b\\c\nd', "delivered")
    text = exposition(metrics, [ALIVE], NOTHING).decode()
    assert r'{kind="a\"b\\c\nd",outcome="delivered"} 1' in text


def test_a_worker_that_ended_stays_counted_and_waits_for_nothing(tmp_path: Path) -> None:
    clear(tmp_path)
    directory = directory_of(tmp_path, os.getpid())
    for pid in (os.getpid(), 2**22 - 3):  # the second is beyond what Linux gives by itself
        metrics = Metrics()
        metrics.issued("refresh_token", "opaque")
        Shelf(directory, f"{pid}-1").put(metrics, Figures(waiting=7))
    others = Shelf(directory, f"{os.getpid()}-2").others()
    assert sorted(other["alive"] for other in others) == [False, True]
    total = Metrics()
    for other in others:
        total.add(other)
    found = samples(
        exposition(total, [ALIVE, *({**o["gauges"], "alive": o["alive"]} for o in others)], NOTHING).decode()
    )
    assert found['grantway_tokens_total{grant_type="refresh_token",format="opaque"}'] == 2
    assert found["grantway_storage_waiting"] == 7
    assert found["grantway_workers"] == 2


def test_a_new_server_begins_with_no_files_and_leaves_those_of_one_that_runs(tmp_path: Path) -> None:
    for name in ("metrics-1", f"metrics-{2**22 - 3}", f"metrics-{os.getpid()}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "5-1.json").write_text("{}")
    clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["metrics-1", f"metrics-{os.getpid()}"])
    assert list(directory_of(tmp_path, os.getpid()).iterdir()) == []


def test_a_file_that_cannot_be_read_or_written_stops_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "gone"
    Shelf(directory, "1-1").put(Metrics(), Figures())
    directory.mkdir()
    (directory / "2-1.json").write_text("{half")
    assert Shelf(directory, "1-1").others() == []


@pytest.mark.slow
def test_any_of_two_workers_tells_the_counts_of_both(tmp_path: Path) -> None:
    with serving(tmp_path / "data", workers=2) as server:
        text = server.cli("operator-keys", "create", "--name", "Prometheus", "--scope", "metrics:read")["key"]
        for _ in range(40):
            assert fetch("GET", f"{server.base_url}/jwks.json").status == 200
        deadline = time.monotonic() + 60
        while True:
            seen = fetch("GET", f"{server.base_url}/metrics", [("authorization", f"Bearer {text}")])
            found = samples(seen.body.decode())
            if found.get('grantway_requests_total{route="jwks",status="2xx"}') == 40 and found["grantway_workers"] == 2:
                break
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        assert server.stop() == 0
