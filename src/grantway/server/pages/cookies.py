"""The cookies: one for the browser, one for who is signed in, one for who was before; and the form tokens."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Literal

from starlette.responses import Response

from grantway.protocol.authorize import Visitor
from grantway.protocol.known_browser import LIFETIME

_A_YEAR = 365 * 24 * 60 * 60
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")

Purpose = Literal["sign-in", "session"]


class Cookies:
    """How the cookies are called and set.

    On https they carry the ``__Host-`` prefix: no other host of the domain, and nothing that came over plain http, can
    have planted them. They end with the browser; how long a session lives is kept beside its digest.
    """

    def __init__(self, *, secure: bool) -> None:
        prefix = "__Host-" if secure else ""
        self.browser = f"{prefix}grantway-browser"
        self.session = f"{prefix}grantway-session"
        self.known = f"{prefix}grantway-known"
        self.language = f"{prefix}grantway-language"
        self._secure = secure

    def read(self, cookies: Mapping[str, str]) -> Visitor:
        """The visitor. A value that we cannot have given is none."""
        return Visitor(_ours(cookies.get(self.browser)), _ours(cookies.get(self.session)))

    def set_browser(self, response: Response, value: str) -> None:
        self._set(response, self.browser, value)

    def set_session(self, response: Response, value: str) -> None:
        self._set(response, self.session, value)

    def set_known(self, response: Response, value: str) -> None:
        """What the browser keeps after the session is over; the only one that outlives it."""
        self._set(response, self.known, value, max_age=int(LIFETIME.total_seconds()))

    def language_of(self, cookies: Mapping[str, str]) -> str | None:
        """The language that was chosen at the foot of a page, unchecked."""
        return cookies.get(self.language)

    def set_language(self, response: Response, value: str) -> None:
        self._set(response, self.language, value, max_age=_A_YEAR)

    def clear_session(self, response: Response) -> None:
        response.delete_cookie(self.session, path="/", secure=self._secure, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        response.set_cookie(name, value, max_age=max_age, path="/", secure=self._secure, httponly=True, samesite="lax")


def form_token(visitor: Visitor, purpose: Purpose) -> str | None:
    """What a form carries to show that this browser was given it by us; ``None`` without the cookie it hangs from.

    The sign-in form hangs from the browser's cookie, because there is no session yet and signing somebody in under a
    stranger's name is an attack, too. All others hang from the session.
    """
    cookie = visitor.browser if purpose == "sign-in" else visitor.session
    if cookie is None:
        return None
    return hmac.new(cookie.encode(), f"grantway form {purpose}".encode(), "sha256").hexdigest()


def is_form_token(visitor: Visitor, purpose: Purpose, token: str | None) -> bool:
    """Whether this is that token, in constant time."""
    expected = form_token(visitor, purpose)
    return expected is not None and token is not None and hmac.compare_digest(expected.encode(), token.encode())


def _ours(value: str | None) -> str | None:
    return value if value is not None and _VALUE.fullmatch(value) else None
