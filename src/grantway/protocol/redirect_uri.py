"""Redirect URIs: what may be registered, and what matches (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1)."""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

from grantway.wire.sentence import worded

MAX_LENGTH = 2048
_LOOPBACK_IPS = ("127.0.0.1", "::1")
_ANSWERED = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "response_type"})
_UNSAFE_SCHEMES = frozenset({"javascript", "data", "file", "vbscript", "about", "blob", "ftp", "ws", "wss"})
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?].*)?)", re.DOTALL)


def check_registration(uri: str) -> None:
    """Raise ``ValueError`` with a sentence when the URI may not be registered.

    https, http on a loopback address literal (any port matches at use, RFC 8252 §7.3) or on ``localhost`` with its exact
    port, or a private-use scheme with a dot (RFC 8252 §7.1). No fragment, user info, wildcard or control character.
    """
    if len(uri) > MAX_LENGTH:
        raise ValueError(worded("A redirect URI has at most %(most)s characters.", most=MAX_LENGTH))
    if not uri.isascii() or any(char <= " " or char in '"<>\\^`{|}\x7f' for char in uri):
        raise ValueError("A redirect URI has ASCII characters only, none of them blank; percent-encode the others.")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise ValueError("This redirect URI cannot be read.") from None
    if "#" in uri:
        raise ValueError("A redirect URI has no fragment.")
    if _ANSWERED.intersection(name for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(
            "A redirect URI has no parameter of its own that the answer has, too (code, state, iss, error)."
        )
    if "*" in uri:
        raise ValueError("A redirect URI has no wildcard: register each one.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("A redirect URI has no user name or password.")
    if parts.scheme in ("http", "https"):
        _check_web(parts, port)
    elif parts.scheme in _UNSAFE_SCHEMES or not _PRIVATE_SCHEME.fullmatch(parts.scheme):
        raise ValueError("A redirect URI is https, http on loopback, or a private-use scheme with a dot in it.")


def _check_web(parts: SplitResult, port: int | None) -> None:
    if not parts.hostname:
        raise ValueError("A redirect URI names a host.")
    if parts.scheme == "http" and parts.hostname not in (*_LOOPBACK_IPS, "localhost"):
        raise ValueError("A redirect URI is https, except on loopback (http://127.0.0.1/…).")
    if parts.hostname == "localhost" and parts.scheme == "http" and port is None:
        raise ValueError("With localhost a redirect URI names its port; 127.0.0.1 takes any.")


def is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Whether the once-decoded parameter is one of these, byte for byte; on loopback IP literals any port will do."""
    if uri in registered:
        return True
    asked = _LOOPBACK_PORT.fullmatch(uri)
    if asked is None or len(uri) > MAX_LENGTH:
        return False
    return any((one := _LOOPBACK_PORT.fullmatch(known)) and one.groups() == asked.groups() for known in registered)


def is_web(uri: str) -> bool:
    """Whether the URI is https: only its host's owner can receive what is sent there."""
    return uri.startswith("https://")


def uri_digest(uri: str) -> bytes:
    """What a grant keeps of the redirect URI that its code went to."""
    return hashlib.sha256(uri.encode()).digest()


def is_same(uri: str, stored: bytes) -> bool:
    """Whether this is the URI that was digested."""
    return hmac.compare_digest(uri_digest(uri), stored)
