"""Peers come from their registries, at the versions of their locks, into ``build/peers``; done once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.systems import Missing

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_CACHE = ROOT / "build" / "peers"
_TOOLS = Path(sys.executable).parent


def npm(peer: str) -> Path:
    """A folder with the ``node_modules`` of this peer's lock."""
    lock = [HERE / peer / "package.json", HERE / peer / "package-lock.json"]
    there, is_done = _folder(peer, lock)
    if not is_done:
        for file in lock:
            shutil.copy(file, there)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run(command, folder=there, env={"PATH": f"{_TOOLS}:{os.environ['PATH']}", "NODE_USE_SYSTEM_CA": "1"})
        complete(there)
    return there


def python(peer: str) -> Path:
    """The ``bin`` of an environment with what is in this peer's lock."""
    lock = HERE / peer / "requirements.txt"
    there, is_done = _folder(peer, [lock])
    if not is_done:
        run([sys.executable, "-m", "venv", there / "venv"])
        install: list[str | Path] = [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--requirement",
            lock,
        ]
        run([there / "venv" / "bin" / "python", "-m", "pip", *install])
        complete(there)
    return there / "venv" / "bin"


def built(peer: str, version: str) -> tuple[Path, bool]:
    """A folder for what is fetched or built otherwise, and whether ``complete`` was said of it."""
    return _folder(peer, [], version)


def complete(there: Path) -> None:
    (there / "complete").touch()


def run(command: Sequence[str | Path], *, folder: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a registry's client or a compiler; what it could not do is the sentence why the peer is missing."""
    try:
        done = subprocess.run(
            command, check=True, cwd=folder, env={**os.environ, **(env or {})}, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise Missing(f"There is no {Path(command[0]).name} on this machine.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or ["nothing was said"]
        raise Missing(f"{Path(command[0]).name} could not: {said[-1][:200]}") from None
    return done.stdout


def tool(name: str) -> str:
    """A program of this environment or of the machine."""
    found = shutil.which(name, path=f"{_TOOLS}:{os.environ['PATH']}")
    if found is None:
        raise Missing(f"There is no {name} on this machine.")
    return found


def _folder(peer: str, lock: Iterable[Path], version: str = "") -> tuple[Path, bool]:
    name = hashlib.sha256(b"".join(file.read_bytes() for file in lock) + version.encode()).hexdigest()[:16]
    there = _CACHE / f"{peer}-{name}"
    is_done = (there / "complete").exists()
    if not is_done:
        print(f"Fetching {peer}; that happens once.", flush=True)
        shutil.rmtree(there, ignore_errors=True)
        there.mkdir(parents=True)
    return there, is_done


def pinned(peer: str, package: str) -> str:
    """The version of a package that a Python peer is locked to."""
    lines = (HERE / peer / "requirements.in").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))
