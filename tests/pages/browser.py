"""A browser without a screen: follows no redirect by itself, keeps cookies, fills in the forms that it was given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx2
from typing_extensions import override


@dataclass
class Form:
    """One form: where it goes, its fields as they would be sent untouched, and its buttons."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.text: list[str] = []
        self._open: Form | None = None
        self._outside: list[tuple[str, tuple[str, str]]] = []

    @override
    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attributes}
        self._apart(tag)
        if tag == "form":
            self._open = Form(said["action"], said.get("method", "get"))
            self.forms[said.get("id", said["action"])] = self._open
        elif tag == "button" and "disabled" not in said:
            button = (said.get("name", ""), said.get("value", ""))
            if self._open is not None:
                self._open.buttons.append(button)
            else:
                self._outside.append((said["form"], button))
        elif tag == "input" and self._open is not None:
            if said.get("type") != "radio":
                self._open.fields[said["name"]] = said.get("value", "")
            elif "disabled" not in said:
                self._open.choices.setdefault(said["name"], []).append(said["value"])

    def _apart(self, tag: str) -> None:
        if tag not in ("bdi", "strong", "time", "code", "a"):
            self.text.append(" ")

    @override
    def handle_endtag(self, tag: str) -> None:
        self._apart(tag)
        if tag == "form":
            self._open = None

    @override
    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def complete(self) -> None:
        for form_id, button in self._outside:
            self.forms[form_id].buttons.append(button)


@dataclass
class Seen:
    """A response as a person would see it."""

    status: int
    headers: httpx2.Headers
    html: str
    forms: dict[str, Form]
    text: str
    request: Any = None

    @property
    def location(self) -> str:
        return str(self.headers["location"])

    def form(self, ending: str) -> Form:
        """The form with this id, or the one whose address ends so."""
        found = [form for key, form in self.forms.items() if key == ending or form.action.endswith(ending)]
        assert len(found) == 1, f"{len(found)} forms for {ending}: {sorted(self.forms)}"
        return found[0]

    @property
    def csp(self) -> dict[str, str]:
        parts = [part.strip().partition(" ") for part in self.headers["content-security-policy"].split(";")]
        return {name: value for name, _, value in parts}


class Browser:
    """One browser with its cookies, at one address."""

    def __init__(self, app: Any, origin: str = "https://auth.example", address: str = "192.0.2.7") -> None:
        self.origin = origin
        self._runner = asyncio.Runner()
        transport = httpx2.ASGITransport(app=app, client=(address, 50000))
        self.client = httpx2.AsyncClient(transport=transport, base_url=origin)

    def close(self) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()

    def request(self, method: str, path: str, **arguments: Any) -> Seen:
        response = self._runner.run(self.client.request(method, urljoin(self.origin, path), **arguments))
        forms = _Forms()
        if response.headers.get("content-type", "").startswith("text/html"):
            forms.feed(response.text)
            forms.complete()
        text = " ".join("".join(forms.text).split())
        return Seen(response.status_code, response.headers, response.text, forms.forms, text)

    def get(self, path: str, **arguments: Any) -> Seen:
        return self.request("GET", path, **arguments)

    def post(self, path: str, data: dict[str, str], **arguments: Any) -> Seen:
        headers = {"content-type": "application/x-www-form-urlencoded"} | arguments.pop("headers", {})
        return self.request("POST", path, content=urlencode(data).encode(), headers=headers, **arguments)

    def send(self, form: Form, **values: str) -> Seen:
        """The form as it is, with these values."""
        return self.post(form.action, form.fields | values)

    def follow(self, seen: Seen) -> Seen:
        """Redirects, as long as they stay here."""
        for _ in range(5):
            if seen.status not in (302, 303) or not seen.location.startswith(("/", self.origin + "/")):
                return seen
            seen = self.get(seen.location)
        raise AssertionError("redirected in a circle")

    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.client.cookies.jar}
