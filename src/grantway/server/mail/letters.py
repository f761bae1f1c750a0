"""A notice of kind ``mail`` as a message: plain text, in the language that its reader read last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from grantway.protocol.model import Notice, User
from grantway.protocol.notices import public_id
from grantway.protocol.one_time_links import unseal
from grantway.protocol.vault import Unsealable
from grantway.server.links import address_of_link
from grantway.server.pages.catalogue import DEFAULT_LANGUAGE, load_catalogues
from grantway.server.service import Service
from grantway.server.templates import ReadOnce

TEMPLATES = Path(__file__).parent / "templates"
_LOADER = ReadOnce(TEMPLATES)


class Unwritable(Exception):
    """There is nobody to write to, or nothing to say any more. ``reason`` is a slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, and its words as they are read."""

    message: EmailMessage = field(repr=False)
    words: str = field(repr=False)

    def as_text(self) -> str:
        """Address, subject and words, for a terminal."""
        return f"To: {self.message['To']}\nSubject: {self.message['Subject']}\n\n{self.words}"


def write_letter(service: Service, notice: Notice, user: User | None) -> Letter:
    """The letter of a notice. Raises ``Unwritable``."""
    if user is None or user.disabled_at is not None:
        raise Unwritable("mail_reader_gone")
    body = json.loads(notice.body)
    told: dict[str, Any] = body["told"]
    try:
        to = unseal(service.vault, told["to"]) if "to" in told else user.email
        secret = unseal(service.vault, told["link"]) if "link" in told else None
    except Unsealable:
        raise Unwritable("mail_unsealable") from None
    if to is None:
        raise Unwritable("mail_address_missing")
    if secret is not None and _is_late(notice, told):
        raise Unwritable("mail_link_expired")
    values = {
        "platform": service.settings.platform_name,
        "site": service.issuer,
        "name": user.name,
        "link": None if secret is None else address_of_link(service.issuer, secret),
        **{name: value for name, value in told.items() if name not in ("to", "link", "until")},
    }
    subject, words = _rendered(body["letter"], user.language, values)
    return Letter(_message(service, notice, user, to, subject, words), words)


def _is_late(notice: Notice, told: Mapping[str, Any]) -> bool:
    """Whether the letter's link will be over by the time that it arrives; the sender's lease says what time it is."""
    return notice.leased_until is not None and notice.leased_until >= datetime.fromisoformat(told["until"])


def _rendered(letter: str, language: str | None, values: Mapping[str, Any]) -> tuple[str, str]:
    environments = _environments()
    environment = environments.get(language or DEFAULT_LANGUAGE) or environments[DEFAULT_LANGUAGE]
    plain = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in values.items()}
    subject, _, words = environment.get_template(f"{letter}.txt").render(plain).partition("\n")
    return subject, words.strip() + "\n"


@cache
def _environments() -> Mapping[str, Environment]:
    """The templates by language. Text, so nothing is escaped; names have no line breaks when they come in."""
    return {language: _environment(catalogue.gettext) for language, catalogue in load_catalogues().items()}


def _environment(gettext: Any) -> Environment:
    environment = Environment(
        loader=_LOADER,
        autoescape=False,  # noqa: S701 - plain text
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    install = getattr(environment, "install_gettext_callables")  # noqa: B009 - the extension adds it untyped
    install(gettext, lambda one, many, n: gettext(one if n == 1 else many), newstyle=True)
    return environment


def _message(service: Service, notice: Notice, user: User, to: str, subject: str, words: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    name, sender = parseaddr(service.settings.mail_from)
    message["From"] = Address(name, addr_spec=sender)
    try:
        message["To"] = Address(user.name, addr_spec=to)
    except (ValueError, MessageError):
        # What we take for an address is more than mail can spell (RFC 5322 §3.4.1). It will not be spelled later either.
        raise Unwritable("mail_address_unfit") from None
    message["Subject"] = subject
    message["Date"] = format_datetime(notice.created_at)
    # The same at every attempt, so that a mail program that gets a letter twice shows it once.
    message["Message-ID"] = f"<{public_id(notice)}@{urlsplit(service.issuer).hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no out-of-office answers
    message.set_content(words, cte="quoted-printable")
    return message
