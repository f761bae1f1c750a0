"""Letters from outside: a real server, a real mail server, and what its reader does with the link."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from tests.helpers.customer import Customer, forms
from tests.helpers.mail_server import MailServerAtTest, mail_server
from tests.helpers.server import Server, fetch, populate, serving

NEW = "a new and better sentence"


def forgot(server: Server, email: str) -> None:
    browser = Customer(fetch, server.base_url, email, "")
    form = forms(browser.go("GET", "/forgot").text)[0]
    reply = browser.go("POST", form.action, (form.fields | {"username": email}).items())
    assert reply.status == 200


def use(server: Server, link: str) -> Customer:
    """Open the link, choose a password; the browser is signed in then."""
    browser = Customer(fetch, server.base_url, "", NEW)
    form = forms(browser.go("GET", link).text)[0]
    reply = browser.go("POST", form.action, (form.fields | {"new-password": NEW, "repeated": NEW}).items())
    assert reply.status == 303
    assert browser.go("GET", "/account").status == 200
    return browser


async def arrived(mail: MailServerAtTest, number: int) -> str:
    """The link in the letter of this number."""
    until = time.monotonic() + 20
    while len(mail.letters) < number:
        assert time.monotonic() < until, "no letter came"
        await asyncio.sleep(0.05)
    found = re.search(r"/links/\S+", mail.letters[number - 1].get_content())
    assert found is not None
    return found[0]


def test_a_forgotten_password_from_the_form_over_the_mail_server_to_a_new_one(tmp_path: Path) -> None:
    async def journey() -> None:
        async with mail_server() as mail:
            smtp = f"smtp://127.0.0.1:{mail.port}"
            with serving(tmp_path / "data", GRANTWAY_SMTP=smtp) as server:
                platform = await asyncio.to_thread(populate, server)
                await asyncio.to_thread(forgot, server, "nobody@example.com")
                await asyncio.to_thread(forgot, server, platform.customer.email)
                link = await arrived(mail, 1)
                await asyncio.to_thread(use, server, link)
                assert mail.recipients == ["ada@example.com"]
                assert link.rpartition("/")[2] not in server.log()
                again = await asyncio.to_thread(fetch, "GET", server.base_url + link)
                assert again.status == 404

    asyncio.run(journey())


def test_without_a_mail_server_letters_are_printed_where_only_this_machine_listens(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        email = populate(server).customer.email
        forgot(server, email)
        until = time.monotonic() + 20
        while (found := re.search(r"/links/\S+", server.log())) is None:
            assert time.monotonic() < until, "nothing was printed"
            time.sleep(0.05)
        use(server, found[0])


def test_the_first_operator_comes_in_by_the_link_that_the_command_printed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        made = server.cli("operators", "create", "--email", "ops@example.com", "--name", "Olga")
        link = made["link"].removeprefix(server.base_url)
        assert link.startswith(("/links/", "http://127.0.0.1:"))
        browser = use(server, "/links/" + link.rpartition("/")[2])
        assert "Olga" in browser.go("GET", "/account").text
