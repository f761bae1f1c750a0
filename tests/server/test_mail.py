"""Letters: who gets them, what they say in which language, and what becomes of them at the mail server."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from grantway.protocol.decision import Decision
from grantway.protocol.mail import Letter, mail_notice
from grantway.protocol.model import Notice, User
from grantway.protocol.notices import LEASE, public_id
from grantway.protocol.one_time_links import LIFETIMES, draw_link, letter_with
from grantway.server.mail import deliver, smtp
from grantway.server.mail.letters import TEMPLATES, Unwritable, write_letter
from grantway.server.mail.smtp import MailServer, send
from grantway.server.pages.catalogue import load_catalogues
from tests.helpers.listening import listening
from tests.helpers.mail_server import MailServerAtTest, mail_server
from tests.helpers.people import House
from tests.helpers.receiver import certificate

TOLD: dict[str, dict[str, str]] = {
    "connection_made": {"integration": "Helpdesk", "account": "Acme", "reason": "permanent_token"},
    "connection_removed": {"integration": "Helpdesk", "account": "Acme", "reason": "integrator"},
    "connection_suspended": {"integration": "Helpdesk", "account": "Acme", "reason": "operator"},
}
WITH_LINK = {"invitation": "invitation", "password": "password", "email": "email"}


def house(**settings: Any) -> House:
    wanted = {
        "public_url": "https://auth.example",
        "platform_name": "Northwind",
        "mail_from": "Northwind <us@nw.example>",
    }
    return House.in_memory(**(wanted | {"smtp": "smtp://127.0.0.1:25"} | settings))


def notice_of(house: House, user: User, letter: Any, **told: Any) -> Notice:
    """The letter's notice, as it is put into the outbox."""

    async def rule(facts: Any, at: Any) -> Decision[Notice]:
        if letter in WITH_LINK:
            _, added = letter_with(at, draw_link(at, user, letter), letter, **told)
            return Decision(added.record)  # type: ignore[union-attr,arg-type]
        return Decision(mail_notice(at, user.id, letter, **told))

    return house.decide(rule).answer


def delivered(house: House, notice: Notice, user: User | None, **server: Any) -> tuple[Any, MailServerAtTest]:
    async def run() -> tuple[Any, MailServerAtTest]:
        async with mail_server(**server) as at_test:
            there = house.service.settings.model_copy(update={"smtp": SecretStr(f"smtp://127.0.0.1:{at_test.port}")})
            service = type(house.service)(there, house.service.storage, house.service.vault, house.service.draw)
            return await deliver(service, notice, user), at_test

    return asyncio.run(run())


def test_there_is_a_template_for_every_letter_and_no_other() -> None:
    assert {path.stem for path in TEMPLATES.glob("[!_]*.txt")} == set(get_args(Letter))


@pytest.mark.parametrize("letter", get_args(Letter))
@pytest.mark.parametrize("language", sorted(load_catalogues()))
def test_every_letter_is_written_in_every_language(letter: str, language: str) -> None:
    here = house()
    ada = here.user("ada@example.com", "Ada")
    reader = replace(ada, language=language)
    written = write_letter(here.service, notice_of(here, ada, letter, **TOLD.get(letter, {})), reader)
    assert "Northwind" in written.words
    assert "Ada" in written.words
    assert written.message["Subject"]
    assert bool(re.search(r"https://auth\.example/links/[\w-]{43}\n", written.words)) == (letter in WITH_LINK)
    assert written.message.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "reason",
    ["customer", "integrator", "operator", "reuse_detected", "member_left", "inactivity", "client_disabled"],
)
def test_every_reason_is_said_in_words(reason: str) -> None:
    here = house()
    ada = here.user()
    told = TOLD["connection_removed"] | {"reason": reason}
    words = write_letter(here.service, notice_of(here, ada, "connection_removed", **told), ada).words
    greeting, why = words.split("\n\n")[:2]
    assert greeting == "Hello Ada,"
    assert not why.startswith("Helpdesk cannot reach")
    assert reason not in words or reason in ("customer", "operator")


def test_a_letter_is_taken_with_its_headers() -> None:
    here = house()
    ada = here.user("ada@example.com", "Ada Löw")
    notice = notice_of(here, ada, "connection_removed", **TOLD["connection_removed"])
    answer, server = delivered(here, notice, ada)
    assert answer == (250, None)
    (letter,) = server.letters
    assert (letter["To"], letter["From"]) == ("Ada Löw <ada@example.com>", "Northwind <us@nw.example>")
    assert letter["Message-ID"] == f"<{public_id(notice)}@auth.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == notice.created_at
    assert letter.get_content_charset() == "utf-8"
    assert "Hello Ada Löw," in letter.get_content()
    assert server.recipients == ["ada@example.com"]


def test_the_same_notice_has_the_same_message_id_at_every_attempt() -> None:
    here = house()
    ada = here.user()
    notice = notice_of(here, ada, "email_changed")
    ids = {write_letter(here.service, notice, ada).message["Message-ID"] for _ in range(2)}
    assert len(ids) == 1


def test_a_name_cannot_add_a_header_or_a_line() -> None:
    here = house()
    ada = here.user()
    told = TOLD["connection_removed"] | {"integration": "Evil\r\nBcc: x@y.example\r\n\r\nHello"}
    written = write_letter(here.service, notice_of(here, ada, "connection_removed", **told), ada)
    assert written.message["Bcc"] is None
    assert "Evil Bcc: x@y.example Hello" in written.message["Subject"]


def test_a_letter_to_an_address_that_is_not_theirs_yet_goes_there() -> None:
    here = house()
    ada = here.user()

    async def rule(facts: Any, at: Any) -> Decision[Notice]:
        _, added = letter_with(at, draw_link(at, ada, "email", "new@example.com"), "email", to="new@example.com")
        return Decision(added.record)  # type: ignore[union-attr,arg-type]

    notice = here.decide(rule).answer
    assert b"new@example.com" not in notice.body
    assert write_letter(here.service, notice, ada).message["To"] == "Ada <new@example.com>"


def test_the_outbox_holds_no_link() -> None:
    here = house()
    ada = here.user()
    notice = notice_of(here, ada, "password")
    secret = write_letter(here.service, notice, ada).words.partition("/links/")[2].split()[0]
    assert secret.encode() not in notice.body
    assert secret not in repr(notice)


def test_a_link_that_is_over_is_not_sent() -> None:
    here = house()
    ada = here.user()
    notice = notice_of(here, ada, "password")
    over = here.clock() + LIFETIMES["password"]
    leased = replace(notice, leased_until=over)
    with pytest.raises(Unwritable, match="mail_link_expired"):
        write_letter(here.service, leased, ada)
    early = replace(notice, leased_until=over - LEASE)
    assert write_letter(here.service, early, ada).words


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"email": None}, "mail_address_missing"),
        ({"email": "a,b@example.com"}, "mail_address_unfit"),
        ({"email": "<a@example.com>"}, "mail_address_unfit"),
        ({"email": "ä@example.com"}, "mail_address_unfit"),
        ({"disabled_at": datetime(2026, 1, 1, tzinfo=UTC)}, "mail_reader_gone"),
        (None, "mail_reader_gone"),
    ],
)
def test_where_nobody_can_be_written_to_the_letter_is_over(changes: dict[str, Any] | None, reason: str) -> None:
    here = house()
    ada = here.user()
    notice = notice_of(here, ada, "email_changed")
    reader = None if changes is None else replace(ada, **changes)
    assert delivered(here, notice, reader)[0] == (550, reason)


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"RCPT": "550 no such person"}, (550, "mail_address_refused")),
        ({"RCPT": "450 greylisted"}, (450, "mail_address_refused")),
        ({"LETTER": "554 looks like spam"}, (554, "mail_refused")),
        ({"LETTER": "451 later"}, (451, "mail_refused")),
        ({"MAIL": "553 not your address"}, (None, "mail_server_said_553")),
        ({"CONNECT": "421 busy"}, (None, "mail_server_said_421")),
    ],
)
def test_what_the_mail_server_says_decides_whether_there_is_another_attempt(
    replies: dict[str, str], outcome: tuple[int | None, str]
) -> None:
    here = house()
    ada = here.user()
    assert delivered(here, notice_of(here, ada, "email_changed"), ada, **replies)[0] == outcome


def test_a_mail_server_that_is_not_there_is_tried_again() -> None:
    assert send(MailServer("127.0.0.1", 1, False), _letter()) == (None, "unreachable")


def test_a_mail_server_that_hangs_does_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)

    async def run() -> Any:
        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with listening(hang) as port:
            return await asyncio.to_thread(send, MailServer("127.0.0.1", port, False), _letter())

    assert asyncio.run(run()) == (None, "mail_disconnected")


def test_name_and_password_are_said_only_after_encryption(
    monkeypatch: pytest.MonkeyPatch, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    monkeypatch.setattr(smtp, "is_loopback", lambda host: False)
    ours, theirs = tls

    async def run(**server: Any) -> tuple[Any, MailServerAtTest]:
        async with mail_server(**server) as at_test:
            to = MailServer("127.0.0.1", at_test.port, False, "us er", "p:w")
            return await asyncio.to_thread(send, to, _letter(), ours), at_test

    answer, server = asyncio.run(run(offers=("STARTTLS", "AUTH PLAIN"), upgrade=theirs))
    assert answer == (250, None)
    assert [each.split(" ")[0].upper() for each in server.said].index("STARTTLS") < 2
    assert len(server.letters) == 1
    answer, server = asyncio.run(run(offers=("AUTH PLAIN",)))
    assert answer == (None, "mail_not_supported")
    assert not any(each.upper().startswith(("AUTH", "MAIL")) for each in server.said)
    strict = ssl.create_default_context()
    ours = strict  # does not know the certificate
    answer, server = asyncio.run(run(offers=("STARTTLS", "AUTH PLAIN"), upgrade=theirs))
    assert answer == (None, "mail_tls_failed")
    assert not any(each.upper().startswith("AUTH") for each in server.said)


def test_smtps_is_encrypted_from_the_start(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    ours, theirs = tls

    async def run() -> tuple[Any, MailServerAtTest]:
        async with mail_server(tls=theirs) as at_test:
            to = MailServer("127.0.0.1", at_test.port, True)
            return await asyncio.to_thread(send, to, _letter(), ours), at_test

    answer, server = asyncio.run(run())
    assert answer == (250, None)
    assert len(server.letters) == 1


def test_a_refused_login_leaves_the_letter_for_later() -> None:
    async def run() -> Any:
        async with mail_server(offers=("AUTH PLAIN LOGIN",), AUTH="535 no") as at_test:
            to = MailServer("127.0.0.1", at_test.port, False, "us", "wrong")
            return await asyncio.to_thread(send, to, _letter())

    assert asyncio.run(run()) == (None, "mail_server_said_535")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, False)),
        ("smtps://u%40x:p%2Fw@mail.example", MailServer("mail.example", 465, True, "u@x", "p/w")),
        ("smtp://[::1]:2525", MailServer("::1", 2525, False)),
    ],
)
def test_the_setting_is_read(url: str, expected: MailServer) -> None:
    assert MailServer.of(url) == expected
    assert "p/w" not in repr(expected)


def test_without_a_mail_server_this_machine_alone_sees_the_letter(capfd: pytest.CaptureFixture[str]) -> None:
    here = house(smtp=None, public_url="http://127.0.0.1:8080")
    ada = here.user()
    assert asyncio.run(deliver(here.service, notice_of(here, ada, "password"), ada)) == (250, None)
    printed = capfd.readouterr().err
    assert printed.startswith("mail (not sent: there is no GRANTWAY_SMTP)")
    assert "To: Ada <ada@example.com>" in printed
    assert "http://127.0.0.1:8080/links/" in printed


def test_a_public_installation_without_a_mail_server_shows_nobody_a_letter(capfd: pytest.CaptureFixture[str]) -> None:
    here = house(smtp=None)
    ada = here.user()
    assert asyncio.run(deliver(here.service, notice_of(here, ada, "password"), ada)) == (None, "mail_server_missing")
    assert capfd.readouterr().err == ""


def _letter() -> EmailMessage:
    here = house()
    ada = here.user()
    return write_letter(here.service, notice_of(here, ada, "email_changed"), ada).message


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Our side, which knows the certificate, and the mail server's."""
    theirs, ours = certificate(tmp_path, "127.0.0.1")
    return ours, theirs
