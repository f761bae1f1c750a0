"""A platform with developers: what the tests of the portal share."""

from __future__ import annotations

from typing import Any

from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.developers import add_developer
from grantway.protocol.decision import Decision
from grantway.protocol.model import Client
from grantway.server.passwords import hash_password
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import CALLBACK, PASSWORD, Platform

SECRET_LOOKS = "gws_"


def signed_in(site: Platform, browser: Browser, name: str = "Ada", role: Any = None) -> Browser:
    """The browser of this person, who is made unless it is Ada; with a role, they belong to Acme."""
    email = f"{name.lower()}@example.com"
    if name != "Ada":
        user = site.house.user(email, name, hash_password(PASSWORD))
        if role is not None:
            site.house.member(site.acme, user, role)
    browser.send(browser.get("/sign-in").form("/sign-in"), username=email, password=PASSWORD)
    return browser


def token(browser: Browser) -> dict[str, str]:
    """The form token of somebody who is signed in."""
    return {"csrf": browser.get("/developers").form("/sign-out").fields["csrf"]}


def registered(site: Platform, **wanted: Any) -> Client:
    """An integration that Ada has registered: a draft."""
    fields = {"scopes": ("tickets.read",), "redirect_uris": (CALLBACK,)} | wanted
    made = site.house.decide(create_client, NewClient("Shoplifter", **fields), developer=site.ada)
    return made.answer.client  # type: ignore[union-attr]


def look_after(site: Platform, client: Client) -> Client:
    """Ada looks after a client that an operator made."""
    assert site.house.decide(add_developer, client.client_id, "ada@example.com").reason == "ok"
    return client


def stored(site: Platform, client: Client) -> Client:
    """The client as it is now."""

    async def rule(facts: Any, at: Any) -> Any:
        return Decision(await facts.client_by_row(client.id))

    found: Client = site.house.decide(rule).answer
    return found


def at(client: Client, *rest: str) -> str:
    return "/".join(["/developers", client.client_id, *rest])


def upload(browser: Browser, path: str, csrf: str, file: bytes) -> Seen:
    """A form with a picture, as browsers send it."""
    boundary = "----WebKitFormBoundary7MA4YWxk"
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{csrf}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="icon"; filename="name=&quot;.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode()
    body = parts + file + f"\r\n--{boundary}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return browser.request("POST", path, content=body, headers=headers)
