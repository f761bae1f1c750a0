"""Every machine endpoint × everybody who may come with a token, a key, a client's proof or a browser's cookie.

The endpoints are those of the application itself: one that is not in the table fails. Operators' calls are in it as well,
as one line, because to all of these they are closed; which key may make which call is in ``tests/api/test_keys.py``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from grantway.protocol.account_clients import number_of
from grantway.protocol.administration.operator_keys import create_operator_key
from grantway.protocol.connections import remove
from grantway.protocol.decision import Add, Put
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import Operator, Scope
from grantway.server.api.calls import CALLS
from grantway.server.app import Application
from tests.api.conftest import no_pages
from tests.helpers.asgi import Caller, Reply
from tests.helpers.stage import REDIRECT_URI, VERIFIER, Integration, Stage

HOOK = "https://bot.example/hooks"

BEARERS = (
    "anonymous",
    "own token",
    "another client's token, same account",
    "own client's token, another account",
    "token of another dialect",
    "refresh token",
    "suspended",
    "removed",
    "client's own token",
    "operator key",
    "key of another installation",
    "member's cookie",
    "owner's cookie",
    "operator's cookie",
)
"""Who comes to what is the connection's or the operators': with this in the Authorization header, or with that cookie."""

CLIENTS = (
    "anonymous",
    "own client",
    "another client",
    "operators' client",
    "own token",
    "operator key",
    "owner's cookie",
)
"""Who comes to what a client proves itself at; what is asked about is the own client's."""

ANSWERS = {
    # + it is done, - who are you (401), p not you (403), w suspended: not now (403), 0 nothing is there,
    # e theirs are told, of which there are none
    "everybody": "++++++++++++++",
    "who holds a token": "-+++--w-+-----",
    "who holds a token of a connection": "-+++--w-p-----",
    "who holds a token of a connection, each their own": "-+ee--w-p-----",
    "who holds a token of this connection": "-+00--w-p-----",
    "operators with their key": "---------+----",
}
MACHINES = {
    "everybody": """
        GET /.well-known/oauth-authorization-server
        GET /.well-known/openid-configuration
        GET /jwks.json
        GET /health/live
        GET /health/ready
        GET /v1/openapi.json
        GET /v1/problems
    """,
    "who holds a token": "GET /accounts",
    "who holds a token of a connection": "POST /v1/webhooks",
    "who holds a token of a connection, each their own": "GET /v1/webhooks",
    "who holds a token of this connection": """
        GET /v1/webhooks/{id}
        PATCH /v1/webhooks/{id}
        DELETE /v1/webhooks/{id}
        POST /v1/webhooks/{id}/test
        POST /v1/webhooks/{id}/rotate-secret
    """,
    "operators with their key": "GET /metrics",
}
ROWS = {line.strip(): audience for audience, lines in MACHINES.items() for line in lines.strip().splitlines()}

VENDORS = {
    # of a client of that vendor; in Sunshine's addresses the app is that of its account
    "GET /v2/tokenInfo": "-+++--p-------",
    "DELETE /oauth/authorization": "-+++--+-------",
    "GET /v2/apps/{app}/integrations/{integration}/webhooks": "-+ep--p-------",
    "POST /v2/apps/{app}/integrations/{integration}/webhooks": "-++p--p-------",
    "GET /v2/apps/{app}/integrations/{integration}/webhooks/{id}": "-+0p--p-------",
    "PATCH /v2/apps/{app}/integrations/{integration}/webhooks/{id}": "-+0p--p-------",
    "DELETE /v2/apps/{app}/integrations/{integration}/webhooks/{id}": "-+0p--p-------",
    "POST /oauth2/token/status": "-+++--p-------",
    "GET /v4/oauth/access-token": "-+++--w-------",
    "GET /v4/oauth/access-token/details": "-+++--w-------",
    "DELETE /v4/oauth/access-token": "-+++--+-------",
} | dict.fromkeys(
    # of an account that the client belongs to
    (
        "GET /v4/accounts/{account}/oauth/clients",
        "GET /v4/accounts/{account}/oauth/clients/{client}",
        "DELETE /v4/accounts/{account}/oauth/clients/{client}",
        "GET /v4/accounts/{account}/oauth/clients/{client}/redirect-uris",
        "POST /v4/accounts/{account}/oauth/clients/{client}/redirect-uris",
        "GET /v4/accounts/{account}/oauth/clients/{client}/redirect-uris/{uri}",
        "DELETE /v4/accounts/{account}/oauth/clients/{client}/redirect-uris/{uri}",
    ),
    "-++0--w-------",
)

PROVEN = {
    # + it is done, 0 answered as if there were no such token, - refused
    "POST /token": "-+-----",
    "POST /oauth/token": "-+-----",
    "POST /introspect": "-+0+---",
    "POST /revoke": "-+-----",
    "POST /oauth2/token": "-+-----",
    "POST /oauth2/clients/{client_id}/access-token/renew": "-+-----",
    "POST /oauth2/revoke": "-+-----",
    "POST /v4/oauth/access-token": "-+-----",
}

OPERATORS = {f"{call.method} {call.path}" for call in CALLS}


def application(stage: Stage) -> Application:
    return Application(stage.house.service, no_pages)


def test_every_machine_endpoint_is_in_a_table_and_nothing_else() -> None:
    app = application(Stage())
    paths = (app._by_path | app._by_template).items()
    served = {f"{method} {path}" for path, methods in paths for method in methods}
    assert served == set(ROWS) | set(VENDORS) | set(PROVEN) | OPERATORS


def test_every_line_says_something_of_everybody() -> None:
    assert {len(each) for each in (*ANSWERS.values(), *VENDORS.values())} == {len(BEARERS)}
    assert {len(each) for each in PROVEN.values()} == {len(CLIENTS)}
    assert set(ANSWERS) == set(MACHINES)


@pytest.mark.parametrize("endpoint", [*ROWS, *VENDORS])
def test_the_endpoint_answers_everybody_as_the_table_says(endpoint: str) -> None:
    expected = VENDORS.get(endpoint) or ANSWERS[ROWS[endpoint]]
    there = Bearers(dialect_of(endpoint))
    answered = "".join(there.told(endpoint, who) for who in BEARERS)
    assert dict(zip(BEARERS, answered, strict=True)) == dict(zip(BEARERS, expected, strict=True))


def test_operators_calls_are_closed_to_everybody_without_a_key_of_theirs() -> None:
    there = Bearers("standard")
    for who in sorted({*BEARERS} - {"operator key"}):
        told = {call: there.told(call, who) for call in sorted(OPERATORS)}
        assert {call for call, answer in told.items() if answer != "-"} == set(), who


@pytest.mark.parametrize("endpoint", PROVEN)
def test_a_client_proves_itself_where_it_has_to(endpoint: str) -> None:
    answered = "".join(proven(endpoint, who) for who in CLIENTS)
    assert dict(zip(CLIENTS, answered, strict=True)) == dict(zip(CLIENTS, PROVEN[endpoint], strict=True))


def dialect_of(endpoint: str) -> str:
    """Whose clients come to it."""
    if endpoint in ROWS or endpoint in ("POST /token", "POST /introspect", "POST /revoke"):
        return "standard"
    if "/v4/" in endpoint:
        return "phonecom"
    return "square" if "/oauth2/" in endpoint else "sunshine"


class Bearers:
    """An installation with everybody of ``BEARERS``; what is asked about is the first one's, of this dialect."""

    def __init__(self, dialect: str) -> None:
        self.stage = stage = Stage()
        stage.make_true(*(Put(Scope(name, {"en": name}, events=("order.*",))) for name in ("read", "write", "admin")))
        own, another = (integration(stage, dialect, name) for name in ("Own", "Another"))
        standard = stage.integration("Third")
        foreign = stage.sunshine() if dialect == "standard" else standard
        sunshine = dialect == "sunshine"
        bolt, coil, dent = (stage.house.account(name) for name in ("Bolt", "Coil", "Dent"))
        for account in (bolt, coil, dent):
            stage.house.member(account, stage.ada)
        tokens = stage.connect(own)
        suspended, removed = stage.connect(own, account=coil), stage.connect(own, account=dent)
        stage.decide(suspend, stage.connection_of(suspended).id, "operator")
        stage.decide(remove, stage.connection_of(removed).id, "operator", "operator")
        olga = stage.user("Olga", "member")
        stage.make_true(Add(Operator(olga.id, "operator", stage.clock())))
        key: Any = stage.decide(create_operator_key, "All", ["*"]).answer
        strange: Any = Stage(seed=8).decide(create_operator_key, "All", ["*"]).answer
        self.headers = {
            "anonymous": (),
            "own token": bearer(tokens.access),
            "another client's token, same account": bearer(stage.connect(another).access),
            "own client's token, another account": bearer(stage.connect(own, account=bolt).access),
            "token of another dialect": bearer(stage.connect(foreign).access),
            "refresh token": bearer(stage.connect(standard).refresh),
            "suspended": bearer(suspended.access),
            "removed": bearer(removed.access),
            "client's own token": bearer(stage.minted(stage.client_credentials(standard, scope=("read",))).access),
            "operator key": bearer(key.text),
            "key of another installation": bearer(strange.text),
            "member's cookie": cookie(stage, stage.user("Max", "member")),
            "owner's cookie": cookie(stage, stage.ada),
            "operator's cookie": cookie(stage, olga),
        }
        self.app = application(stage)
        self.own = (
            f"/v2/apps/{stage.acme.external_ids['sunshine']}/integrations/me/webhooks" if sunshine else "/v1/webhooks"
        )
        self.sunshine = sunshine
        self.hook: str | None = None

    def told(self, endpoint: str, who: str) -> str:
        """One letter for what comes of it. Where a webhook is asked about, ``own token`` has made it."""
        caller = Caller(self.app)
        try:
            made = {"target": HOOK, "triggers": ["message"]} if self.sunshine else {"url": HOOK, "events": ["order.*"]}
            if self.hook is None and "/webhooks" in endpoint and endpoint not in OPERATORS:
                answer = send(caller, "POST", self.own, self.headers["own token"], made).json()
                self.hook = answer["webhook"]["id"] if self.sunshine else answer["id"]
            method, _, path = endpoint.partition(" ")
            if "{app}" in path:
                path = self.own + path.partition("/webhooks")[2]
            if "{account}" in path and endpoint in VENDORS:
                path, made = self.of_a_client(path), {"redirect_uri": f"{REDIRECT_URI}/more"}
            path = path.replace("{id}", self.hook or "id").replace("{", "").replace("}", "")
            is_addition = path == self.own or path.endswith("/redirect-uris")
            body = {} if method == "PATCH" else made if is_addition else None
            reply = send(caller, method, path, self.headers[who], body if method in ("POST", "PATCH") else None)
            if method == "DELETE" and reply.status < 300:
                self.hook = None
            listed = method == "GET" and path == self.own
            return "e" if listed and reply.status == 200 and HOOK not in reply.text else letter(reply)
        finally:
            caller.close()

    def of_a_client(self, path: str) -> str:
        """The path with the first one's account in it, and a new client of that account."""
        uris = (REDIRECT_URI, f"{REDIRECT_URI}/2")
        client = self.stage.phonecom("Spare", redirect_uris=uris, account_id=self.stage.acme.id).client
        numbers = {"client": number_of(client), "uri": number_of(client, uris[1])}
        return path.format_map({"account": self.stage.acme.external_ids["phonecom"], **numbers})


def integration(stage: Stage, dialect: str, name: str) -> Integration:
    return stage.phonecom(name) if dialect == "phonecom" else stage.integration(name, profile=dialect)


def proven(endpoint: str, who: str) -> str:
    stage = Stage()
    by, another = (integration(stage, dialect_of(endpoint), name) for name in ("Own", "Another"))
    code, tokens = stage.code(by), stage.connect(by)
    key: Any = stage.decide(create_operator_key, "All", ["*"]).answer
    fields = {"token": tokens.access, "access_token": tokens.access}
    if endpoint.endswith(("/token", "/access-token")):
        fields = {"grant_type": "authorization_code", "code": code}
        if by.client.policy.redirect_uri == "required":
            fields["redirect_uri"] = REDIRECT_URI
        if endpoint == "POST /token":
            fields["code_verifier"] = VERIFIER
    headers: tuple[tuple[str, str], ...] = ()
    proof: dict[str, str] = {}
    match who:
        case "own client" | "another client" | "operators' client":
            client = {"own client": by, "another client": another, "operators' client": stage.operator}[who]
            proof = {"client_id": client.client.client_id, "client_secret": client.secret or ""}
            if endpoint.endswith(("/renew", "/oauth2/revoke")):
                headers = (("Authorization", f"Client {client.secret}"),)
        case "own token":
            headers = bearer(tokens.access)
        case "operator key":
            headers = bearer(key.text)
        case "owner's cookie":
            headers = cookie(stage, stage.ada)
    caller = Caller(application(stage))
    try:
        form = ("Content-Type", "application/x-www-form-urlencoded")
        path = endpoint[5:].replace("{client_id}", proof.get("client_id", by.client.client_id))
        if by.dialect == "square":
            reply = send(caller, "POST", path, headers, fields | proof)
        else:
            reply = caller.request("POST", path, [*headers, form], urlencode(fields | proof).encode())
    finally:
        caller.close()
    if reply.status not in (200, 201):
        assert reply.status in (400, 401, 403, 404), reply.text
        assert stage.is_active(tokens.access)
        return "-"
    if endpoint.endswith("/revoke"):
        return "0" if stage.is_active(tokens.access) else "+"
    if endpoint == "POST /introspect":
        return "+" if reply.json()["active"] else "0"
    return "+" if reply.json()["access_token"] else "-"


def bearer(text: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Bearer {text}"),)


def cookie(stage: Stage, user: Any) -> tuple[tuple[str, str], ...]:
    return (("Cookie", f"__Host-grantway-session={stage.browser(user).session}"),)


def send(caller: Caller, method: str, path: str, headers: Any, members: dict[str, Any] | None) -> Reply:
    if members is None:
        return caller.request(method, path, headers)
    return caller.request(method, path, [*headers, ("Content-Type", "application/json")], orjson.dumps(members))


def letter(reply: Reply) -> str:
    if reply.status == 403:
        return "w" if "connection_state" in reply.text else "p"
    assert reply.status < 300 or reply.status in (401, 404, 503), (reply.status, reply.text)  # 503: not ready, and told
    return {401: "-", 404: "0"}.get(reply.status, "+")
