"""Storage in dictionaries, for tests and the sandbox. It guards and rolls back like the others and never waits.

``storage`` settles rules, ``changes`` makes their changes true, ``tables`` holds the records with their unique keys and
undoes; ``people``, ``clients``, ``connections``, ``outbox`` and ``house`` are the facts, by subject.
"""

from grantway.server.storage.memory.storage import MemoryStorage

__all__ = ["MemoryStorage"]
