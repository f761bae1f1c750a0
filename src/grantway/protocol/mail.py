"""Mail to people: what is to be said to whom. Words, language and address are found when it is sent.

A mail is a notice like any other, in a line of its own: written in the commit of the change that it tells of, and
delivered at least once.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from grantway.protocol.model import Connection, Notice
from grantway.protocol.moment import Moment

Letter = Literal[
    "connection_made", "connection_removed", "connection_suspended", "invitation", "password", "email", "email_changed"
]
"""Each is a template of the same name."""


def mail_notice(
    at: Moment, user_id: bytes, letter: Letter, connection: Connection | None = None, **told: Any
) -> Notice:
    """A letter to one person. ``told`` are JSON values for its template: names and reasons, never a token.

    A letter that carries a one-time link carries it sealed (``one_time_links.py``), so that the outbox holds no secret.
    """
    notice_id = at.new_id()
    return Notice(
        id=notice_id,
        line=notice_id,
        connection_id=None if connection is None else connection.id,
        client_id=None if connection is None else connection.client_id,
        kind="mail",
        url="",
        body=json.dumps({"letter": letter, "told": told}, separators=(",", ":")).encode(),
        created_at=at.now,
        next_attempt_at=at.now,
        user_id=user_id,
    )
