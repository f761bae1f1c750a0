"""Whatever arrives, a page goes out: never a fault, never a redirect to somewhere else."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.pages.conftest import platform

SITE = platform()
NAMES = [
    "client_id",
    "redirect_uri",
    "state",
    "request",
    "csrf",
    "username",
    "password",
    "decision",
    "shown",
    "account",
    "after",
    "state",
    "connection",
    "webhook",
]
PATHS = [
    "/", "/sign-in", "/sign-out", "/authorize", "/oauth/authorize", "/connections", "/authorize/x", "/authorize/x/account",
    "/authorize/x/account/change", "/connections/cn_x/remove", "/connections/cn_x", "/developers",
    "/developers/x", "/developers/x/edit", "/developers/x/icon", "/developers/x/deliveries", "/developers/x/deliveries/nt_x",
    "/developers/x/try/callback", "/icons/x.png", "/static/x", "//evil.example", "/authorize/\udcff",
]  # fmt: skip
pairs = st.tuples(st.sampled_from(NAMES), st.binary(max_size=20) | st.sampled_from([b"//evil.example", b"%0d%0aX:1"]))
forms = st.lists(pairs, max_size=5).map(lambda found: b"&".join(name.encode() + b"=" + value for name, value in found))
headers = st.lists(
    st.tuples(
        st.sampled_from([b"cookie", b"content-type", b"content-length", b"accept-language", b"x-forwarded-for"]),
        st.binary(max_size=40)
        | st.sampled_from(
            [
                b"application/x-www-form-urlencoded",
                b"multipart/form-data; boundary=x",
                b"__Host-grantway-browser=" + b"x" * 43,
            ]
        ),
    ),
    max_size=4,
)


async def answered(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await SITE.pages(scope, receive, send)
    return sent[0]


@settings(max_examples=300)
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    path=st.sampled_from(PATHS) | st.text(max_size=12).map(lambda text: "/" + text),
    query=forms | st.binary(max_size=40),
    body=forms | st.binary(max_size=40),
    sent=headers,
)
@example("GET", "/\n", b"", b"", [])
def test_any_bytes_are_answered_with_a_page_or_a_redirect_to_one(
    method: str, path: str, query: bytes, body: bytes, sent: list[tuple[bytes, bytes]]
) -> None:
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": b"", "query_string": query, "headers": sent,
        "client": ("192.0.2.1", 1), "server": ("auth.example", 443), "scheme": "https", "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    start = asyncio.run(answered(scope, body))
    said = dict(start["headers"])
    assert start["status"] < 500
    assert b"content-security-policy" in said
    location = said.get(b"location", b"/")
    assert location.startswith(b"/")
    assert not location.startswith(b"//")
