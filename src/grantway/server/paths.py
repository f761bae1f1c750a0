"""Addresses with values in them: ``/v1/webhooks/{id}``. Asked only when no address fits as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Names in the tree that no part of an address can have: parts hold no slash, and empty ones are refused.
_ANY = "/"
_END = ""


class Templates:
    """A tree of the templates' parts. A part as it is written comes before one that takes any value."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._root: dict[str, Any] = {}
        for template in templates:
            node = self._root
            for part in template[1:].split("/"):
                node = node.setdefault(_ANY if part.startswith("{") else part, {})
            node[_END] = template

    def match(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The template that the address fits, and its values by name."""
        node, taken = self._root, []
        for part in path[1:].split("/"):
            if not part:
                return None
            below = node.get(part)
            if below is None:
                below = node.get(_ANY)
                taken.append(part)
            if below is None:
                return None
            node = below
        template: str | None = node.get(_END)
        if template is None:
            return None
        names = [part[1:-1] for part in template[1:].split("/") if part.startswith("{")]
        return template, dict(zip(names, taken, strict=True))
