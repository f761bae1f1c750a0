"""Forms that bring a file (RFC 7578): few parts, one small file, all of it in memory."""

from __future__ import annotations

import re

from grantway.server.pages import problems
from grantway.server.pages.problems import Stop
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import Parameters

MOST_PARTS = 8
ROOM = 16 * 1024
"""Bytes beside the file."""

_TYPE = re.compile(r'multipart/form-data;\s*boundary="?([A-Za-z0-9\'()+_,./:=? -]{1,70})"?\s*', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:\s*form-data;\s*name="([^"\r\n]{1,64})"', re.IGNORECASE)


async def read_upload(visit: Visit, file: str, largest: int, again: str) -> bytes:
    """The file of this name, once it is sure that the form is ours. Empty, when none was picked."""
    said = _TYPE.fullmatch(visit.request.headers.get("content-type", ""))
    if said is None:
        raise Stop(problems.NOT_A_FORM, reason="form_type")
    parts = read_parts(await visit.body(largest + ROOM), said[1].encode())
    if parts is None:
        raise Stop(problems.UNREADABLE, reason="form_malformed")
    csrf = parts.get("csrf", b"").decode("ascii", "replace")
    visit.check(Parameters({"csrf": csrf}), "session", again)
    return parts.get(file, b"")


def read_parts(body: bytes, boundary: bytes) -> dict[str, bytes] | None:
    """The parts by name, or ``None`` when the body is not what it says (RFC 2046 §5.1.1)."""
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if not 2 <= len(sections) <= MOST_PARTS + 2 or not sections[-1].startswith(b"--"):
        return None
    parts: dict[str, bytes] = {}
    for section in sections[1:-1]:
        head, blank, content = section.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None or (key := name[1].decode("utf-8", "replace")) in parts:
            return None
        parts[key] = content
    return parts
