"""Whatever Square's endpoints are sent, they answer in one of the vendor's two shapes, and log none of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.helpers.asgi import Caller, Disconnected, Reply
from tests.helpers.fuzzing import MARK, Known, Sent, Template, Watch, fill, requests, watching
from tests.helpers.square import VERIFIER, Application
from tests.helpers.world import world
from tests.server.test_fuzz_machine import FUZZ
from tests.server.test_square import application

PROOF = (("client_id", Known("client_id")), ("client_secret", Known("client_secret")))
CLIENT = (("authorization", ("Client ", Known("client_secret"))),)
BEARER = (("authorization", ("Bearer ", Known("access_token"))),)
CODE = (("grant_type", "authorization_code"), ("code", Known("code")), *PROOF)
BOUND = (("grant_type", "authorization_code"), ("code", Known("bound_code")), ("code_verifier", Known("verifier")),
         ("client_id", Known("client_id")))  # fmt: skip
REFRESH = (("grant_type", "refresh_token"), ("refresh_token", Known("refresh_token")), *PROOF)
MIGRATION = (("grant_type", "migration_token"), ("migration_token", Known("access_token")), *PROOF)
REVOKED = (("client_id", Known("client_id")), ("access_token", Known("access_token")))
SQUARE = (
    *(Template("POST", "/oauth2/token", fields, kind="json") for fields in (CODE, BOUND, REFRESH, MIGRATION)),
    Template("POST", "//oauth2/token/status", headers=BEARER, kind="json"),
    Template("POST", "/oauth2/revoke", REVOKED, CLIENT, kind="json"),
    Template("POST", "/oauth2/clients/<client_id>/access-token/renew", REVOKED[1:], CLIENT, kind="json"),
)
KNOWN = ("client_id", "client_secret", "code", "bound_code", "verifier", "access_token", "refresh_token")


class Attacked:
    """An application, what is known of it, and what is logged meanwhile."""

    def __init__(self, caller: Caller, shop: Application, watch: Watch) -> None:
        self.caller = caller
        self.shop = shop
        self.watch = watch
        self.known = {"client_id": shop.client_id, "client_secret": shop.secret, "verifier": VERIFIER}
        self.renew()

    def renew(self) -> None:
        """What was used up is made anew, so that the next request finds something to spend."""
        tokens = self.shop.tokens()
        self.known |= {name: tokens[name] for name in ("access_token", "refresh_token")}
        self.known |= {"code": self.shop.code(), "bound_code": self.shop.code_with_pkce()}
        for reply in self.shop.browser.visited:
            self.watch.remember(reply)
        self.shop.browser.visited.clear()
        self.watch.secrets |= {self.known[name] for name in KNOWN if name != "client_id"}

    def send(self, sent: Sent) -> Reply | None:
        try:
            reply = self.caller.raw(**fill(sent, self.known))
        except Disconnected:
            assert sent.hangs_up
            return None
        self.watch.remember(reply)
        assert reply.status < 500, reply.body
        assert reply.status != 409, "the vendor's libraries repeat those"
        told = reply.body.decode() + "\n".join(value for _, value in reply.headers)
        assert MARK not in told
        assert self.shop.secret not in told
        if reply.status == 200:
            self.renew()
        return reply


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    with watching() as watch, world(watch.log) as there:
        yield Attacked(there.caller, application(there, "Till"), watch)
        watch.settle()


@FUZZ
@given(sent=requests(SQUARE, KNOWN))
def test_square_endpoints_refuse_anything_in_one_of_the_vendors_shapes(attacked: Attacked, sent: Sent) -> None:
    reply = attacked.send(sent)
    if reply is not None and reply.status >= 400:
        assert_square_refusal(reply)


def assert_square_refusal(reply: Reply) -> None:
    """Either shape, and no CORS: server-to-server."""
    assert reply.header("content-type") == "application/json"
    assert reply.header("access-control-allow-origin") is None
    refusal = reply.json()
    if reply.status == 401 and set(refusal) == {"message", "type"}:
        assert refusal == {"message": "Not Authorized", "type": "service.not_authorized"}
        return
    assert set(refusal) == {"errors"}
    (entry,) = refusal["errors"]
    assert {"category", "code", "detail"} <= set(entry) <= {"category", "code", "detail", "field"}
    assert all(isinstance(text, str) and text for text in entry.values())
