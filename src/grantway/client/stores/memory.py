"""In this process, and gone with it."""

from __future__ import annotations

import threading
from copy import deepcopy
from typing import Any


class MemoryStore:
    """For tests, and for programs that connect anew each time."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def try_hold(self, name: str) -> MemoryHold | None:
        """Whoever comes first."""
        with self._lock:
            if name in self._held:
                return None
            self._held.add(name)
            return MemoryHold(self, name)

    def load(self, name: str) -> dict[str, Any] | None:
        """A copy of what was saved."""
        with self._lock:
            return deepcopy(self._kept.get(name))

    def save(self, name: str, kept: dict[str, Any] | None) -> None:
        """Keep a copy."""
        with self._lock:
            if kept is None:
                self._kept.pop(name, None)
            else:
                self._kept[name] = deepcopy(kept)

    def let_go(self, name: str) -> None:
        """The holder is done."""
        with self._lock:
            self._held.discard(name)


class MemoryHold:
    """A name in this process."""

    def __init__(self, store: MemoryStore, name: str) -> None:
        self._store = store
        self._name = name

    def release(self) -> None:
        """Let it go."""
        self._store.let_go(self._name)
