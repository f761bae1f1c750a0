"""Every page × everybody: what each address is to people of every kind. An address that is not in the table fails.

The calls of the JSON API have their own table, made from their list: ``tests/api``.
"""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.ids import show
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import platform
from tests.pages.developers import upload
from tests.pages.operating import LINK, Operation, Seat

PEOPLE: dict[str, dict[str, Any] | None] = {
    "anonymous": None,
    "stranger": {},
    "member": {"role": "member"},
    "owner": {"role": "owner"},
    "developer": {"develops": True},
    "viewer": {"operator": "viewer"},
    "operator": {"operator": "operator"},
}
"""Who comes: of the account, the integration, or the installation that everything is about. The stranger is of none."""

ANSWERS = {
    # what everybody gets, in the order of PEOPLE: + it is for them, - it is not (403), 0 nothing is there, s sign in
    "everybody": "+++++++",
    "whoever has the link": "0000000",
    "whoever got the form at sign-in": "-------",
    "their own, signed in": "s++++++",
    "their own form": "-++++++",
    "their own session": "-000000",
    "who began the request": "sssssss",
    "who sees the connection": "s00+000",
    "who may change the connection": "-00+000",
    "who may register": "---+---",
    "its developers see": "s000+00",
    "its developers change": "-000+00",
    "operators see": "s0000++",
    "operators change": "s0000-+",
}

PAGES = {
    "everybody": """
        GET /
        GET /sign-in
        GET /sign-in/return
        GET /forgot
        GET /static/{name}
        GET /authorize
        POST /authorize
        GET /oauth/authorize
        POST /oauth/authorize
        GET /oauth2/authorize
        POST /oauth2/authorize
        GET /v4/oauth/authorization
        POST /v4/oauth/authorization
    """,
    "whoever has the link": """
        GET /links/{secret}
        GET /icons/{client_id}.png
    """,
    "whoever got the form at sign-in": """
        POST /sign-in
        POST /forgot
        POST /links/{secret}
    """,
    "their own, signed in": """
        GET /account
        GET /account/password
        GET /account/email
        GET /connections
        GET /developers
    """,
    "their own form": """
        POST /sign-out
        POST /account/password
        POST /account/email
        POST /account/sessions/end
        POST /authorize/{pending_id}
        POST /authorize/{pending_id}/account
        POST /authorize/{pending_id}/account/change
    """,
    "their own session": "POST /account/sessions/{session_id}/end",
    "who began the request": "GET /authorize/{pending_id}",
    "who sees the connection": "GET /connections/{connection_id}",
    "who may change the connection": """
        POST /connections/{connection_id}/remove
        POST /connections/{connection_id}/suspend
        POST /connections/{connection_id}/resume
    """,
    "who may register": "POST /developers",
    "its developers see": """
        GET /developers/{client_id}
        GET /developers/{client_id}/delete
        GET /developers/{client_id}/edit
        GET /developers/{client_id}/secrets
        GET /developers/{client_id}/tokens
        GET /developers/{client_id}/connections
        GET /developers/{client_id}/deliveries
        GET /developers/{client_id}/deliveries/{notice_id}
        GET /developers/{client_id}/refused
        GET /developers/{client_id}/try
        GET /developers/{client_id}/try/callback
    """,
    "its developers change": """
        POST /developers/{client_id}/submit
        POST /developers/{client_id}/developers
        POST /developers/{client_id}/developers/remove
        POST /developers/{client_id}/delete
        POST /developers/{client_id}/edit
        POST /developers/{client_id}/icon
        POST /developers/{client_id}/secrets
        POST /developers/{client_id}/secrets/end
        POST /developers/{client_id}/secrets/signing
        POST /developers/{client_id}/tokens
        POST /developers/{client_id}/tokens/end
        POST /developers/{client_id}/deliveries/{notice_id}/replay
        POST /developers/{client_id}/try
    """,
    "operators see": """
        GET /admin
        GET /admin/users
        GET /admin/users/{user}
        GET /admin/accounts
        GET /admin/accounts/{account}
        GET /admin/clients
        GET /admin/clients/{client}
        GET /admin/connections
        GET /admin/connections/{connection}
        GET /admin/deliveries
        GET /admin/deliveries/{notice}
        GET /admin/keys
        GET /admin/operators
        GET /admin/scopes
        GET /admin/audit
    """,
    "operators change": """
        POST /admin/users/invite
        POST /admin/users/{user}/sign-out
        POST /admin/users/{user}/disable
        POST /admin/users/{user}/enable
        POST /admin/users/{user}/send-link
        POST /admin/accounts/{account}/suspend
        POST /admin/accounts/{account}/resume
        POST /admin/clients/{client}/approve
        POST /admin/clients/{client}/send-back
        POST /admin/clients/{client}/disable
        POST /admin/clients/{client}/enable
        POST /admin/clients/{client}/end
        POST /admin/clients/{client}/replay-dead
        POST /admin/connections/{connection}/suspend
        POST /admin/connections/{connection}/resume
        POST /admin/connections/{connection}/remove
        POST /admin/deliveries/{notice}/replay
        POST /admin/keys/rotate
        POST /admin/keys/create
        POST /admin/keys/revoke
        POST /admin/operators/add
        POST /admin/operators/remove
    """,
}
ROWS = {line.strip(): audience for audience, lines in PAGES.items() for line in lines.strip().splitlines()}


def test_every_page_is_in_the_table_and_nothing_else() -> None:
    served = {f"{method} {route.path}" for route in platform().pages.routes for method in route.app._handlers}
    assert served == set(ROWS)


def test_every_audience_says_something_of_everybody() -> None:
    assert set(ANSWERS) == set(PAGES)
    assert {len(answers) for answers in ANSWERS.values()} == {len(PEOPLE)}


@pytest.mark.parametrize("page", ROWS)
def test_the_page_answers_everybody_as_the_table_says(page: str) -> None:
    answered = "".join(asked(page, how) for how in PEOPLE.values())
    assert dict(zip(PEOPLE, answered, strict=True)) == dict(zip(PEOPLE, ANSWERS[ROWS[page]], strict=True))


def asked(page: str, how: dict[str, Any] | None) -> str:
    """What somebody of this kind is answered, on a platform of their own."""
    operation = Operation(platform(**LINK))
    browser = Browser(operation.site.pages)
    try:
        seat = operation.at_browser(browser, None if how is None else operation.user("Who", **how))
        return told(sent(operation, seat, *page.split(" ")))
    finally:
        browser.close()


def sent(operation: Operation, seat: Seat, method: str, route: str) -> Seen:
    here = operation.path(route)
    if method == "GET":
        return seat.get(here)
    if route.endswith("/icon"):
        return upload(seat.browser, here, seat.csrf, b"")
    return seat.press(here, developer=show("us", operation.site.ada.id))


def told(seen: Seen) -> str:
    assert seen.status < 500, seen.text
    if seen.status in (302, 303) and seen.location.startswith("/sign-in"):
        return "s"
    return {403: "-", 404: "0"}.get(seen.status, "+")
