"""A small mail server on loopback (RFC 5321): takes letters, or refuses them as a test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from tests.helpers.listening import listening


@dataclass
class MailServerAtTest:
    """What came in, and what is answered to each command; without an entry, the usual."""

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    upgrade: ssl.SSLContext | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say(writer, self.replies.get("CONNECT", "220 here"))
            while line := await reader.readline():
                command = line.decode().strip()
                self.said.append(command)
                verb = command.split(" ")[0].upper()
                if verb == "DATA" and "DATA" not in self.replies:
                    await self._say(writer, "354 go on")
                    letter = (await reader.readuntil(b"\r\n.\r\n"))[: -len(b".\r\n")]
                    self.letters.append(message_from_bytes(letter, policy=default))
                    await self._say(writer, self.replies.get("LETTER", "250 taken"))
                    continue
                await self._say(writer, self.replies.get(verb, self._usual(verb, command)))
                if verb == "STARTTLS" and self.upgrade is not None:
                    await writer.start_tls(self.upgrade)
                if verb == "QUIT":
                    break
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _usual(self, verb: str, command: str) -> str:
        match verb:
            case "EHLO":
                return "\r\n".join(["250-here", *(f"250-{offer}" for offer in self.offers), "250 8BITMIME"])
            case "RCPT":
                self.recipients.append(command.partition("<")[2].rstrip(">"))
                return "250 ok"
            case "STARTTLS":
                return "220 go on"
            case "AUTH":
                return "235 welcome"
            case "QUIT":
                return "221 bye"
            case _:
                return "250 ok"

    async def _say(self, writer: asyncio.StreamWriter, reply: str) -> None:
        writer.write(reply.encode() + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def mail_server(
    *,
    offers: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    upgrade: ssl.SSLContext | None = None,
    **replies: str,
) -> AsyncIterator[MailServerAtTest]:
    """A mail server while the block runs. ``replies`` by command (``CONNECT`` and ``LETTER`` too)."""
    at_test = MailServerAtTest(replies=replies, offers=offers, upgrade=upgrade)
    async with listening(at_test.serve, tls) as at_test.port:
        yield at_test
