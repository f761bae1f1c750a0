"""The arithmetic of `make bench`: a ratio that is wrong would be believed."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench import processes, tables
from bench.compare import _share
from bench.figures import Cell, Run, cell, verdicts
from bench.systems import OPAQUE, REFRESH, Amounts, Running, System

BURN = """
import sys, time
while time.process_time() < 0.3:
    pass
if sys.argv[1:]:
    print("burnt", flush=True)
    sys.stdin.read()
"""


def run(answered: int, cpu: float, *, refused: int = 0, seconds: float = 2.0) -> Run:
    return Run("grantway-sqlite", REFRESH, answered, refused, seconds, cpu, 1.0, 2.0)


def figures(per_cpu_second: float) -> Cell:
    return Cell(100.0, per_cpu_second, 1e6 / per_cpu_second, 1.0, 2.0, 0, 1.0)


def never(folder: Path, amounts: Amounts, cores: str) -> AbstractContextManager[Running]:
    raise NotImplementedError


def system(key: str, peer: str) -> System:
    return System(key, peer, key, "a file", never)


def test_a_cell_is_the_median_of_its_runs_and_says_how_far_they_were_apart() -> None:
    found = cell([run(1000, 0.5), run(1000, 1.0), run(1000, 0.25)])
    assert found is not None
    assert (found.per_cpu_second, found.cpu, found.spread) == (2000, 500, 4)
    assert found.per_second == 500


def test_what_was_refused_costs_and_counts_for_nothing() -> None:
    found = cell([run(500, 1.0, refused=500)])
    assert found is not None
    assert (found.per_cpu_second, found.refused) == (500, 500)


def test_who_never_answered_has_no_figure() -> None:
    assert cell([run(0, 1.0, refused=10)]) is None


def test_an_aim_is_held_against_the_best_configuration_of_a_peer() -> None:
    systems = [system("grantway-sqlite", "Grantway"), system("slow", "Authlib"), system("quick", "Authlib")]
    cells = {
        ("grantway-sqlite", REFRESH): figures(4000),
        ("slow", REFRESH): figures(100),
        ("quick", REFRESH): figures(1000),
    }
    (only,) = verdicts(cells, systems)
    assert (only.theirs, only.ratio, only.times, only.holds) == ("quick", 4.0, 8, False)


def test_oidc_provider_is_met_where_it_is_fastest_and_only_where_an_aim_was_set() -> None:
    systems = [system(key, "oidc-provider") for key in ("oidc-provider-memory", "oidc-provider-redis")]
    cells = {
        ("grantway-sqlite", OPAQUE): figures(4000),
        ("oidc-provider-memory", OPAQUE): figures(2000),
        ("oidc-provider-redis", OPAQUE): figures(1000),
        ("grantway-sqlite", "revocation"): figures(1),
        ("oidc-provider-memory", "revocation"): figures(2),
    }
    (only,) = verdicts(cells, [system("grantway-sqlite", "Grantway"), *systems])
    assert (only.operation, only.theirs, only.ratio, only.holds) == (OPAQUE, "oidc-provider-memory", 2.0, True)


def test_a_token_that_can_be_used_once_is_in_the_share_of_one_run(tmp_path: Path) -> None:
    tokens = [f"token-{each}" for each in range(110)]
    (tmp_path / "codes").write_text("\n".join(tokens))
    chosen = Namespace(rounds=5, seconds=2)
    shares = [_share(tmp_path / "codes", turn, chosen, warm=1).read_text().split() for turn in range(6)]
    assert [len(share) for share in shares] == [10, 20, 20, 20, 20, 20]
    assert [token for share in shares for token in share] == tokens


def test_the_cpu_of_a_system_is_that_of_its_children_too_and_of_those_that_ended() -> None:
    program = f"""
import subprocess, sys
burn = [sys.executable, "-c", {BURN!r}]
subprocess.run(burn, check=True)
with subprocess.Popen([*burn, "and stay"], stdin=sys.stdin):
    pass
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "burnt\n"  # the second child; the first has ended
        assert len(processes.tree(parent.pid)) == 2
        assert processes.cpu(parent.pid) >= 0.55
        assert processes.memory(parent.pid) > 5


def test_tables_go_between_the_marks_of_a_document_and_nowhere_else(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    tables.record("new", document)
    assert document.read_text() == f"before\n{tables.BEGIN}\n\nnew\n\n{tables.END}\nafter\n"
    document.write_text("no marks")
    with pytest.raises(SystemExit):
        tables.record("new", document)
