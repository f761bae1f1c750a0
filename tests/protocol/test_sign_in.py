"""Signing in: one answer for everything that is wrong, a session drawn anew, only its digest kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.decision import Change, Decision, Refusal, Replace
from grantway.protocol.digests import digest
from grantway.protocol.model import Session, User
from grantway.protocol.sessions import SESSION_LIFETIME
from grantway.protocol.sign_in import (
    Anonymous,
    Attempt,
    SignedIn,
    begin_sign_in,
    fail_sign_in,
    finish_sign_in,
    sign_out,
    who_is,
)
from grantway.protocol.throttle import FAILURES_PER_ADDRESS
from grantway.wire.errors import ACCESS_DENIED, TOO_MANY_REQUESTS
from tests.helpers.people import House

ADDRESS = "192.0.2.7"


@pytest.fixture
def house() -> House:
    return House.in_memory()


@pytest.fixture
def ada(house: House) -> User:
    return house.user("ada@example.com", "Ada", "the hash")


def begin(house: House, email: str = "ada@example.com") -> Attempt:
    attempt = house.decide(begin_sign_in, email, ADDRESS).answer
    assert isinstance(attempt, Attempt)
    return attempt


def signed_in(house: House, previous: str | None = None) -> SignedIn:
    answer = house.decide(finish_sign_in, begin(house), previous).answer
    assert isinstance(answer, SignedIn)
    return answer


def change(house: House, *changes: Change) -> None:
    async def rule(facts: Any, at: Any) -> Decision[None]:
        return Decision(None, changes)

    house.decide(rule)


def stored_session(house: House, session_id: str) -> Session | None:
    async def rule(facts: Any, at: Any) -> Decision[Session | None]:
        found = await facts.session(digest(session_id))
        return Decision(found and found[0])

    return house.decide(rule).answer


def test_the_name_is_found_however_it_is_capitalised(house: House, ada: User) -> None:
    attempt = begin(house, "  ADA@Example.com ")
    assert (attempt.user_id, attempt.password_hash, attempt.password_version) == (
        ada.id,
        "the hash",
        ada.password_version,
    )


@pytest.mark.parametrize("email", ["", "nobody@example.com", "x" * 255 + "@example.com", "ada@example.com\0"])
def test_somebody_who_is_unknown_is_an_attempt_like_any_other(house: House, ada: User, email: str) -> None:
    attempt = begin(house, email)
    assert (attempt.user_id, attempt.password_hash, attempt.delay) == (None, None, 0)


def test_somebody_disabled_or_without_a_password_is_like_somebody_unknown(house: House, ada: User) -> None:
    house.user("invited@example.com", "Invited", None)
    change(house, Replace(replace(ada, disabled_at=house.clock.now, version=ada.version + 1)))
    assert begin(house, "invited@example.com").user_id is None
    assert begin(house).user_id is None


def test_unknown_name_and_wrong_password_are_refused_alike_and_told_apart_only_in_the_log(
    house: House, ada: User
) -> None:
    wrong = house.decide(fail_sign_in, begin(house)).answer
    unknown = house.decide(fail_sign_in, begin(house, "nobody@example.com")).answer
    assert wrong.error is unknown.error is ACCESS_DENIED
    assert (wrong.reason, unknown.reason) == ("sign_in_wrong_password", "sign_in_unknown_user")


def test_failures_slow_known_and_unknown_names_alike(house: House, ada: User) -> None:
    for _ in range(6):
        house.decide(fail_sign_in, begin(house))
        house.decide(fail_sign_in, begin(house, "nobody@example.com"))
    assert begin(house).delay == begin(house, "nobody@example.com").delay == 2.0


def test_too_many_failures_of_an_address_end_in_later(house: House, ada: User) -> None:
    for _ in range(FAILURES_PER_ADDRESS):
        house.decide(fail_sign_in, begin(house, "nobody@example.com"))
    refusal = house.decide(begin_sign_in, "ada@example.com", ADDRESS).answer
    assert isinstance(refusal, Refusal)
    assert refusal.error is TOO_MANY_REQUESTS
    assert refusal.retry_after == 900
    assert isinstance(house.decide(begin_sign_in, "ada@example.com", "198.51.100.1").answer, Attempt)


def test_only_the_digest_of_a_session_id_is_kept_and_it_ends_after_twelve_hours(house: House, ada: User) -> None:
    answer = signed_in(house)
    session = stored_session(house, answer.session_id)
    assert session is not None
    now = house.clock.now
    assert session == Session(digest(answer.session_id), ada.id, now, now + SESSION_LIFETIME, id=session.id)
    assert answer.session_id not in repr(answer) + repr(session)
    assert len(answer.session_id) == 43
    assert house.decide(who_is, answer.session_id).answer == ada
    house.clock.turn(hours=12)
    assert house.decide(who_is, answer.session_id).answer == Anonymous()


def test_every_sign_in_draws_a_new_session_and_ends_the_one_before(house: House, ada: User) -> None:
    first = signed_in(house)
    second = signed_in(house, first.session_id)
    assert first.session_id != second.session_id
    assert stored_session(house, first.session_id) is None
    assert stored_session(house, second.session_id) is not None


def test_a_made_up_session_id_in_the_cookie_does_not_become_one(house: House, ada: User) -> None:
    answer = signed_in(house, "planted")
    assert answer.session_id != "planted"
    assert stored_session(house, "planted") is None


def test_a_password_that_was_changed_while_the_old_one_was_verified_does_not_sign_in(house: House, ada: User) -> None:
    attempt = begin(house)
    newer = replace(ada, password_hash="new", password_version=ada.password_version + 1, version=ada.version + 1)
    change(house, Replace(newer))
    refusal = house.decide(finish_sign_in, attempt).answer
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "sign_in_overtaken"


def test_a_person_who_was_disabled_in_the_meantime_is_neither_signed_in_nor_stays_so(house: House, ada: User) -> None:
    attempt, session_id = begin(house), signed_in(house).session_id
    change(house, Replace(replace(ada, disabled_at=house.clock.now, version=ada.version + 1)))
    assert isinstance(house.decide(finish_sign_in, attempt).answer, Refusal)
    assert house.decide(who_is, session_id).answer == Anonymous()


def test_an_attempt_for_nobody_never_signs_in(house: House, ada: User) -> None:
    assert isinstance(house.decide(finish_sign_in, begin(house, "nobody@example.com")).answer, Refusal)


def test_signing_in_is_audited_and_forgives_earlier_typing_errors(house: House, ada: User) -> None:
    for _ in range(5):
        house.decide(fail_sign_in, begin(house))
    assert begin(house).delay > 0
    signed_in(house)
    assert begin(house).delay == 0
    assert "signed_in" in house.audited()


def test_signing_out_ends_the_session_and_does_not_mind_doing_so_twice(house: House, ada: User) -> None:
    session_id = signed_in(house).session_id
    for gone in (session_id, session_id, "unknown", None):
        house.decide(sign_out, gone)
    assert house.decide(who_is, session_id).answer == Anonymous()
    assert house.decide(who_is, None).answer == Anonymous()


def test_a_browser_that_signed_in_before_is_not_locked_out_by_its_neighbours(house: House, ada: User) -> None:
    kept = signed_in(house).kept
    for _ in range(FAILURES_PER_ADDRESS):
        house.decide(fail_sign_in, begin(house, "nobody@example.com"))
    assert isinstance(house.decide(begin_sign_in, "ada@example.com", ADDRESS).answer, Refusal)
    own = house.decide(begin_sign_in, "ada@example.com", ADDRESS, kept).answer
    assert isinstance(own, Attempt)
    assert own.delay == 0
    # It is limited, too: by what it gets wrong itself.
    for _ in range(FAILURES_PER_ADDRESS):
        house.decide(fail_sign_in, own)
    assert isinstance(house.decide(begin_sign_in, "ada@example.com", ADDRESS, kept).answer, Refusal)


def test_what_a_browser_keeps_is_worth_nothing_for_others_later_or_after_a_new_password(
    house: House, ada: User
) -> None:
    kept = signed_in(house).kept
    assert kept is not None
    house.user("eve@example.com", "Eve", "another hash")
    for _ in range(FAILURES_PER_ADDRESS):
        house.decide(fail_sign_in, begin(house, "nobody@example.com"))

    def is_refused(email: str, what: str) -> bool:
        return isinstance(house.decide(begin_sign_in, email, ADDRESS, what).answer, Refusal)

    assert not is_refused("ada@example.com", kept)
    assert is_refused("eve@example.com", kept)
    for forged in ("", ".", "x", f"{kept}0", kept[:-2], f"other{kept}", "mk_test." + "A" * 60):
        assert is_refused("ada@example.com", forged)
    change(
        house,
        Replace(replace(ada, password_hash="new", password_version=ada.password_version + 1, version=ada.version + 1)),
    )
    assert is_refused("ada@example.com", kept)
