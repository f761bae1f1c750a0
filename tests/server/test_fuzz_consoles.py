"""The same for people at work: whatever the forms of the consoles are sent, nothing faults, leads away or is logged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from grantway.protocol.decision import Decision, Put, Replace
from grantway.protocol.model import Developer, Operator
from tests.helpers.asgi import Disconnected, Reply
from tests.helpers.customer import Form, forms
from tests.helpers.fuzzing import Known, Sent, Template, Watch, fill, requests, watching
from tests.helpers.world import EMAIL, PASSWORD, REDIRECT_URI, World, world
from tests.server.test_fuzz_pages import FUZZ, assert_page

DOORS = ("/", "/connections", "/developers", "/admin", "/account", "/forgot")
COOKIE = (("cookie", Known("cookie")),)
KNOWN = ("cookie", "csrf")
_LINK = re.compile(r'href="(/[^"#]*)"')


class Consoles:
    """One person who is owner, developer and operator at once, and every page that leads on from where they begin."""

    def __init__(self, there: World, watch: Watch) -> None:
        self.there = there
        self.watch = watch
        self.browser = there.browser
        there.sunshine_code()
        there.standard_tokens()
        self.known: dict[str, str] = {}
        self.enter()
        self.strategy = requests(tuple(self.crawled()), KNOWN)

    def enter(self) -> None:
        """Sign in anew, whatever the last request made of the person."""

        async def allowed_everything(facts: Any, at: Any) -> Any:
            ada = await facts.user_by_email(EMAIL)
            enabled = replace(ada, disabled_at=None, version=ada.version + 1)
            roles = (Operator(ada.id, "operator", at.now), Developer(self.there.standard.client.id, ada.id, at.now))
            return Decision(None, (Replace(enabled), *[Put(role) for role in roles]))

        self.there.house.decide(allowed_everything)
        self.browser.cookies.clear()
        self.browser.sign_in()
        self.known["cookie"] = self.browser.cookie_header
        self.known["csrf"] = forms(self.browser.go("GET", "/account").text)[0].fields["csrf"]
        self.watch.secrets |= {*self.known.values(), PASSWORD}
        for reply in self.browser.visited:
            self.watch.remember(reply)
        self.browser.visited.clear()

    def crawled(self) -> Iterator[Template]:
        """A request for every page, and one for every form on one, as they should be."""
        seen: set[str] = set()
        actions: set[str] = set()
        waiting = list(DOORS)
        while waiting:
            address = waiting.pop(0)
            shape = re.sub(r"[A-Za-z0-9]{16,}", "…", address.partition("?")[0])
            if shape in seen or shape.startswith(("/static", "/icons", "/authorize")):
                continue
            seen.add(shape)
            reply = self.browser.go("GET", address)
            assert reply.status in (200, 303), (address, reply.status)
            yield Template("GET", address.partition("?")[0], headers=COOKIE)
            waiting += _LINK.findall(reply.text)
            for form in forms(reply.text):
                action = form.action or address
                if action not in actions and action.startswith("/"):
                    actions.add(action)
                    yield Template("POST", action.partition("?")[0], tuple(_fields(form)), COOKIE)
        assert len(seen) > 30, f"only {len(seen)} kinds of page lead on from the doors"
        assert len(actions) > 20, f"only {len(actions)} forms"

    def send(self, sent: Sent) -> Reply | None:
        try:
            reply = self.there.caller.raw(**fill(sent, self.known))
        except Disconnected:
            assert sent.hangs_up
            return None
        self.watch.remember(reply)
        if sent.method == "POST" and reply.status < 400 and self.browser.go("GET", "/admin").status != 200:
            self.enter()
        return reply


def _fields(form: Form) -> Iterator[tuple[str, Any]]:
    chosen = {name: values[0] for name, values in (form.choices | form.buttons).items()}
    for name, value in (form.fields | chosen).items():
        yield name, Known("csrf") if name == "csrf" else value


@pytest.fixture(scope="module")
def consoles() -> Iterator[Consoles]:
    with watching() as watch, world(watch.log) as there:
        yield Consoles(there, watch)
        watch.settle()


@hypothesis_settings(FUZZ, max_examples=700)
@given(data=st.data())
def test_consoles_answer_anything_with_a_page_or_a_way_on(consoles: Consoles, data: st.DataObject) -> None:
    reply = consoles.send(data.draw(consoles.strategy))
    if reply is None:
        return
    assert reply.status < 500, reply.body
    assert PASSWORD not in reply.text
    location = reply.header("location")
    if location is not None:
        assert location.startswith(("/", REDIRECT_URI))
        assert not location.startswith("//")
    if reply.status in (400, 422) and "<form" in reply.text:
        assert "default-src 'none'" in (
            reply.header("content-security-policy") or ""
        )  # the form again, with what is wrong
    elif reply.status >= 400:
        assert_page(reply)
