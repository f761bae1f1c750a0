"""What pages refer to: the stylesheet under an address that changes with it, and the icons of integrations."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.responses import Response

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Icon
from grantway.protocol.moment import Moment
from grantway.server.pages.theme import Theme

_STATIC = Path(__file__).parent / "static"
_PLAIN = Theme()
FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
STYLES = ("grantway.css", "consoles.css")
"""One stylesheet for all pages, in this order; the theme comes last."""


class Assets:
    """The static files, read once. A file's address carries a digest of it, so it can be kept for ever."""

    def __init__(self, theme: Theme = _PLAIN, folder: Path = _STATIC) -> None:
        css = b"\n".join((folder / name).read_bytes() for name in STYLES) + theme.css.encode()
        self.stylesheet = f"/static/grantway-{hashlib.sha256(css).hexdigest()[:12]}.css"
        self._files = {self.stylesheet: (css, "text/css; charset=utf-8", FOREVER)}
        self._files["/static/favicon.png"] = (
            (folder / "favicon.png").read_bytes(),
            "image/png",
            "public, max-age=86400",
        )
        self.logo = theme.logo
        if self.logo is not None:
            self._files[self.logo.path] = (self.logo.png, "image/png", FOREVER)

    def response(self, path: str) -> Response | None:
        """The file of this address, or ``None``."""
        found = self._files.get(path)
        if found is None:
            return None
        body, media_type, keep = found
        return Response(body, media_type=media_type, headers={"cache-control": keep})


async def icon_of(facts: Facts, at: Moment, client_id: str) -> Decision[Icon | None]:
    """The icon of a client that is in use. Asked by browsers, so by the public id."""
    client = await facts.client(client_id)
    if client is None or client.ended_at is not None:
        return Decision(None, reason="icon_of_nobody")
    return Decision(await facts.icon(client.id))


async def icons_of(facts: Facts, at: Moment, clients: frozenset[bytes]) -> Decision[dict[bytes, str]]:
    """For a page: which of these clients (row ids) have an icon, and its digest."""
    found = {row_id: await facts.icon(row_id) for row_id in sorted(clients)}
    return Decision({row_id: icon.digest for row_id, icon in found.items() if icon is not None})
