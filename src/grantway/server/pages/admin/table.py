"""What a line of the table is: a page that is seen, or something that is done from one; and what its rule is handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from grantway.protocol import audit
from grantway.protocol.decision import Decision
from grantway.protocol.facts import ConnectionInView, Facts, Page
from grantway.protocol.ids import ID_LENGTH, parse, show
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import Operating
from grantway.server.service import Service
from grantway.wire.encoding import Parameters

R = TypeVar("R")

HOME = "/admin"
ON_A_PAGE = 50
NOWHERE = bytes(ID_LENGTH)
"""The id of nothing."""
NO_FORM = Parameters({})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the values in its address, its query, the form that came with it, and what was drawn for its rule."""

    here: str
    path: Mapping[str, str]
    query: Parameters
    form: Parameters = NO_FORM
    prepared: Any = None

    def id(self, name: str, prefix: str) -> bytes:
        """The row id in the address; that of nothing when there is none."""
        return parse(prefix, self.path[name]) or NOWHERE

    def named(self, name: str) -> str:
        """The text of a filter; ``""``: it is not asked for."""
        return (self.query.one(name) or "").strip()

    def row(self, name: str, prefix: str) -> bytes | None:
        """The row that a filter names; one that cannot be is that of nothing."""
        text = self.named(name)
        return (parse(prefix, text) or NOWHERE) if text else None

    def page(self, prefix: str) -> Page:
        """The page that is asked for, and one row more, which tells whether there are older ones."""
        return Page(ON_A_PAGE + 1, parse(prefix, self.named("after")))

    def said(self, name: str) -> str:
        """A field of the form."""
        return (self.form.one(name) or "").strip()

    def older(self, rows: tuple[Any, ...], prefix: str) -> str | None:
        """The address of the next page, with the same filters; ``None`` when these are the last."""
        if len(rows) <= ON_A_PAGE:
            return None
        last = rows[ON_A_PAGE - 1]
        row_id = (last.connection if isinstance(last, ConnectionInView) else last).id
        kept = {name: value for name, value in self.query.plain.items() if name != "done"}
        return f"{self.here}?{urlencode({**kept, 'after': show(prefix, row_id)})}"


def shown(rows: tuple[R, ...]) -> tuple[R, ...]:
    """The rows of one page, without the one more."""
    return rows[:ON_A_PAGE]


def number_of(text: str | None) -> int:
    """The number that an address or a form tells; 0, when it is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0


def actor_of(operating: Operating) -> str:
    """How the audit names the operator."""
    return audit.by_user(operating.user)


def path_of(*parts: str) -> str:
    """An address of ours."""
    return "/".join([HOME, *(quote(part, safe="") for part in parts)])


@dataclass(frozen=True, slots=True)
class Sight:
    """A page. ``load`` gives what its template shows, or ``None`` when there is nothing at this address.

    ``tab`` is the part of the navigation that it belongs to; ``beside`` asks what is no fact.
    """

    path: str
    tab: str
    template: str
    load: Callable[[Facts, Moment, Asked], Awaitable[Mapping[str, Any] | None]]
    beside: Callable[[Service], Awaitable[Mapping[str, Any]]] | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is done from a page (``seen``, where it leads back to): the last part of its address, and its rule.

    ``done`` is the word for what came of it. With ``reveals`` the answer is shown by this template, once, instead.
    ``prepare`` draws what rules do not draw themselves.
    """

    seen: Sight
    name: str
    do: Callable[[Facts, Moment, Asked, Operating], Awaitable[Decision[Any]]]
    done: str = ""
    reveals: str | None = None
    prepare: Callable[[Service], Any] | None = None
    told: Callable[[Any], Mapping[str, str]] | None = None
    """What the address that it leads to says of the answer beside ``done``."""
    then: str | None = None
    """Where it leads instead, when what it was done to is gone from its page."""

    @property
    def path(self) -> str:
        return f"{self.seen.path}/{self.name}"
