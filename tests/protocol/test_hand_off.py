"""Hand-off: the platform says who somebody is, and only the browser that left comes back as them, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grantway.protocol.administration.accounts import OWN_ID
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.operators import create_operator
from grantway.protocol.decision import Add, Decision, Refusal
from grantway.protocol.digests import digest
from grantway.protocol.hand_off import (
    LIFETIME,
    CameBack,
    Completed,
    Goal,
    Sent,
    SignInTooOld,
    come_back,
    complete,
    send_to_platform,
    sign_in_at_once,
    with_query,
)
from grantway.protocol.identity import MOST_ACCOUNTS, Identity, IdentityAccount
from grantway.protocol.model import Account, AuditEntry, Membership, Operator, Session, SignInRequest, User
from grantway.protocol.sign_in import Browser
from grantway.protocol.steps import Visitor
from tests.helpers.stage import ISSUER, Stage, values_of

LOGIN_URL = "https://platform.example/login?theme=dark"
FIREFOX = Browser("Firefox (Linux)", "de")
LEFT = Visitor("browser-1")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def leave(stage: Stage, visitor: Visitor = LEFT, to: str = "/connections", since: Any = None) -> str:
    """The id that the platform gets."""
    sent = stage.decide(send_to_platform, visitor.browser, LOGIN_URL, Goal(to, since)).answer
    assert isinstance(sent, Sent)
    return parse_qs(urlsplit(sent.url).query)["request"][0]


def grace(stage: Stage, *accounts: IdentityAccount, **changes: Any) -> Identity:
    said = Identity("u-1", "Grace", stage.clock(), accounts or (IdentityAccount("shop-1", "Shop", "owner"),))
    return replace(said, **changes)


def completed(stage: Stage, identity: Identity | None = None, request_id: str | None = None) -> str:
    """The id with which the browser comes back."""
    answer = stage.decide(complete, request_id or leave(stage), identity or grace(stage)).answer
    assert isinstance(answer, Completed), answer
    assert answer.return_to.startswith(f"{ISSUER}/sign-in/return?request=")
    return parse_qs(urlsplit(answer.return_to).query)["request"][0]


def back(stage: Stage, return_id: str, visitor: Visitor = LEFT) -> Decision[Any]:
    return stage.decide(come_back, return_id, visitor, FIREFOX)


def user(stage: Stage) -> User:
    return next(each for each in stage.all(User) if each.external_id == "u-1")


def memberships(stage: Stage) -> dict[str, str]:
    """The person's roles, by the platform's id of the account."""
    accounts = {account.id: account for account in stage.all(Account)}
    return {
        accounts[each.account_id].external_ids.get(OWN_ID, accounts[each.account_id].name): each.role
        for each in stage.all(Membership)
        if each.user_id == user(stage).id
    }


def test_the_browser_leaves_with_an_id_beside_the_address_s_own_parameters(stage: Stage) -> None:
    sent = stage.decide(send_to_platform, "browser-1", LOGIN_URL, Goal("/connections")).answer
    query = parse_qs(urlsplit(sent.url).query)
    assert sent.url.startswith("https://platform.example/login?")
    assert (set(query), query["theme"]) == ({"theme", "request"}, ["dark"])
    assert [each.digest for each in stage.all(SignInRequest)] == [digest(query["request"][0])]
    assert b"/connections" not in b"".join(v for v in values_of(stage.all(SignInRequest)[0]) if isinstance(v, bytes))


def test_where_a_new_sign_in_is_needed_the_platform_is_asked_for_it(stage: Stage) -> None:
    sent = stage.decide(send_to_platform, "browser-1", LOGIN_URL, Goal("/connections", recently=True)).answer
    assert parse_qs(urlsplit(sent.url).query)["prompt"] == ["login"]


def test_a_parameter_of_the_address_cannot_stand_in_for_the_id() -> None:
    assert with_query("https://p.example/?request=evil&a=", {"request": "x"}) == "https://p.example/?a=&request=x"


def test_the_browser_that_left_comes_back_as_the_person_and_goes_where_it_wanted(stage: Stage) -> None:
    answer = back(stage, completed(stage, request_id=leave(stage, to="/authorize/abc"))).answer
    assert isinstance(answer, CameBack)
    assert answer.destination == "/authorize/abc"
    session = next(each for each in stage.all(Session) if each.digest == digest(answer.signed_in.session_id))
    assert (session.user_id, session.label) == (user(stage).id, "Firefox (Linux)")
    assert (user(stage).name, user(stage).language, user(stage).password_hash) == ("Grace", "de", None)
    assert memberships(stage) == {"shop-1": "owner"}
    assert stage.all(SignInRequest) == []


def test_what_the_platform_was_given_is_no_way_back_and_what_it_gives_is_not_told_before(stage: Stage) -> None:
    first = leave(stage)
    return_id = completed(stage, request_id=first)
    assert return_id != first
    assert back(stage, first).reason == "sign_in_request_unknown"


def test_another_browser_does_not_come_back_and_spends_nothing(stage: Stage) -> None:
    return_id = completed(stage)
    for other in (Visitor("browser-2"), Visitor(None), Visitor("browser-2", "session")):
        assert back(stage, return_id, other).reason == "sign_in_request_of_another_browser"
    assert isinstance(back(stage, return_id).answer, CameBack)


def test_coming_back_counts_once(stage: Stage) -> None:
    return_id = completed(stage)
    assert isinstance(back(stage, return_id).answer, CameBack)
    again = back(stage, return_id)
    assert (type(again.answer), again.reason) == (Refusal, "sign_in_request_unknown")


def test_the_platform_says_it_once(stage: Stage) -> None:
    request_id = leave(stage)
    completed(stage, request_id=request_id)
    other = grace(stage, id="u-2")
    assert stage.decide(complete, request_id, other).reason == "sign_in_request_unknown"
    assert [each.external_id for each in stage.all(User) if each.external_id] == ["u-1"]


def test_the_way_back_cannot_be_completed_again_as_somebody_else(stage: Stage) -> None:
    return_id = completed(stage)
    assert stage.decide(complete, return_id, grace(stage, id="u-2")).reason == "sign_in_request_unknown"


def test_ten_minutes_after_leaving_it_is_over_for_the_platform_and_for_the_browser(stage: Stage) -> None:
    request_id, return_id = leave(stage), completed(stage)
    stage.wait(seconds=LIFETIME.total_seconds())
    assert stage.decide(complete, request_id, grace(stage)).reason == "sign_in_request_unknown"
    assert back(stage, return_id).reason == "sign_in_request_unknown"


def test_the_session_is_as_old_as_the_sign_in_at_the_platform(stage: Stage) -> None:
    told = stage.clock() - timedelta(hours=3, microseconds=5)
    answer = back(stage, completed(stage, grace(stage, auth_time=told))).answer
    session = next(each for each in stage.all(Session) if each.digest == digest(answer.signed_in.session_id))
    assert session.auth_time == told


def test_a_sign_in_that_is_too_old_for_the_place_signs_nobody_in(stage: Stage) -> None:
    request_id = leave(stage, to="/authorize/abc", since=stage.clock())
    told = stage.clock() - timedelta(minutes=1)
    decision = back(stage, completed(stage, grace(stage, auth_time=told), request_id))
    assert (decision.answer, decision.reason) == (SignInTooOld("/authorize/abc"), "hand_off_sign_in_too_old")
    assert not [each for each in stage.all(Session) if each.user_id == user(stage).id]


def test_a_platform_that_counts_in_whole_seconds_is_not_early(stage: Stage) -> None:
    stage.wait(milliseconds=700)
    request_id = leave(stage, since=stage.clock())
    stage.wait(milliseconds=200)
    told = stage.clock().replace(microsecond=0)
    assert isinstance(back(stage, completed(stage, grace(stage, auth_time=told), request_id)).answer, CameBack)


def test_the_session_that_the_browser_had_is_over(stage: Stage) -> None:
    before = stage.browser(stage.ada)
    return_id = completed(stage, request_id=leave(stage, before))
    assert isinstance(back(stage, return_id, before).answer, CameBack)
    assert digest(before.session or "") not in {each.digest for each in stage.all(Session)}


def test_a_person_who_is_disabled_here_does_not_come_in_by_the_platform(stage: Stage) -> None:
    back(stage, completed(stage))
    return_id = completed(stage)
    stage.amend(user(stage), disabled_at=stage.clock())
    assert back(stage, return_id).reason == "user_disabled"
    assert stage.decide(sign_in_at_once, grace(stage), LEFT, FIREFOX, Goal("/")).reason == "user_disabled"


# --- what the platform says becomes so


def test_the_same_person_again_changes_what_has_changed_and_nothing_else(stage: Stage) -> None:
    completed(stage)
    before = user(stage)
    completed(stage)
    assert user(stage) == before
    completed(stage, grace(stage, IdentityAccount("shop-1", "Shop & Co", "admin"), name="Grace H."))
    assert (user(stage).id, user(stage).name) == (before.id, "Grace H.")
    assert memberships(stage) == {"shop-1": "admin"}
    shops = [each for each in stage.all(Account) if each.external_ids.get(OWN_ID) == "shop-1"]
    assert [each.name for each in shops] == ["Shop & Co"]


def test_an_account_that_is_not_named_any_more_is_left_and_what_was_allowed_there_ends(stage: Stage) -> None:
    one, two = IdentityAccount("shop-1", "Shop", "owner"), IdentityAccount("shop-2", "Shop 2", "owner")
    completed(stage, grace(stage, one, two))
    shop_2 = next(each for each in stage.all(Account) if each.external_ids.get(OWN_ID) == "shop-2")
    helpdesk = stage.integration(policy={"member_left": "remove"})
    tokens = stage.connect(helpdesk, user(stage), shop_2)
    assert stage.is_active(tokens.access)
    completed(stage, grace(stage, one))
    assert memberships(stage) == {"shop-1": "owner"}
    assert not stage.is_active(tokens.access)
    assert stage.connection_of(tokens).removed_reason == "member_left"


def test_a_role_that_may_not_connect_any_more_ends_what_was_allowed(stage: Stage) -> None:
    completed(stage)
    shop = next(each for each in stage.all(Account) if each.external_ids.get(OWN_ID) == "shop-1")
    tokens = stage.connect(stage.integration(policy={"member_left": "suspend"}), user(stage), shop)
    completed(stage, grace(stage, IdentityAccount("shop-1", "Shop", "member")))
    assert not stage.is_active(tokens.access)
    assert stage.connection_of(tokens).suspended_at is not None


def test_an_account_that_the_platform_has_no_id_for_is_the_operators(stage: Stage) -> None:
    completed(stage)
    stage.make_true(Add(Membership(stage.acme.id, user(stage).id, "member", stage.clock())))
    completed(stage)
    assert memberships(stage) == {"shop-1": "owner", "Acme": "member"}


def test_an_account_that_was_removed_here_stays_removed(stage: Stage) -> None:
    completed(stage)
    shop = next(each for each in stage.all(Account) if each.external_ids.get(OWN_ID) == "shop-1")
    stage.amend(shop, removed_at=stage.clock())
    answer = stage.decide(complete, leave(stage), grace(stage)).answer
    assert isinstance(answer, Completed)
    assert stage.stored(Account, shop.id).removed_at is not None


def test_an_address_that_is_somebody_elses_joins_nobody(stage: Stage) -> None:
    completed(stage, grace(stage, email="Ada@Example.com"))
    assert user(stage).email is None
    assert stage.stored(User, stage.ada.id).external_id is None
    assert "email_of_another_user" in [entry.action for entry in stage.audited()]
    assert "ada@example.com" not in {value for entry in stage.all(AuditEntry) for value in values_of(entry)}


def test_an_address_of_their_own_is_kept_and_one_that_is_taken_later_does_not_replace_it(stage: Stage) -> None:
    completed(stage, grace(stage, email="Grace@Example.com"))
    assert user(stage).email == "grace@example.com"
    completed(stage, grace(stage, email="ada@example.com"))
    assert user(stage).email == "grace@example.com"
    completed(stage)
    assert user(stage).email == "grace@example.com"


def test_external_ids_are_kept_and_one_that_is_another_accounts_is_refused_with_everything(stage: Stage) -> None:
    one = IdentityAccount("shop-1", "Shop", "owner", {"sunshine": "0" * 24}, settings={"echoPostback": True})
    completed(stage, grace(stage, one))
    shop = next(each for each in stage.all(Account) if each.external_ids.get(OWN_ID) == "shop-1")
    assert shop.external_ids["sunshine"] == "0" * 24
    assert shop.settings == {"echoPostback": True}
    for taken in (replace(one, id="shop-2"), IdentityAccount("shop-2", "S", "owner", {"sunshine": "0" * 24})):
        decision = stage.decide(complete, leave(stage), grace(stage, taken, id="u-2"))
        assert (type(decision.answer), decision.reason, decision.changes) == (Rejected, "external_id_taken", ())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": ""}, "user's id"),
        ({"id": "x" * 192}, "user's id"),
        ({"id": "a\nb"}, "user's id"),
        ({"name": " "}, "name"),
        ({"email": "nobody"}, "e-mail"),
        ({"auth_time": timedelta(minutes=2)}, "future"),
        ({"auth_time": -timedelta(days=1, seconds=1)}, "day ago"),
        ({"auth_time": None}, "time zone"),
        ({"accounts": (IdentityAccount("a", "A", "boss"),)}, "role"),  # type: ignore[arg-type]
        ({"accounts": (IdentityAccount("a", "A", "owner"),) * 2}, "once"),
        ({"accounts": (IdentityAccount("a", "", "owner"),)}, "name"),
        ({"accounts": (IdentityAccount("ac_1", "A", "owner"),)}, "ac_"),
        ({"accounts": (IdentityAccount("a", "A", "owner", {"sunshine": "x"}),)}, "hex"),
        ({"accounts": (IdentityAccount("a", "A", "owner", {"standard": "b"}),)}, "its id"),
        ({"accounts": tuple(IdentityAccount(f"a{n}", "A", "owner") for n in range(MOST_ACCOUNTS + 1))}, "at most"),
    ],
)
def test_what_the_platform_says_wrongly_is_refused_and_can_be_said_again(
    stage: Stage, changes: dict[str, Any], sentence: str
) -> None:
    if "auth_time" in changes:
        shift = changes["auth_time"]
        changes = {"auth_time": stage.clock().replace(tzinfo=None) if shift is None else stage.clock() + shift}
    request_id = leave(stage)
    decision = stage.decide(complete, request_id, grace(stage, **changes))
    assert isinstance(decision.answer, Rejected)
    assert sentence in decision.answer.sentence
    assert decision.changes == ()
    completed(stage, request_id=request_id)


# --- the application that mounts this one


def test_whom_the_mounting_application_names_is_signed_in_at_once(stage: Stage) -> None:
    answer = stage.decide(sign_in_at_once, grace(stage), LEFT, FIREFOX, Goal("/developers")).answer
    assert isinstance(answer, CameBack)
    assert answer.destination == "/developers"
    assert memberships(stage) == {"shop-1": "owner"}
    assert [each.user_id for each in stage.all(Session)] == [user(stage).id]


def test_a_sign_in_of_the_mounting_application_can_be_too_old_as_well(stage: Stage) -> None:
    told = grace(stage, auth_time=stage.clock() - timedelta(hours=1))
    for goal in (Goal("/connections", since=stage.clock()), Goal("/connections", recently=True)):
        assert stage.decide(sign_in_at_once, told, LEFT, FIREFOX, goal).answer == SignInTooOld("/connections")


def test_no_secret_shows_in_a_repr(stage: Stage) -> None:
    request_id = leave(stage)
    answer = stage.decide(complete, request_id, grace(stage, email="grace@example.com")).answer
    assert isinstance(answer, Completed)
    returned = back(stage, parse_qs(urlsplit(answer.return_to).query)["request"][0]).answer
    shown = f"{answer!r}{returned!r}{stage.all(SignInRequest)!r}"
    assert "request=" not in shown
    assert returned.signed_in.session_id not in shown


def test_nobody_whom_the_platform_signs_in_becomes_an_operator(stage: Stage) -> None:
    completed(stage, grace(stage, email="grace@example.com"))
    decision = stage.decide(create_operator, "grace@example.com", "Grace", "operator")
    assert isinstance(decision.answer, Rejected)
    assert decision.reason == "user_of_platform"
    assert stage.all(Operator) == []
