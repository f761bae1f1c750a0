"""What whoever started this server is told: systemd waits for the word that requests are taken (sd_notify(3))."""

from __future__ import annotations

import os
import socket


def tell_ready() -> None:
    """Say ``READY=1`` where ``NOTIFY_SOCKET`` names somebody who listens; a leading @ is an abstract address."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.sendto(b"READY=1", name)
