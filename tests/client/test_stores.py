"""Stores keep what they are given, whole, for nobody else to read; and a name is held by one at a time."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from grantway.client import FileStore, MemoryStore, StoreUnreadable

KEPT = {"tokens": {"access_token": "gwa_very_secret", "scope": ["read"]}, "refreshing": None, "n": 1}


@pytest.fixture(params=["memory", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "store")


def test_what_was_saved_last_is_what_is_there(store: Any) -> None:
    assert store.load("a") is None
    store.save("a", KEPT)
    store.save("a", KEPT | {"n": 2})
    store.save("b", KEPT)
    assert store.load("a") == KEPT | {"n": 2}
    store.save("a", None)
    store.save("a", None)
    assert (store.load("a"), store.load("b")) == (None, KEPT)


def test_what_is_given_out_is_a_copy(store: Any) -> None:
    store.save("a", KEPT)
    store.load("a")["tokens"]["access_token"] = "changed"
    assert store.load("a") == KEPT


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "ada@example.com", "x" * 5000, "ü/\n"])
def test_any_text_is_a_name(store: Any, name: str) -> None:
    store.save(name, KEPT)
    assert store.load(name) == KEPT
    store.try_hold(name).release()


def test_a_name_is_held_by_one_at_a_time(store: Any) -> None:
    hold = store.try_hold("a")
    assert store.try_hold("a") is None
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(store.try_hold("a")))
    thread.start()
    thread.join()
    assert found == [None]
    hold.release()
    again = store.try_hold("a")
    assert again is not None
    again.release()


def test_of_many_threads_one_holds_it(store: Any) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            hold = store.try_hold("a")
            if hold is None:
                continue
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1
            hold.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


# --- files


def test_a_file_tells_nobody_anything_and_belongs_to_its_user_only(tmp_path: Path) -> None:
    FileStore(tmp_path / "store").save("ada@example.com", KEPT)
    files = list((tmp_path / "store").iterdir())
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "ada" not in file.name
        assert b"secret" not in file.read_bytes()
    assert {file.suffix for file in files} == {"", ".sealed"}
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700


def test_a_child_that_was_forked_meanwhile_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from grantway.client import FileStore; store = FileStore(sys.argv[1])\n"
        "hold = store.try_hold('a'); child = os.fork()\n"
        "if not child: time.sleep(30); os._exit(0)\n"
        "hold.release(); again = store.try_hold('a'); os.kill(child, 9); os.waitpid(child, 0); sys.exit(again is None)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)]).returncode == 0


def test_another_store_on_the_same_directory_reads_it(tmp_path: Path) -> None:
    FileStore(tmp_path).save("a", KEPT)
    assert FileStore(tmp_path).load("a") == KEPT


def test_a_key_of_ones_own_leaves_none_beside_the_files(tmp_path: Path) -> None:
    FileStore(tmp_path, key=bytes(32)).save("a", KEPT)
    assert FileStore(tmp_path, key=bytes(32)).load("a") == KEPT
    assert not (tmp_path / "key").exists()
    with pytest.raises(StoreUnreadable):
        FileStore(tmp_path, key=b"\1" * 32).load("a")
    with pytest.raises(ValueError, match="32 bytes"):
        FileStore(tmp_path, key=b"short")


def test_a_file_that_was_changed_or_exchanged_is_not_read(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.save("a", KEPT)
    store.save("b", KEPT | {"n": 2})
    first, second = tmp_path.glob("*.sealed")
    kept = first.read_bytes()
    for spoilt in (second.read_bytes(), kept[:-1], kept[:-1] + bytes([kept[-1] ^ 1]), b"", b"gwc1", b"x" + kept[1:]):
        first.write_bytes(spoilt)
        name = "a" if first == store._path("a", "sealed") else "b"
        with pytest.raises(StoreUnreadable) as raised:
            store.load(name)
        assert raised.value.__context__ is None


def test_there_is_always_the_old_one_or_the_new(tmp_path: Path) -> None:
    store, stop, seen = FileStore(tmp_path), threading.Event(), set()
    store.save("a", KEPT)

    def read() -> None:
        while not stop.is_set():
            seen.add(store.load("a")["n"])  # type: ignore[index]

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(100):
        store.save("a", KEPT | {"n": number})
    stop.set()
    thread.join()
    assert len(seen) > 1
    assert list(tmp_path.glob("*.sealed.*")) == [], "nothing is left lying about"


def test_of_processes_that_come_at_once_one_draws_the_key(tmp_path: Path) -> None:
    program = (
        "import sys; from grantway.client import FileStore; s = FileStore(sys.argv[1]); s.save(sys.argv[2], {'n': 1})"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(each)]) for each in range(4)]
    assert [process.wait(30) for process in processes] == [0, 0, 0, 0]
    assert [FileStore(tmp_path).load(str(each)) for each in range(4)] == [{"n": 1}] * 4
    assert not list(tmp_path.glob("key.*"))
