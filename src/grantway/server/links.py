"""The address of a one-time link."""

from __future__ import annotations

LINK_PATH = "/links/"


def address_of_link(issuer: str, secret: str) -> str:
    """What a person opens. Its page spends nothing until its form is sent."""
    return f"{issuer}{LINK_PATH}{secret}"
