"""Just enough of a browser to say yes to consents by the thousand: one connection, cookies, no redirects followed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

AT_ONCE = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a redirect back to the client."""
        return parse_qs(urlsplit(self.location).query)["code"][0]


class Browser:
    """One customer with empty cookies."""

    def __init__(self) -> None:
        self._cookies: dict[str, str] = {}
        self._wires: dict[str, http.client.HTTPConnection] = {}

    def ask(
        self,
        method: str,
        url: str,
        form: dict[str, str] | None = None,
        message: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        parts = urlsplit(url)
        sent = dict(headers or {})
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        body: str | None = None
        if form is not None:
            body, sent["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        elif message is not None:
            body, sent["Content-Type"] = json.dumps(message), "application/json"
        wire = self._wires.setdefault(parts.netloc, http.client.HTTPConnection(parts.netloc, timeout=60))
        wire.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, sent)
        answer = wire.getresponse()
        said = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(answer.status, answer.headers.get("Location", ""), said)

    def forget(self) -> None:
        """Be somebody else, over the same connections."""
        self._cookies.clear()

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()


def often(number: int, once: Callable[[Browser], T]) -> list[T]:
    """Do it so many times, each as a customer of its own, some at once."""

    def share(size: int) -> list[T]:
        browser = Browser()
        try:
            found = []
            for _ in range(size):
                browser.forget()
                found.append(once(browser))
            return found
        finally:
            browser.close()

    sizes = [number // AT_ONCE + (turn < number % AT_ONCE) for turn in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [each for batch in pool.map(share, sizes) for each in batch]
