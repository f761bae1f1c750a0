"""A customer at a browser that has no JavaScript: follows redirects, fills in the forms of the real pages, keeps cookies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from typing_extensions import override

from tests.helpers.asgi import Reply

Fetch = Callable[[str, str, list[tuple[str, str]], bytes], Reply]
"""Method, URL, headers, body. Follows no redirects and keeps no cookies."""

FORM = "application/x-www-form-urlencoded"


@dataclass
class Form:
    """One form of a page: where it goes, what it holds, what can be chosen and pressed."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given["action"])
            self.forms.append(self._open)
        elif self._open is not None and "name" in given and "disabled" not in given:
            name, value = given["name"], given.get("value", "")
            if given.get("type") == "radio":
                self._open.choices.setdefault(name, []).append(value)
            elif tag == "button":
                self._open.buttons.setdefault(name, []).append(value)
            elif tag == "input":
                self._open.fields[name] = value

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms(page: str) -> list[Form]:
    """The forms of a page, in their order."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


@dataclass
class Customer:
    """Somebody with an address and a password, in one browser. ``visited`` is every page and answer they saw."""

    fetch: Fetch
    base_url: str
    email: str
    password: str = field(repr=False)
    account: str | None = None
    """The account they pick (its text id), where there are several; the first otherwise."""
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    visited: list[Reply] = field(default_factory=list, repr=False)

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def go(self, method: str, target: str, fields: Iterable[tuple[str, str]] | None = None) -> Reply:
        """One request of this browser."""
        headers = [("Cookie", self.cookie_header)] if self.cookies else []
        body = b""
        if fields is not None:
            headers.append(("Content-Type", FORM))
            body = urlencode(list(fields)).encode()
        reply = self.fetch(method, urljoin(self.base_url + "/", target), headers, body)
        for line in reply.all("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value and value != '""':
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        self.visited.append(reply)
        return reply

    def sign_in(self) -> None:
        """By the sign-in page, with no request waiting."""
        form = forms(self.go("GET", "/sign-in").text)[0]
        reply = self.go("POST", form.action, self._filled(form, "allow"))
        assert reply.status == 303, f"the sign-in was refused with {reply.status}"

    def connect(self, url: str, decision: str = "allow") -> dict[str, str]:
        """From an integration's Connect button to its callback; the parameters that the callback was given."""
        target = self.decide(url, decision)
        return dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))

    def decide(self, url: str, decision: str = "allow") -> str:
        """The same; the whole address that the browser is sent to in the end, which is not visited."""
        reply = self.go("GET", url)
        for _ in range(12):
            location = reply.header("location")
            if location is not None:
                target = urljoin(self.base_url + "/", location)
                if not target.startswith(self.base_url + "/"):
                    return target
                reply = self.go("GET", target)
                continue
            assert reply.status == 200, f"{reply.status}: {reply.text}"
            form = forms(reply.text)[0]
            reply = self.go("POST", form.action, self._filled(form, decision))
        raise AssertionError("the pages went round in circles")

    def _filled(self, form: Form, decision: str) -> list[tuple[str, str]]:
        filled = dict(form.fields)
        if "password" in filled:
            filled |= {"username": self.email, "password": self.password}
        if "account" in form.choices:
            filled["account"] = self.account or form.choices["account"][0]
        if "decision" in form.buttons:
            assert decision in form.buttons["decision"]
            filled["decision"] = decision
        return list(filled.items())
