"""Where somebody goes on after signing in: a waiting authorization request, or a page of ours. Never an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from grantway.server.pages import problems
from grantway.server.pages.problems import Stop
from grantway.wire.encoding import Parameters

_PENDING_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PAGE = re.compile(r"/(?:connections|account|developers|admin)(?:/(?!\.\.?(?:/|$))[A-Za-z0-9_.~-]{1,128}){0,8}")
"""Pages of ours by their looks; client ids may have dots and tildes, but no part leads up again."""


@dataclass(frozen=True, slots=True)
class AfterSignIn:
    """What the sign-in is for. ``again``: it has to be a new one, because the last is too long ago for it."""

    pending_id: str | None = None
    page: str | None = None
    again: bool = False

    @classmethod
    def of(cls, parameters: Parameters) -> AfterSignIn:
        """What ``request``, ``to`` and ``again`` say."""
        page = parameters.one("to")
        return cls(
            pending_id_of(parameters.one("request")),
            page if page is not None and _PAGE.fullmatch(page) else None,
            parameters.one("again") is not None,
        )

    @property
    def destination(self) -> str:
        """The path to go on to."""
        return f"/authorize/{self.pending_id}" if self.pending_id else self.page or "/connections"

    @property
    def address(self) -> str:
        """The sign-in page that leads there."""
        said = {"request": self.pending_id, "to": self.page, "again": "1" if self.again else None}
        query = urlencode({name: value for name, value in said.items() if value is not None}, safe="/")
        return f"/sign-in?{query}" if query else "/sign-in"

    @property
    def is_for_operators(self) -> bool:
        """Whether it leads to the operators' pages: operators have passwords here, whoever knows the other users."""
        return self.page is not None and self.page.split("/")[1] == "admin"


def sign_in_address(page: str, *, again: bool = False) -> str:
    """Where to send somebody who has to sign in (``again``: anew) to see this page of ours."""
    return AfterSignIn(page=page, again=again).address


def pending_id_of(text: str | None) -> str | None:
    """The id, when it is one by its looks."""
    if text is None:
        return None
    if not _PENDING_ID.fullmatch(text):
        raise Stop(problems.REQUEST_GONE, reason="pending_id_malformed")
    return text
