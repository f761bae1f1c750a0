"""How close to the floor: parts of a request by themselves, what they add up to, and what a request costs with us.

    python -m bench.floor [--rounds 5] [--seconds 1] [--record]

CPU in microseconds a request, 32 connections of wrk on one core, the server on the other. nginx, the bare application, our
probe and our operations are loaded in turn; medians.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import processes, tables
from bench.compare import LOAD_CORE, ROOT, SERVER_CORE, script_of
from bench.floor import parts
from bench.load import load, need_wrk
from bench.ours import fill, material_of
from bench.postgres import Cluster
from bench.processes import Program, answers, free_port
from bench.server import Server
from bench.systems import ES256, INTROSPECTION, OPAQUE, REFRESH, Amounts, Running
from grantway.server.settings import Settings

BEGIN, END = "<!-- begin: bench.floor -->", "<!-- end: bench.floor -->"
OPERATIONS = (OPAQUE, ES256, REFRESH, INTROSPECTION)
NGINX, BARE, PROBE = "nginx, a file of 200 bytes", "an application that says `{}`, on uvicorn", "our `/health/live`"
_PAGE = 200
_NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""
_CONNECTIONS = 32

Loaded = tuple[str, int, tuple[str, ...]]
"""An address, the process that answers there, and the load script with its arguments."""


def main() -> None:
    options = argparse.ArgumentParser(
        prog="bench.floor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1, help="of each run")
    options.add_argument("--record", action="store_true", help="write the tables into the documentation")
    chosen = options.parse_args()
    need_wrk()
    with tempfile.TemporaryDirectory(prefix="grantway-floor-") as made, ExitStack() as stack:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        cpu = _loaded(stack, folder, chosen)
        text = "\n\n".join((_by_itself(stack, folder, cpu), _beside(folder / "ours" / "grantway.db", cpu)))
    print(text)
    if chosen.record:
        tables.record(text, ROOT / "docs" / "explanation" / "performance.md", BEGIN, END)


def _loaded(stack: ExitStack, folder: Path, chosen: argparse.Namespace) -> dict[str, float]:
    """Microseconds of CPU by what was loaded."""
    there: dict[str, Loaded] = {}
    if (nginx := shutil.which("nginx")) is None:
        print("Without nginx, which is not here; on Debian: apt-get install nginx-light.")
    else:
        there[NGINX] = _nginx(stack, folder, nginx)
    there[BARE] = _bare(stack, folder)
    data = folder / "ours"
    data.mkdir()
    amounts = Amounts(0, 500 * (chosen.rounds + 1), 500, 0, races=0)
    material = material_of(data, fill(Settings(data=data), data, amounts), amounts)
    server = stack.enter_context(Server(data, 1, cores=SERVER_CORE))
    there[PROBE] = (server.url, server.pid, ("get.lua", "/health/live"))
    found: dict[str, list[float]] = {}
    for turn in range(chosen.rounds + 1):
        scripts = {
            operation: script_of(Running(server.url, (server.pid,), material), operation, turn, chosen, 1)
            for operation in OPERATIONS
        }
        ours = {name: (server.url, server.pid, script) for name, script in scripts.items() if script is not None}
        for name, (url, pid, script) in (there | ours).items():
            before = processes.cpu(pid)
            came = load(url, *script, seconds=chosen.seconds, connections=_CONNECTIONS, cores=LOAD_CORE)
            if came.refused or not came.answered:
                raise SystemExit(f"{name}: {came.refused} of {came.requests} were refused.")
            if turn:
                found.setdefault(name, []).append((processes.cpu(pid) - before) / came.answered * 1e6)
    return {name: statistics.median(each) for name, each in found.items()}


def _nginx(stack: ExitStack, folder: Path, program: str) -> Loaded:
    port, own = free_port(), folder / "nginx"
    (own / "www").mkdir(parents=True)
    (own / "www" / "page").write_bytes(b"x" * _PAGE)
    (own / "nginx.conf").write_text(_NGINX.format(folder=own, port=port))
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [program, "-c", own / "nginx.conf", "-e", own / "error.log"]
    started = Program(command, own / "log", ready=lambda: answers(f"{url}/page"), cores=SERVER_CORE)
    return url, stack.enter_context(started).pid, ("get.lua", "/page")


def _bare(stack: ExitStack, folder: Path) -> Loaded:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bench.floor.bare", str(port)]
    started = Program(command, folder / "bare.log", ready=lambda: answers(url), cores=SERVER_CORE, folder=ROOT)
    return url, stack.enter_context(started).pid, ("get.lua", "/")


def _by_itself(stack: ExitStack, folder: Path, cpu: dict[str, float]) -> str:
    database = folder / "ours" / "grantway.db"
    rows = [[name, f"{cpu[name]:.1f}", ""] for name in (NGINX, BARE, PROBE) if name in cpu]
    if (openssl := parts.openssl_sign()) is not None:
        rows.append(["a signature, as `openssl speed ecdsap256` says", f"{openssl:.1f}", ""])
    rows += [
        ["the same through `cryptography`", f"{parts.sign():.1f}", ""],
        ["sealing or opening a token (AES-SIV)", f"{parts.seal():.1f}", ""],
        [
            "what a refresh reads: two statements of SQLite",
            f"{parts.read(database, parts.of_refresh(database)):.1f}",
            "",
        ],
        ["what an introspection reads: three", f"{parts.read(database, parts.of_introspection(database)):.1f}", ""],
    ]
    waits = {"4 kB appended and synced (`fdatasync`)": parts.syncs(folder)}
    for size in parts.GROUPS:
        waits[f"a commit of SQLite with {size} refresh{'es' if size > 1 else ''}"] = parts.commits(database, size)
    try:
        cluster = stack.enter_context(Cluster(folder / "postgres", SERVER_CORE))
    except FileNotFoundError as error:
        print(error)
    else:
        waits["a commit of PostgreSQL with one change"] = parts.postgres_commits(cluster.url)
    rows += [[name, f"{each.cpu:.1f}", f"{each.median:.2f} / {each.p99:.2f}"] for name, each in waits.items()]
    return tables.table(["by itself", "CPU µs", "ms, median / p99"], rows, left=1)


def _beside(database: Path, cpu: dict[str, float]) -> str:
    http, seal = cpu[BARE], parts.seal()
    refreshing, introspecting = parts.of_refresh(database), parts.of_introspection(database)
    floors = {
        OPAQUE: ("HTTP, one seal", http + seal),
        ES256: ("HTTP, one signature", http + parts.sign()),
        REFRESH: (
            "HTTP, two statements, three seals, its part of a commit of eight",
            http + parts.read(database, refreshing) + 3 * seal + parts.commits(database, 8).cpu,
        ),
        INTROSPECTION: (
            "HTTP, three statements, two seals", http + parts.read(database, introspecting) + 2 * seal
        ),
    }  # fmt: skip
    rows = [
        [operation, made_of, f"{floor:.0f}", f"{cpu[operation]:.0f}", f"{cpu[operation] / floor:.1f}"]
        for operation, (made_of, floor) in floors.items()
    ]
    return tables.table(["operation", "its floor is made of", "floor, CPU µs", "ours", "times"], rows, left=2)


if __name__ == "__main__":
    main()
