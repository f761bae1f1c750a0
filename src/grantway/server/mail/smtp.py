"""Handing one message to the mail server (RFC 5321), encrypted unless it is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from grantway.wire.loopback import is_loopback

TIMEOUT = 20.0
"""Seconds for each step of the conversation."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes: ``tls`` from the start (smtps), by STARTTLS, or not at all on loopback."""

    host: str
    port: int
    implicit_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> MailServer:
        """The server of the setting, which has been checked."""
        parts = urlsplit(url)
        implicit_tls = parts.scheme == "smtps"
        return cls(
            parts.hostname or "",
            parts.port or (465 if implicit_tls else 587),
            implicit_tls,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )


def send(server: MailServer, message: EmailMessage, tls: ssl.SSLContext | None = None) -> tuple[int | None, str | None]:
    """Send it. What the server said about this message, or a slug where it did not come to that.

    A server that does not let us in, or does not take our own address, refuses every letter alike: that is for an
    operator to mend, so the letters wait.
    """
    try:
        context = tls or ssl.create_default_context()
        with _open(server, context) as session:
            return _converse(session, server, message, context)
    except smtplib.SMTPNotSupportedError:
        return None, "mail_not_supported"
    except smtplib.SMTPServerDisconnected:
        return None, "mail_disconnected"
    except smtplib.SMTPResponseException as refused:
        return None, f"mail_server_said_{refused.smtp_code}"
    except ssl.SSLError:
        return None, "mail_tls_failed"
    except TimeoutError:
        return None, "timeout"
    except (OSError, smtplib.SMTPException):
        return None, "unreachable"


def _open(server: MailServer, tls: ssl.SSLContext) -> smtplib.SMTP:
    if server.implicit_tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=tls)
    return smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)


def _converse(
    session: smtplib.SMTP, server: MailServer, message: EmailMessage, tls: ssl.SSLContext
) -> tuple[int | None, str | None]:
    session.ehlo_or_helo_if_needed()
    if not server.implicit_tls and not is_loopback(server.host):
        # RFC 3207: required, never just when it is offered, or whoever sits between takes the offer away.
        session.starttls(context=tls)
        session.ehlo()
    if server.user:
        session.login(server.user, server.password)
    try:
        session.send_message(message)
    except smtplib.SMTPRecipientsRefused as refused:
        status = next(iter(refused.recipients.values()))[0]
        return status, "mail_address_refused"
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code, "mail_refused"
    return 250, None
