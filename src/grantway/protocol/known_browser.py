"""A browser that somebody has signed in with before: it is counted by itself, so that strangers cannot slow it down.

What it keeps is a statement of ours about one person, sealed by the master key: nothing is stored, nobody else can
write one, and it is worth nothing but a counter of its own. A new password makes it void.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from grantway.protocol.model import User
from grantway.protocol.moment import Moment
from grantway.protocol.vault import Unsealable
from grantway.wire.words import read_word, write_word

LIFETIME = timedelta(days=180)
_ABOUT = b"grantway known browser"
_STATEMENT = struct.Struct(">16sIQ")
"""Who, the version of their password, and until when (seconds since the epoch)."""


def remember(user: User, at: Moment) -> str:
    """What this browser keeps after a sign-in."""
    until = int((at.now + LIFETIME).timestamp())
    sealed = at.vault.seal(_STATEMENT.pack(user.id, user.password_version, until), _ABOUT)
    return f"{at.vault.current}.{write_word(sealed)}"


def knows(kept: str | None, user: User, at: Moment) -> bool:
    """Whether what a browser keeps says that this person has signed in with it."""
    key_id, _, word = (kept or "").rpartition(".")
    sealed = read_word(word)
    if not sealed:
        return False
    try:
        said = at.vault.open(key_id, sealed, _ABOUT)
    except Unsealable:
        return False
    user_id, version, until = _STATEMENT.unpack(said)
    return user_id == user.id and version == user.password_version and at.now < datetime.fromtimestamp(until, UTC)
