"""What a host is given is true: the image's recipe, the systemd unit, the nginx example."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.server import GRANTWAY, serving
from tests.house.documents import ROOT, tracked_files

RECIPE = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text())
LINES = [line for line in RECIPE.splitlines() if line and not line.startswith("#")]
INSTRUCTIONS = [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in LINES)]
UNIT = ROOT / "deploy/grantway.service"


def said(instruction: str) -> list[str]:
    """What stands after an instruction, each time."""
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def test_the_image_is_made_of_files_that_are_kept_and_sent() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    kept = {str((ROOT / path).relative_to(ROOT)) for path in tracked_files()}
    copied = [word for rest in said("COPY") if "--from" not in rest for word in rest.split()[:-1]]
    assert copied
    for name in copied:
        assert name in sent, f"{name} is not sent to the builder"
        assert any(path == name or path.startswith(f"{name}/") for path in kept), f"{name} is not there"


def test_what_is_installed_is_what_was_locked() -> None:
    installs = [words for rest in said("RUN") for words in map(shlex.split, rest.split("&&")) if "install" in words]
    of_pip = [words for words in installs if any(word.endswith(("pip", "python")) for word in words)]
    assert len(of_pip) == 3
    for words in of_pip:
        assert "--require-hashes" in words or {"--no-deps", "--no-index"} <= set(words)


def test_the_image_runs_one_program_that_is_not_root_and_hears_signals() -> None:
    last = INSTRUCTIONS[max(index for index, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]
    said_last = dict(last)
    assert said_last["USER"].isdigit()
    assert int(said_last["USER"]) > 0
    assert said_last["STOPSIGNAL"] == "SIGTERM"
    assert [*json.loads(said_last["ENTRYPOINT"]), *json.loads(said_last["CMD"])] == ["grantway", "serve"]
    assert said_last["VOLUME"] in said_last["ENV"]


def test_the_image_is_healthy_when_the_server_answers(tmp_path: Path) -> None:
    (rest,) = said("HEALTHCHECK")
    program, *arguments = json.loads(rest.partition("CMD ")[2])
    assert program == "python"
    with serving(tmp_path / "data") as server:
        environment = {"GRANTWAY_PORT": str(server.port)}
        assert subprocess.run([sys.executable, *arguments], env=environment).returncode == 0
    asked = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True)
    assert asked.returncode != 0


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="There is no systemd-analyze to read the unit with."
)
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "grantway.service"
    unit.write_text(UNIT.read_text().replace("/opt/grantway/bin/grantway", str(GRANTWAY)))
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_is_told_when_the_server_is_ready(tmp_path: Path, workers: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(30)
        systemd.bind(str(tmp_path / "notify"))
        with serving(tmp_path / "data", workers=workers, NOTIFY_SOCKET=str(tmp_path / "notify")):
            assert systemd.recv(100) == b"READY=1"
