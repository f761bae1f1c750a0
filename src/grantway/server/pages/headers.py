"""The headers that every page carries."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.responses import Response

_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def guard(response: Response, *, form_target: str | None = None, login_url: str | None = None) -> None:
    """Nothing inline, nothing from elsewhere, not framable, not kept, and no address told to where a link leads.

    ``form_target`` is the redirect URI that a form on this page may lead to: browsers apply ``form-action`` to the
    redirect after the POST as well, and ``'self'`` alone would stop every customer on their way back. So it is with
    the platform's own sign-in, where any form may lead once a session is over.
    """
    targets = dict.fromkeys(source_of(target) for target in (form_target, login_url) if target)
    form_action = " ".join(["'self'", *filter(None, targets)])
    headers = response.headers
    headers["content-security-policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers["x-frame-options"] = "DENY"
    headers["referrer-policy"] = "no-referrer"
    headers["x-content-type-options"] = "nosniff"
    headers.setdefault("cache-control", "no-store")


def source_of(redirect_uri: str) -> str:
    """The redirect URI as a source of CSP: its origin; its scheme where there is none that CSP could spell.

    Empty (nothing is allowed) for what cannot be spelled safely: the header is ours, the URI is a stranger's.
    """
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return ""
    if not _SCHEME.fullmatch(parts.scheme):
        return ""
    if parts.scheme not in ("http", "https") or parts.netloc.startswith("["):
        # CSP's grammar of hosts has no IPv6 literals, and private-use schemes have no host.
        return f"{parts.scheme}:"
    host = parts.netloc.lower()
    return f"{parts.scheme}://{host}" if _HOST.fullmatch(host) else ""
