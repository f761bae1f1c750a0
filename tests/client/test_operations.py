"""Begin, complete, refresh: what is asked, what is checked, and when something is asked twice. By hand, without a network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grantway.client import (
    AuthorizationRefused,
    CallbackWrong,
    ClientError,
    MemoryPending,
    NotReached,
    Refused,
    TimedOut,
    Tokens,
    Unsupported,
    WrongServer,
)
from grantway.client.core import Begun, Registration, begin, client_credentials, complete, info, refresh, revoke
from grantway.client.standard import Metadata, Standard
from grantway.wire.messages import AuthorizationRequest
from tests.client.driving import Hand, says

ISSUER = "https://login.example"
CALLBACK = "https://app.example/callback"
WHO = Registration("app", "s3cret", CALLBACK)
METADATA = Metadata(
    ISSUER,
    f"{ISSUER}/authorize",
    f"{ISSUER}/token",
    f"{ISSUER}/introspect",
    f"{ISSUER}/revoke",
    sends_issuer=True,
    honours_idempotency_key=True,
)
SERVER = Standard(ISSUER, METADATA)
GOOD = says({"access_token": "a2", "token_type": "bearer", "expires_in": 600})
HELD = Tokens("a1", refresh_token="r1", scope=("read",))
BUSY = says({"error": "temporarily_unavailable"}, 503)


class Journey:
    """One customer's way, up to the callback."""

    def __init__(self, server: Standard = SERVER, who: Registration = WHO) -> None:
        self.hand, self.waiting, self.server, self.who = Hand(), MemoryPending(), server, who

    def begin(self, **asked: Any) -> Begun:
        return self.hand.run(begin(self.server, self.who, self.waiting, **asked))

    def complete(self, url: str, *outcomes: Any, **given: Any) -> Tokens:
        return self.hand.run(complete(self.server, self.who, self.waiting, url, **given), *outcomes)

    def wrong(self, url: str, **given: Any) -> str:
        """Why it is not accepted. Nothing is sent."""
        with pytest.raises(CallbackWrong) as raised:
            self.complete(url, **given)
        return raised.value.kind


def back(begun: Begun, at: str = CALLBACK, iss: str | None = ISSUER, **changed: str) -> str:
    said = {"code": "c1", "state": begun.state} | ({"iss": iss} if iss else {}) | changed
    return f"{at}{'&' if '?' in at else '?'}" + "&".join(f"{name}={value}" for name, value in said.items() if value)


# --- begin


def test_begin_asks_with_a_challenge_and_a_state_that_nobody_can_guess() -> None:
    begun = Journey().begin(scope="read write", resource="https://api.example", prompt=["consent"])
    address = urlsplit(begun.url)
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{ISSUER}/authorize"
    assert asked["state"] == begun.state
    assert len(begun.state) == 43, "256 bits"
    assert asked | {"state": "", "code_challenge": ""} == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "scope": "read write",
        "state": "",
        "code_challenge": "",
        "code_challenge_method": "S256",
        "resource": "https://api.example",
        "prompt": "consent",
    }
    assert "state" not in repr(begun)


def test_the_verifier_of_the_exchange_is_the_one_whose_challenge_was_sent() -> None:
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    journey = Journey()
    begun = journey.begin()
    journey.complete(back(begun), GOOD)
    (sent,) = journey.hand.forms
    challenge = parse_qs(urlsplit(begun.url).query)["code_challenge"][0]
    assert urlsafe_b64encode(sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode() == challenge
    assert (sent["code"], sent["redirect_uri"], sent["grant_type"]) == ("c1", CALLBACK, "authorization_code")


def test_words_are_given_as_a_text_or_a_list_and_what_cannot_travel_is_said_at_once() -> None:
    for scope in ("read write", ["read", "write"], ("read", "write", "read"), {"read": 1, "write": 2}):
        assert "scope=read%20write&" in Journey().begin(scope=scope).url
    nothings: list[Any] = [None, "", []]
    for nothing in nothings:
        assert "scope=" not in Journey().begin(scope=nothing).url
    for wrong in ('a"b', "a\\b", "é", "a\nb", ["a\tb"]):
        with pytest.raises(ValueError, match="visible ASCII"):
            Journey().begin(scope=wrong)


# --- complete: that it is the callback that began, once


def test_a_callback_counts_once() -> None:
    journey = Journey()
    begun = journey.begin()
    assert journey.complete(back(begun), GOOD, state=begun.state).access_token == "a2"
    assert journey.wrong(back(begun)) == "state_used"


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"state": "unheard-of"}, "state_unknown"),
        ({"state": ""}, "state_missing"),
        ({"iss": "https://evil.example"}, "issuer_differs"),
        ({"iss": f"{ISSUER}/"}, "issuer_differs"),
        ({"iss": ""}, "issuer_missing"),
        ({"code": ""}, "malformed"),
        ({"error": "access_denied"}, "malformed"),
        ({"code": "c1&code=c2"}, "malformed"),
    ],
)
def test_another_callback_is_not_accepted(changed: dict[str, str], kind: str) -> None:
    journey = Journey()
    assert journey.wrong(back(journey.begin(), **changed)) == kind
    assert journey.hand.sent == []


@pytest.mark.parametrize(
    "at",
    [
        "https://app.example/callback/",
        "https://app.example/other",
        "http://app.example/callback",
        "https://app.example:444/callback",
        "https://evil.example/callback",
        "https://app.example/callback?tenant=2",
    ],
)
def test_a_callback_at_another_address_than_the_one_that_began_is_not_accepted(at: str) -> None:
    journey = Journey()
    assert journey.wrong(back(journey.begin(), at)) == "redirect_uri_differs"


def test_a_query_of_the_redirect_uri_stays_and_is_compared() -> None:
    journey = Journey()
    begun = journey.begin(redirect_uri=f"{CALLBACK}?tenant=1")
    journey.complete(back(begun, f"{CALLBACK}?tenant=1"), GOOD)
    assert journey.hand.forms[0]["redirect_uri"] == f"{CALLBACK}?tenant=1"


def test_a_callback_that_somebody_lured_the_customer_to_is_not_their_own() -> None:
    """Login CSRF: the state is one that we drew, but for another browser."""
    journey = Journey()
    mine, theirs = journey.begin(), journey.begin()
    assert journey.wrong(back(theirs), state=mine.state) == "state_differs"
    assert journey.complete(back(theirs), GOOD, state=theirs.state).access_token == "a2", "it was not used up"


def test_who_takes_longer_than_an_hour_begins_anew() -> None:
    journey = Journey()
    begun = journey.begin()
    journey.hand.turn(hours=1)
    assert journey.wrong(back(begun)) == "state_unknown"


def test_what_was_begun_with_one_client_is_not_ended_with_another() -> None:
    journey = Journey()
    begun = journey.begin()
    journey.who = replace(WHO, client_id="other")
    assert journey.wrong(back(begun)) == "not_ours"
    begun = journey.begin()
    journey.server = Standard("https://other.example", METADATA)
    assert journey.wrong(back(begun)) == "not_ours"


def test_a_server_that_does_not_say_that_it_sends_its_issuer_need_not_but_may_not_send_another() -> None:
    silent = Standard(ISSUER, replace(METADATA, sends_issuer=False))
    journey = Journey(silent)
    journey.complete(back(journey.begin(), iss=None), GOOD)
    assert journey.wrong(back(journey.begin(), iss="https://evil.example")) == "issuer_differs"


def test_a_no_is_an_error_of_its_own_and_uses_the_state_up() -> None:
    journey = Journey()
    begun = journey.begin()
    url = back(begun, code="", error="access_denied", error_description="Not today.")
    with pytest.raises(AuthorizationRefused) as raised:
        journey.complete(url)
    assert (raised.value.code, raised.value.description) == ("access_denied", "Not today.")
    assert journey.wrong(url) == "state_used"


def test_a_no_from_elsewhere_is_not_even_that() -> None:
    journey = Journey()
    assert journey.wrong(back(journey.begin(), code="", error="access_denied", state="x")) == "state_unknown"


# --- expiry and what is left out


def test_expiry_is_counted_from_before_the_request_was_sent() -> None:
    hand = Hand()
    asked_at = hand.now

    def slow(_: Any) -> Any:
        hand.turn(seconds=20)
        return GOOD

    tokens = hand.run(refresh(SERVER, WHO, HELD), slow)
    assert tokens.expires_at == asked_at + timedelta(seconds=600)
    assert tokens.expires_within(590, asked_at + timedelta(seconds=10))
    assert not tokens.expires_within(589, asked_at + timedelta(seconds=10))


def test_an_omitted_refresh_token_keeps_the_old_one_and_an_omitted_scope_too() -> None:
    tokens = Hand().run(refresh(SERVER, WHO, HELD), GOOD)
    assert (tokens.access_token, tokens.refresh_token, tokens.scope) == ("a2", "r1", ("read",))


def test_a_scope_that_is_not_told_is_the_one_that_was_asked_for() -> None:
    journey = Journey()
    assert journey.complete(back(journey.begin(scope="read")), GOOD).scope == ("read",)
    assert Hand().run(client_credentials(SERVER, WHO, scope="write"), GOOD).scope == ("write",)


# --- asking twice


def test_a_code_is_sent_once_whatever_becomes_of_the_answer() -> None:
    for lost in (NotReached("lost", outcome_unknown=True), TimedOut(outcome_unknown=True), BUSY):
        journey = Journey()
        with pytest.raises(ClientError):
            journey.complete(back(journey.begin()), lost)
        assert len(journey.hand.sent) == 1


def test_a_code_of_which_nothing_left_is_sent_again() -> None:
    journey = Journey()
    unreached = NotReached("unreachable", outcome_unknown=False)
    assert journey.complete(back(journey.begin()), unreached, GOOD).access_token == "a2"


@pytest.mark.parametrize(
    "lost",
    [NotReached("lost", outcome_unknown=True), TimedOut(outcome_unknown=True), BUSY],
    ids=["lost", "late", "busy"],
)
def test_a_refresh_is_repeated_once_with_the_same_key(lost: Any) -> None:
    hand = Hand()
    assert hand.run(refresh(SERVER, WHO, HELD), lost, GOOD).access_token == "a2"
    first, second = hand.sent
    assert first == second
    assert first.request.header(b"idempotency-key")
    with pytest.raises(ClientError):
        Hand().run(refresh(SERVER, WHO, HELD), lost, lost)


def test_the_key_of_a_refresh_is_of_the_token_and_the_scope_and_shows_neither() -> None:
    def key(tokens: Tokens, **asked: Any) -> str | None:
        hand = Hand()
        hand.run(refresh(SERVER, WHO, tokens, **asked), GOOD)
        return hand.sent[0].request.header(b"idempotency-key")

    other = Tokens("a1", refresh_token="r2")
    assert key(HELD) == key(Tokens("another access token", refresh_token="r1"))
    assert len({key(HELD), key(other), key(HELD, scope="read"), key(HELD, scope="write")}) == 4
    assert "r1" not in str(key(HELD))


def test_a_server_that_does_not_honour_the_key_gets_none_and_is_asked_once() -> None:
    server = Standard(ISSUER, replace(METADATA, honours_idempotency_key=False))
    hand = Hand()
    with pytest.raises(NotReached):
        hand.run(refresh(server, WHO, HELD), NotReached("lost", outcome_unknown=True))
    assert hand.sent[0].request.header(b"idempotency-key") is None


def test_a_repetition_that_did_not_leave_leaves_the_first_unknown() -> None:
    lost, unreached = NotReached("lost", outcome_unknown=True), NotReached("unreachable", outcome_unknown=False)
    with pytest.raises(NotReached) as raised:
        Hand().run(refresh(SERVER, WHO, HELD), lost, unreached)
    assert raised.value.outcome_unknown


def test_a_server_that_does_not_know_is_asked_again_and_what_it_said_stands_where_that_does_not_leave() -> None:
    untold = says({"error": "outcome_unknown"}, 503, retry_after="2")
    hand = Hand()
    assert hand.run(refresh(SERVER, WHO, HELD), untold, GOOD).access_token == "a2"
    assert hand.pauses == [2]
    for second, unknown in (NotReached("unreachable", outcome_unknown=False), True), (untold, True), (BUSY, False):
        with pytest.raises((Refused, NotReached)) as raised:
            Hand().run(refresh(SERVER, WHO, HELD), untold, second)
        assert raised.value.outcome_unknown is unknown


def test_a_server_that_says_when_is_waited_for_up_to_five_seconds() -> None:
    hand = Hand()
    hand.run(refresh(SERVER, WHO, HELD), says({"error": "temporarily_unavailable"}, 503, retry_after="5"), GOOD)
    assert hand.pauses == [5]
    with pytest.raises(Refused) as raised:
        Hand().run(refresh(SERVER, WHO, HELD), says({"error": "temporarily_unavailable"}, 503, retry_after="6"))
    assert raised.value.retry_after == 6


def test_suspension_is_told_with_its_state() -> None:
    answer = says({"error": "access_denied", "connection_state": "suspended"}, 403, retry_after="60")
    with pytest.raises(Refused) as raised:
        Hand().run(refresh(SERVER, WHO, HELD), answer)
    assert (raised.value.connection_state, raised.value.retry_after) == ("suspended", 60)


# --- what there is none of


def test_what_the_server_does_not_have_is_said_without_a_request() -> None:
    bare = Standard(ISSUER, Metadata(ISSUER))
    for operation in (info(bare, WHO, HELD), revoke(bare, WHO, HELD), refresh(SERVER, WHO, Tokens("a1"))):
        with pytest.raises(Unsupported):
            Hand().run(operation)


def test_revoking_names_the_refresh_token_where_there_is_one() -> None:
    hand = Hand()
    hand.run(revoke(SERVER, WHO, HELD), says({}))
    hand.run(revoke(SERVER, WHO, Tokens("a1")), says({}))
    assert [form["token"] for form in hand.forms] == ["r1", "a1"]


# --- discovery


def published(**changed: Any) -> Any:
    return says(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
        }
        | changed
    )


NOT_FOUND = says({}, 404)


def test_a_server_is_found_where_either_specification_publishes_it() -> None:
    hand = Hand()
    issuer = "https://login.example/tenant"
    server = Standard(issuer)
    hand.run(server.metadata(), NOT_FOUND, NOT_FOUND, published(issuer=issuer))
    assert [send.url for send in hand.sent] == [
        "https://login.example/.well-known/oauth-authorization-server/tenant",
        "https://login.example/tenant/.well-known/openid-configuration",
        "https://login.example/.well-known/openid-configuration/tenant",
    ]
    hand.run(server.metadata())
    assert len(hand.sent) == 3, "it is asked once"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (published(issuer=f"{ISSUER}/"), "issuer_differs"),
        (published(issuer="https://LOGIN.example"), "issuer_differs"),
        (published(token_endpoint="http://login.example/token"), "endpoint_not_https"),
    ],
)
def test_metadata_of_somebody_else_is_not_used(metadata: Any, reason: str) -> None:
    with pytest.raises(WrongServer) as raised:
        Hand().run(Standard(ISSUER).metadata(), metadata)
    assert raised.value.reason == reason


def test_a_server_that_publishes_nothing_is_not_one() -> None:
    with pytest.raises(WrongServer):
        Hand().run(Standard(ISSUER).metadata(), NOT_FOUND, NOT_FOUND)
    for address in ("login.example", f"{ISSUER}?tenant=1", f"{ISSUER}#x", "", "https://[", "https://"):
        with pytest.raises(WrongServer):
            Hand().run(Standard(address).metadata())


def test_a_provider_that_publishes_a_hundred_members_is_read() -> None:
    hand = Hand()
    many = published(**{f"vendor_{number}": [] for number in range(100)})
    assert hand.run(Standard(ISSUER).metadata(), many).token_endpoint == f"{ISSUER}/token"


@pytest.mark.parametrize(
    ("methods", "is_basic"),
    [(None, True), (["client_secret_post"], False), (["private_key_jwt", "client_secret_basic"], True)],
)
def test_the_secret_goes_where_the_server_wants_it(methods: list[str] | None, is_basic: bool) -> None:
    hand = Hand()
    metadata = published() if methods is None else published(token_endpoint_auth_methods_supported=methods)
    hand.run(client_credentials(Standard(ISSUER), WHO), metadata, GOOD)
    request = hand.sent[-1].request
    assert (request.header(b"authorization") is not None) == is_basic
    assert (b"client_secret" in request.body) != is_basic


def test_a_server_that_takes_no_secret_as_we_can_send_it_is_told_nothing() -> None:
    hand = Hand()
    with pytest.raises(Unsupported):
        hand.run(
            client_credentials(Standard(ISSUER), WHO),
            published(token_endpoint_auth_methods_supported=["tls_client_auth"]),
        )
    assert len(hand.sent) == 1


def test_an_endpoint_with_a_query_keeps_it() -> None:
    server = Standard(ISSUER, replace(METADATA, authorization_endpoint=f"{ISSUER}/authorize?tenant=1"))
    url = Hand().run(server.authorize(AuthorizationRequest("app", "code")))
    assert url == f"{ISSUER}/authorize?tenant=1&response_type=code&client_id=app"
