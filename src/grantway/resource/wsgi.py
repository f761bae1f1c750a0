"""The middleware for WSGI applications."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx2

from grantway.client.lines import utc_now
from grantway.resource.asking import Asker, Clock
from grantway.resource.guard import KEY, InsufficientScope, admit, read_token, wanted
from grantway.resource.refusals import Refused, write_refusal
from grantway.resource.token import AccessToken
from grantway.resource.verifier import Verifier
from grantway.wire.http import HttpAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ProtectWSGI:
    """Lets only callers with a good access token for this API in; the application finds it by ``token_of(environ)``.

    Every request needs one, whatever its path and method.
    """

    def __init__(
        self,
        app: WSGIApplication,
        verifier: Verifier,
        *,
        audience: str | None,
        required_scope: str | Iterable[str] = (),
        http: httpx2.Client | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._app = app
        self._wanted = wanted(verifier, audience, required_scope)
        self._asker = Asker(verifier, http, clock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        token = self._token(environ)
        if isinstance(token, Refused):
            return _say(start_response, write_refusal(token))
        environ[KEY] = token
        try:
            return self._app(environ, start_response)
        except InsufficientScope as error:
            return _say(start_response, error.answer)

    def close(self) -> None:
        """Put the connections to the authorization server down."""
        self._asker.close()

    def _token(self, environ: WSGIEnvironment) -> AccessToken | Refused:
        sent = environ.get("HTTP_AUTHORIZATION")
        headers = () if sent is None else ((b"authorization", sent.encode("latin-1")),)
        text = read_token(headers, environ.get("QUERY_STRING", "").encode("latin-1"))
        if isinstance(text, Refused):
            return text
        found = self._asker.token(text)
        if isinstance(found, Refused):
            return found
        return admit(found, self._wanted) or found


def _say(start_response: StartResponse, answer: HttpAnswer) -> Iterable[bytes]:
    headers = [(name.decode(), value.decode("latin-1")) for name, value in answer.headers]
    headers.append(("content-length", str(len(answer.body))))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body]
