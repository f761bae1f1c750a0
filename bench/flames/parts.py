"""The parts that a request's time is told by, and which of them a stack belongs to: the innermost frame that is ours says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HTTP = "HTTP: reading, writing, the loop"
FUNNEL = "from bytes to the rule and back"
READING = "reading the request"
WRITING = "writing the answer"
RULE = "the rule"
CRYPTOGRAPHY = "sealing, signing, digests"
STORAGE_READ = "storage: reading"
STORAGE_COMMIT = "storage: changing, committing"
LOG = "log and counters"
PARTS = (HTTP, FUNNEL, READING, RULE, CRYPTOGRAPHY, STORAGE_READ, STORAGE_COMMIT, WRITING, LOG)

_CRYPTOGRAPHY = ("digests", "jwt", "keys", "tokens", "vault")
_BY_MODULE: Mapping[str, str] = {
    **dict.fromkeys((f"grantway/protocol/{name}.py" for name in _CRYPTOGRAPHY), CRYPTOGRAPHY),
    "grantway/server/mint.py": CRYPTOGRAPHY,
    "grantway/server/direct.py": HTTP,
    "grantway/server/run.py": HTTP,
    "grantway/server/log.py": LOG,
    "grantway/server/metrics/": LOG,
    "grantway/server/storage/sql/changes.py": STORAGE_COMMIT,
    "grantway/server/storage/sql/": STORAGE_READ,
    "grantway/server/storage/sqlite/asking.py": STORAGE_READ,
    "grantway/server/storage/sqlite/facts/": STORAGE_READ,
    "grantway/server/storage/sqlite/codec.py": STORAGE_READ,
    "grantway/server/storage/sqlite/parsed.py": STORAGE_READ,
    "grantway/server/storage/sqlite/storage.py": STORAGE_READ,
    "grantway/server/storage/sqlite/": STORAGE_COMMIT,
    "grantway/server/storage/postgres/commits.py": STORAGE_COMMIT,
    "grantway/server/storage/postgres/": STORAGE_READ,
    "grantway/server/storage/port.py": RULE,
    "grantway/server/": FUNNEL,
    "grantway/protocol/": RULE,
    "asyncio/": HTTP,
    "uvicorn/": HTTP,
    "uvloop/": HTTP,
}
"""By how the path of a module begins, the longest first of those that fit."""
_LONGEST_FIRST = sorted(_BY_MODULE, key=len, reverse=True)


def part_of(stack: Sequence[str]) -> str:
    """The part of a stack whose frames are ``function module``, the outermost first."""
    for frame in reversed(stack):
        function, _, module = frame.partition(" ")
        if module.startswith("grantway/wire/dialects/"):
            return WRITING if function.startswith("write_") else READING
        for beginning in _LONGEST_FIRST:
            if module.startswith(beginning):
                return _BY_MODULE[beginning]
    return HTTP
