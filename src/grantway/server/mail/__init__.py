"""Mail to people: letters are rendered when they are sent, in the reader's language, as plain text.

``letters`` turns a notice into a message, ``smtp`` hands a message to the mail server. Without a mail server an
installation that only this machine reaches prints its letters: the one place where a one-time link is shown.
"""

from __future__ import annotations

import asyncio
import sys

from grantway.protocol.model import Notice, User
from grantway.server.mail.letters import Unwritable, write_letter
from grantway.server.mail.smtp import MailServer, send
from grantway.server.service import Service

__all__ = ["deliver"]


async def deliver(service: Service, notice: Notice, user: User | None) -> tuple[int | None, str | None]:
    """Send one letter. The status of the mail server, or a slug where there was none.

    As in RFC 5321 §4.2.1: 2xx is delivered, 4xx and no status are worth another attempt, 5xx is for good.
    """
    try:
        letter = write_letter(service, notice, user)
    except Unwritable as unwritable:
        return 550, unwritable.reason
    if service.settings.smtp is None:
        if not service.settings.is_local:
            return None, "mail_server_missing"
        sys.stderr.write(f"mail (not sent: there is no GRANTWAY_SMTP)\n\n{letter.as_text()}\n")
        sys.stderr.flush()
        return 250, None
    server = MailServer.of(service.settings.smtp.get_secret_value())
    return await asyncio.to_thread(send, server, letter.message)
