"""Requests nobody sensible would send, and what must hold of the answers: see ``Watch``.

Every text that is made here carries ``MARK``, so that finding it again in a log line or a reply is one search.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.helpers.asgi import Reply
from tests.helpers.logs import log_goes_to

MARK = "zq7mark"
NAMES = (
    "client_id", "client_secret", "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope",
    "resource", "token", "token_type_hint", "state", "response_type", "code_challenge", "code_challenge_method",
    "prompt", "audience", "account", "decision", "shown", "request", "csrf", "removed", "v",
)  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded", "application/json", "application/x-www-form-urlencoded; charset=utf-8",
    "APPLICATION/JSON", "text/plain", "multipart/form-data; boundary=x", "application/vnd.api+json", "", ";", "\xe9",
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "BREW", "")


@dataclass(frozen=True)
class Known:
    """Stands for something real of this run: a client's id, a secret, a token."""

    name: str


@dataclass(frozen=True)
class Sent:
    """One request; what is ``Known`` in it is put in by ``fill``."""

    method: str
    path: str
    query: list[tuple[str, Any]] | bytes
    headers: list[tuple[str, Any]]
    body: Any
    cut: int
    hangs_up: bool


def texts(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Values: real ones, broken ones, long ones."""
    return st.one_of(
        st.sampled_from([Known(name) for name in known]),
        st.text(max_size=30).map(lambda text: MARK + text),
        st.sampled_from([
            "", "\0", "%", "é", "\U0001f511", "a" * 9000, "code", "S256", "allow", "none", "login", "authorization_code",
            "refresh_token", "client_credentials", "read", " read  write ", "gwa_", "gwr_x", "gwc_0", "a.b.c", "e30.e30.",
            "http://127.0.0.1:9999/cb", "javascript:alert(1)", "https://x.example/#f",
        ]),
    )  # fmt: skip


def pairs(known: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, Any]]]:
    names = st.one_of(st.sampled_from(NAMES), st.text(max_size=8))
    return st.lists(st.tuples(names, texts(known)), max_size=8)


def json_values(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    leaves = texts(known) | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    inner = st.recursive(
        leaves, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3)
    )
    return st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=8)


RAW = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([
        b"{", b"[" * 5000, b'{"a":' * 2000, b"null", b'{"code":"a","code":"b"}', b"a=%zz", b"a=%c3", b"\xff=\xfe",
        b"&" * 500, b"x=1&" * 200, b"\0" * 10, b"a" * 65536, b"a" * 65537, b"client_id=" + b"9" * 70000,
    ]),
)  # fmt: skip


@dataclass(frozen=True)
class Template:
    """A request as it should be: what mutations begin with.

    ``fields`` are the body's or, for a GET, the query's; ``<name>`` in the path stands for something ``Known``.
    """

    method: str
    path: str
    fields: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, Any], ...] = ()
    kind: str = "form"


def requests(templates: tuple[Template, ...], known: tuple[str, ...]) -> st.SearchStrategy[Sent]:
    """Requests to these addresses: almost right ones, and ones that are nothing at all.

    ``known`` are the names that ``fill`` will be given values for.
    """
    return st.one_of(*[_almost(one, known) for one in templates], _anything(templates, known))


@st.composite
def _almost(draw: st.DrawFn, template: Template, known: tuple[str, ...]) -> Sent:
    values = texts(known)
    fields: list[tuple[str, Any]] = []
    for name, right in template.fields:
        change = draw(st.sampled_from(["keep"] * 12 + ["drop", "replace", "repeat", "empty"]))
        if change != "drop":
            fields.append((name, draw(values) if change == "replace" else "" if change == "empty" else right))
        if change == "repeat":
            fields.append((name, draw(values)))
    if draw(st.sampled_from([False] * 3 + [True])):
        fields += draw(pairs(known))
    headers = [
        (name, draw(values) if draw(st.sampled_from([False] * 9 + [True])) else right)
        for name, right in template.headers
    ]
    if draw(st.sampled_from([False] * 7 + [True])):
        headers += [pair for pair in draw(_headers(known)) if pair[0] not in ("content-type", "content-length")]
    in_query = template.method != "POST"
    body: Any = b"" if in_query else dict(fields) if template.kind == "json" else fields
    if not in_query:
        right = "application/json" if template.kind == "json" else TYPES[0]
        headers.append(("content-type", draw(st.sampled_from([right] * 12 + list(TYPES)))))
    return Sent(
        template.method, template.path, fields if in_query else [], headers, body, draw(st.integers(0, 3)), False
    )


def _headers(known: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, Any]]]:
    values = texts(known)
    schemes = st.sampled_from(["Basic ", "Bearer ", "basic ", "BEARER  ", "Digest ", "Client ", "", "Basic"])
    return st.fixed_dictionaries(
        {"content-type": st.sampled_from(TYPES)},
        optional={
            "authorization": st.tuples(schemes, values | st.binary(max_size=40)),
            "cookie": values | st.binary(max_size=60),
            "content-length": st.sampled_from(
                ["0", "-1", "1e9", "99999999999999999999", "0" * 5000 + "1", "x", "", "\xb2"]
            ),
            "origin": st.sampled_from(["https://evil.example", "null", "\xff"]),
            "idempotency-key": values,
            "accept-language": st.sampled_from(["de", "*;q=0", "\xff", "a" * 5000, "en;q=9"]),
            "host": st.sampled_from(["evil.example", "", "[::1", "a:b:c"]),
            "x-forwarded-for": st.sampled_from(["1.2.3.4", "nonsense", "," * 100]),
        },
    ).map(lambda given: list(given.items()))


@st.composite
def _anything(draw: st.DrawFn, templates: tuple[Template, ...], known: tuple[str, ...]) -> Sent:
    template = draw(st.sampled_from(templates))
    return Sent(
        method=draw(st.sampled_from([template.method] * 12 + list(METHODS))),
        path=template.path,
        query=draw(pairs(known) | RAW),
        headers=draw(_headers(known)),
        body=draw(st.one_of(st.just(b""), pairs(known), json_values(known), RAW)),
        cut=draw(st.integers(0, 3)),
        hangs_up=draw(st.sampled_from([False] * 9 + [True])),
    )


def fill(sent: Sent, known: dict[str, str]) -> dict[str, Any]:
    """The request as ``Caller.raw`` takes it."""
    body = sent.body
    if isinstance(body, list):
        body = form(body, known)
    elif isinstance(body, dict):
        body = json(body, known)
    parts = [body] if sent.cut == 0 else [body[: len(body) // 2], *([b""] * (sent.cut - 1)), body[len(body) // 2 :]]
    path = sent.path
    for name, text in known.items():
        path = path.replace(f"<{name}>", text)
    return {
        "method": sent.method,
        "path": path,
        "query": form(sent.query, known) if isinstance(sent.query, list) else sent.query,
        "headers": [(name.encode(), header(value, known)) for name, value in sent.headers],
        "parts": parts,
        "hangs_up": sent.hangs_up,
    }


def form(given: list[tuple[str, Any]], known: dict[str, str]) -> bytes:
    return "&".join(f"{quote(name, errors='replace')}={quote(value(one, known))}" for name, one in given).encode()


def json(given: Any, known: dict[str, str]) -> bytes:
    import json as lenient

    return lenient.dumps(given, default=lambda one: known[one.name]).encode("utf-8", "replace")


def header(given: Any, known: dict[str, str]) -> bytes:
    if isinstance(given, tuple):
        return given[0].encode() + header(given[1], known)
    if isinstance(given, bytes):
        return given
    return value(given, known).encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")


def value(given: Any, known: dict[str, str]) -> str:
    return known[given.name] if isinstance(given, Known) else str(given).encode("utf-8", "replace").decode()


# --- what must hold -------------------------------------------------------------------------------------------------

_ISSUED = re.compile(r'"(?:access_token|refresh_token)":"([^"]+)"|name="csrf" value="([^"]+)"')


@dataclass
class Watch:
    """Everything that is logged in this process, at every level, and what must never be in it."""

    log: BytesIO
    secrets: set[str] = field(default_factory=set, repr=False)
    replies: int = 0

    def remember(self, reply: Reply) -> None:
        """What this reply gives away to its receiver is nobody else's business from now on."""
        self.replies += 1
        self.secrets.update(found for pair in _ISSUED.findall(reply.body.decode("utf-8", "replace")) for found in pair)
        self.secrets.update(line.partition("=")[2].partition(";")[0] for line in reply.all("set-cookie"))
        location = reply.header("location") or ""
        self.secrets.update(
            re.findall(r"[?&]code=([^&]+)", location) + re.findall(r"/authorize/([^/?]{20,})", location)
        )
        self.secrets.discard("")
        self.secrets.discard('""')

    def settle(self) -> None:
        """Every request left its line, and no line holds what was sent or given out."""
        written = self.log.getvalue().decode("utf-8", "replace")
        assert written.count('"answered"') >= self.replies > 0, "these are not all the logs of this run"
        leaks = [f"{secret[:8]}…" for secret in (MARK, *self.secrets) if secret in written]
        assert not leaks, f"the log has {leaks}"
        assert "Traceback" not in written
        assert "?" not in written.replace("??", ""), "the log has a query string"


@contextmanager
def watching() -> Iterator[Watch]:
    """Take in what our log and logging write, from debug on, while the block runs."""
    buffer = BytesIO()
    handler = logging.StreamHandler(_Text(buffer))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with log_goes_to(buffer):
            yield Watch(buffer)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class _Text:
    def __init__(self, buffer: BytesIO) -> None:
        self._buffer = buffer

    def write(self, text: str) -> None:
        self._buffer.write(text.encode("utf-8", "replace"))

    def flush(self) -> None:
        """Nothing waits."""
