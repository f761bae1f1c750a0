"""Where the authorization server may be asked."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def checked(url: str, allow_http: bool) -> str:
    """The address, which is https, or on this machine, or ``allow_http``; ``ValueError`` otherwise."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment or parts.scheme not in {"https", "http"}:
        raise ValueError("The authorization server's address is an https URL.")
    if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
        raise ValueError("Over http anybody on the way reads tokens. Use https, or say allow_http=True.")
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
