"""The master key: given by the operator, or drawn once into the data directory. It is never in the database.

The database holds a check value: the key's id, and a constant sealed with it. Who opens the database with another key is
told so in a sentence, before anything is read or written with it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from grantway.protocol.vault import Unsealable, Vault
from grantway.server.disk import new_file, sync_directory
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.storage.port import Storage

KEY_NAME = "master.key"
KEY_LENGTH = 64
CHECK = "master_key_check"
_CONSTANT = b"grantway master key check 1"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key, its id, and whether it came out of the data directory. The id tells nothing of the key."""

    raw: bytes = field(repr=False)
    in_data: bool = False

    @property
    def id(self) -> str:
        return "mk_" + hmac.digest(self.raw, b"grantway master key id", "sha256").hex()[:12]

    @property
    def vault(self) -> Vault:
        return Vault.of({self.id: self.raw}, self.id)


def find_master_key(settings: Settings) -> MasterKey | None:
    """The given key, or the one in the data directory; ``None`` when one is to be drawn. Changes nothing.

    Raises ``CannotStart``: what is given is no key, or the key of a database is missing.
    """
    if settings.master_key is not None:
        return MasterKey(_decode(settings.master_key.get_secret_value(), "GRANTWAY_MASTER_KEY"))
    if settings.master_key_file is not None:
        return MasterKey(_read(settings.master_key_file) or _missing(settings.master_key_file))
    path = settings.data / KEY_NAME
    known = _read(path)
    if known is None and settings.database_url is None and settings.database_path.exists():
        # Another process may have made both since we looked.
        known = _read(path)
        if known is None:
            raise CannotStart(
                f"There is a database at {settings.database_path}, but its master key {path} is missing. "
                "Put the key back, or give it by GRANTWAY_MASTER_KEY or GRANTWAY_MASTER_KEY_FILE; "
                "without it nothing in the database can be used."
            )
    return None if known is None else MasterKey(known, in_data=True)


def ensure_master_key(settings: Settings) -> MasterKey:
    """The key, drawn into the data directory if there is neither one nor a database.

    To be called before the first table is made. Two processes that begin at once get the same key. Raises ``CannotStart``.
    """
    known = find_master_key(settings)
    if known is not None:
        return known
    make_private_directory(settings.data)
    return MasterKey(_draw(settings.data / KEY_NAME), in_data=True)


async def load_vault(settings: Settings, storage: Storage) -> Vault:
    """What opens the secrets of this database. Raises ``CannotStart`` when the key is not the one it was made with."""
    key = ensure_master_key(settings)
    vault = key.vault
    mine = f"{key.id} {base64.b64encode(vault.seal(_CONSTANT, CHECK.encode())).decode()}"
    stored = (await storage.write_meta_once(CHECK, mine.encode())).decode()
    if opens(key, stored):
        return vault
    key_id = stored.partition(" ")[0]
    raise CannotStart(
        f"The master key is not the one that the database {settings.database_named} was made with: "
        f"that was {key_id}, this is {key.id}."
    )


def opens(key: MasterKey, check: str) -> bool:
    """Whether a check value was made with this key."""
    key_id, _, sealed = check.partition(" ")
    try:
        return key.vault.open(key_id, base64.b64decode(sealed), CHECK.encode()) == _CONSTANT
    except (Unsealable, binascii.Error):
        return False


def key_warning(settings: Settings) -> str | None:
    """What should be said about where the key lies: beside the database, one stolen backup has both."""
    given = settings.master_key is not None or settings.master_key_file is not None
    if given or settings.is_local:
        return None
    if settings.database_url is not None:
        return (
            f"The master key lies on this host only, in {settings.data / KEY_NAME}: every host needs it. "
            "Keep it elsewhere and give it by GRANTWAY_MASTER_KEY_FILE."
        )
    return (
        f"The master key lies beside the database, in {settings.data / KEY_NAME}: a copy of that directory has both. "
        "Keep the key elsewhere and give it by GRANTWAY_MASTER_KEY_FILE."
    )


def make_private_directory(path: Path) -> None:
    """The directory, for this user only if it is made now. Raises ``CannotStart``."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The data directory {path} cannot be made: {error.strerror}.") from None


def write_private(path: Path, content: bytes) -> bool:
    """Write a new file that only this user may read, whole and durable or not at all; ``False`` when it is there."""
    try:
        with new_file(path) as draft:
            draft.write_bytes(content)
    except FileExistsError:
        sync_directory(path.parent)  # whoever made it may not be as far as that
        return False
    return True


def _draw(path: Path) -> bytes:
    drawn = secrets.token_bytes(KEY_LENGTH)
    try:
        was_made = write_private(path, base64.b64encode(drawn) + b"\n")
    except OSError as error:
        raise CannotStart(f"The master key cannot be written to {path}: {error.strerror}.") from None
    return drawn if was_made else (_read(path) or _missing(path))


def _read(path: Path) -> bytes | None:
    try:
        text = path.read_text("ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        raise CannotStart(f"The master key in {path} cannot be read.") from None
    return _decode(text, str(path))


def _decode(text: str, where: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_LENGTH:
        raise CannotStart(
            f"{where} is not a master key: {KEY_LENGTH} random bytes in base64 (openssl rand -base64 64 | tr -d '\\n')."
        )
    return raw


def _missing(path: Path) -> bytes:
    raise CannotStart(f"There is no master key {path}.")
