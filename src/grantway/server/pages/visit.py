"""One request to a page: who comes, what the form says, and what goes back."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from grantway.protocol.authorize import Visitor
from grantway.server.hand_off import SignInHook
from grantway.server.pages import problems
from grantway.server.pages.assets import Assets
from grantway.server.pages.catalogue import choose_language, load_catalogues, named
from grantway.server.pages.cookies import Cookies, Purpose, form_token, is_form_token
from grantway.server.pages.headers import guard
from grantway.server.pages.problems import Stop
from grantway.server.pages.rendering import Templates
from grantway.server.pages.theme import load_theme
from grantway.server.proxies import request_id_of
from grantway.server.service import Service
from grantway.wire.encoding import FORM_TYPE, Parameters, read_form
from grantway.wire.http import HttpRequest

LARGEST_BODY = 64 * 1024
KEPT = ("request", "again")
"""Parameters of our own pages that a change of language has to keep."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Site:
    """What all pages share, made once."""

    def __init__(self, service: Service, sign_in: SignInHook | None = None) -> None:
        self.service = service
        self.sign_in = sign_in
        self.assets = Assets(load_theme(service.settings))
        self.cookies = Cookies(secure=service.issuer.startswith("https://"))
        self.templates = Templates(load_catalogues(), self.assets, service.settings.platform_name)


class Visit:
    """One request. Handlers take it and give back a response."""

    def __init__(self, site: Site, request: Request) -> None:
        self.site = site
        self.service = site.service
        self.request = request
        self.visitor = site.cookies.read(request.cookies)
        self.language = self._language()
        self.request_id = request_id_of(site.service, request.scope)
        self.reason = "ok"
        """The private slug for the log's line of this request."""
        self._new_browser: str | None = None

    # --- what arrives

    def greet(self) -> Visitor:
        """The visitor, with a browser cookie in any case: a new one is set with the response."""
        if self.visitor.browser is None:
            self._new_browser = urlsafe_b64encode(self.service.draw(32)).rstrip(b"=").decode()
            self.visitor = Visitor(self._new_browser, self.visitor.session)
        return self.visitor

    async def body(self, largest: int = LARGEST_BODY) -> bytes:
        """The body, complete. Stops at one that is too large."""
        said = self.request.headers.get("content-length", "0")
        if not (said.isascii() and said.isdigit()) or len(said) > 9 or int(said) > largest:
            raise Stop(problems.TOO_LARGE)
        received = bytearray()
        try:
            async for part in self.request.stream():
                received += part
                if len(received) > largest:
                    raise Stop(problems.TOO_LARGE)
        except ClientDisconnect:
            raise Stop(problems.UNREADABLE) from None
        return bytes(received)

    async def fields(self) -> Parameters:
        """What was sent by a form, wherever it came from."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != FORM_TYPE:
            raise Stop(problems.NOT_A_FORM, reason="form_type")
        return read_form(await self.body())

    def check(self, fields: Parameters, purpose: Purpose, again: str) -> None:
        """Stop unless we gave this browser the form. ``again`` is where to get a new one."""
        if not is_form_token(self.visitor, purpose, fields.one("csrf")):
            raise Stop(problems.FOREIGN_FORM, again=again, reason="form_token_wrong")

    async def form(self, again: str) -> Parameters:
        """The fields of a form for somebody who is signed in, once it is sure that it is ours."""
        fields = await self.fields()
        self.check(fields, "session", again)
        return fields

    async def message(self) -> HttpRequest:
        """The request as the dialects read it."""
        scope = self.request.scope
        return HttpRequest(
            method=self.request.method,
            path=scope["path"],
            query=scope.get("query_string", b""),
            headers=scope["headers"],
            body=await self.body() if self.request.method == "POST" else b"",
        )

    # --- what goes back

    def token(self, purpose: Purpose) -> str:
        """The form token; ``""`` for a visitor who cannot send the form anyway."""
        return form_token(self.visitor, purpose) or ""

    def page(
        self, template: str, values: Mapping[str, Any], *, status: int = 200, form_target: str | None = None
    ) -> Response:
        """A page of ours."""
        shared = {"languages": self._languages() if status < 400 else ()}
        html = self.site.templates.render(template, self.language, {**shared, **values})
        response = HTMLResponse(html, status)
        if self.request.query_params.get("lang") == self.language:
            self.site.cookies.set_language(response, self.language)
        return self.finish(response, form_target=form_target)

    def redirect(self, path: str, *, status: int = 303) -> Response:
        """On to another page of ours."""
        return self.finish(RedirectResponse(path, status))

    def send_away(self, location: str) -> Response:
        """Back to the client. 303 and never 307: what was posted to us is not posted to anybody else."""
        response = Response(status_code=303)
        response.headers["location"] = location
        return self.finish(response)

    def finish(self, response: Response, *, form_target: str | None = None) -> Response:
        """Headers and the browser's cookie."""
        guard(response, form_target=form_target, login_url=self.service.settings.login_url)
        response.headers["content-language"] = self.language
        response.headers["x-request-id"] = self.request_id
        if self._new_browser is not None:
            self.site.cookies.set_browser(response, self._new_browser)
        return response

    # --- the language

    def prefer(self, locales: Sequence[str]) -> None:
        """Speak the first of these languages that there is, unless the person has chosen one."""
        if locales and self._chosen_language() is None:
            accepted = self.request.headers.get("accept-language")
            self.language = choose_language(",".join((*locales, accepted or "")), self.site.templates.languages)

    def _language(self) -> str:
        """What was just chosen at the foot of a page, or earlier, or what the browser likes best."""
        accepted = self.request.headers.get("accept-language")
        return self._chosen_language() or choose_language(accepted, self.site.templates.languages)

    def _chosen_language(self) -> str | None:
        for chosen in (self.request.query_params.get("lang"), self.site.cookies.language_of(self.request.cookies)):
            if chosen is not None and chosen in self.site.templates.languages:
                return chosen
        return None

    def _languages(self) -> Sequence[tuple[str, str, str]]:
        """For the foot of a page: code, name and address of the other languages. None where nothing was asked by GET."""
        if self.request.method not in ("GET", "HEAD"):
            return ()
        return [
            (code, named(code), f"?{urlencode([*self._kept(), ('lang', code)])}")
            for code in self.site.templates.languages
            if code != self.language
        ]

    def _kept(self) -> list[tuple[str, str]]:
        """What the address has to keep saying. Nothing else that somebody wrote there is repeated."""
        return [
            (name, value) for name in KEPT if (value := self.request.query_params.get(name)) and _ID.fullmatch(value)
        ]
