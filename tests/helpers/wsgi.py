"""A WSGI application called directly, under the eyes of the standard library's validator."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from tests.helpers.asgi import Reply


class WsgiCaller:
    """Calls one application, one request after the other."""

    def __init__(self, app: Any) -> None:
        self._app = validator(app)

    def request(self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Reply:
        """One request, as a server hands it over: headers of one name are joined by commas."""
        parts = urlsplit(target)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": parts.path, "QUERY_STRING": parts.query,
            "wsgi.input": BytesIO(body),
        }  # fmt: skip
        setup_testing_defaults(environ)
        for name, value in headers:
            key = f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
        started: list[Any] = []

        def start_response(status: str, given: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), tuple(given)]
            return lambda data: None

        answer = self._app(environ, start_response)
        try:
            said = b"".join(answer)
        finally:
            answer.close()  # type: ignore[attr-defined]
        return Reply(started[0], started[1], said)
