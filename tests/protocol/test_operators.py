"""Operators: made on the host, by a link; a viewer changes nothing, and nobody changes anything long after signing in."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.operators import CreatedOperator, create_operator, remove_operator
from grantway.protocol.administration.people import set_password
from grantway.protocol.decision import Add, Decision, Refusal
from grantway.protocol.model import OneTimeLink, Operator, Session, User
from grantway.protocol.one_time_links import draw_link, set_password_by_link
from grantway.protocol.sessions import RECENT, SESSION_LIFETIME, Operating, signed_in_operator
from grantway.protocol.sign_in import SignedIn
from tests.helpers.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def made(stage: Stage, role: Any = "operator", email: str = "ops@example.com") -> CreatedOperator:
    created = stage.decide(create_operator, email, "Olga", role).answer
    assert isinstance(created, CreatedOperator)
    return created


def signed_in(stage: Stage, role: Any = "operator") -> str:
    """The session that the link gives."""
    answer = stage.decide(set_password_by_link, made(stage, role).link, "a hash").answer
    assert isinstance(answer, SignedIn)
    return answer.session_id


def draw_for(stage: Stage) -> str:
    """A link for a new password, on its way to the operator."""

    async def rule(facts: Any, at: Any) -> Decision[str]:
        drawn = draw_link(at, await facts.user_by_email("ops@example.com"), "password")
        return Decision(drawn.secret, (Add(drawn.link),))

    return stage.decide(rule).answer


def at_the_door(stage: Stage, session_id: str | None, *, change: bool) -> Operating | str:
    async def rule(facts: Any, at: Any) -> Decision[Operating | Refusal]:
        return Decision(await signed_in_operator(facts, at, session_id, change=change))

    answer = stage.decide(rule).answer
    return answer.reason if isinstance(answer, Refusal) else answer


def test_the_link_sets_the_password_and_signs_the_operator_in_once(stage: Stage) -> None:
    created = made(stage)
    answer = stage.decide(set_password_by_link, created.link, "a hash").answer
    assert isinstance(answer, SignedIn)
    assert isinstance(at_the_door(stage, answer.session_id, change=True), Operating)
    assert stage.decide(set_password_by_link, created.link, "another").reason == "link_unknown"
    assert stage.stored(User, created.user.id).password_hash == "a hash"


def test_a_link_that_was_not_used_in_a_quarter_of_an_hour_does_nothing(stage: Stage) -> None:
    created = made(stage)
    stage.wait(minutes=15)
    assert stage.decide(set_password_by_link, created.link, "a hash").reason == "link_unknown"


def test_a_password_that_is_set_on_the_host_ends_sessions_and_links_of_the_person(stage: Stage) -> None:
    session_id = signed_in(stage)
    link = draw_for(stage)
    stage.decide(set_password, "ops@example.com", "another hash")
    assert at_the_door(stage, session_id, change=False) == "login_required"
    assert stage.decide(set_password_by_link, link, "a thief's hash").reason == "link_unknown"


def test_who_may_see_and_who_may_change(stage: Stage) -> None:
    viewer = signed_in(stage, "viewer")
    assert isinstance(at_the_door(stage, viewer, change=False), Operating)
    assert at_the_door(stage, viewer, change=True) == "operator_may_only_view"
    nobody, customer = stage.browser().session, stage.browser(stage.ada).session
    for change in (False, True):
        assert at_the_door(stage, nobody, change=change) == "login_required"
        assert at_the_door(stage, customer, change=change) == "not_an_operator"


def test_to_change_something_an_operator_has_signed_in_not_long_ago(stage: Stage) -> None:
    session_id = signed_in(stage)
    stage.wait(seconds=RECENT.total_seconds())
    assert isinstance(at_the_door(stage, session_id, change=True), Operating)
    stage.wait(seconds=1)
    assert at_the_door(stage, session_id, change=True) == "sign_in_too_old"
    assert isinstance(at_the_door(stage, session_id, change=False), Operating)
    stage.wait(seconds=SESSION_LIFETIME.total_seconds())
    assert at_the_door(stage, session_id, change=False) == "login_required"


def test_a_customer_who_becomes_an_operator_signs_in_anew(stage: Stage) -> None:
    before = stage.browser(stage.ada).session
    created = made(stage, email="Ada@Example.com")
    assert created.user.id == stage.ada.id
    assert at_the_door(stage, before, change=False) == "login_required"


def test_an_operator_made_again_has_the_new_role_and_only_the_new_link(stage: Stage) -> None:
    first, second = made(stage), made(stage, "viewer")
    assert [each.role for each in stage.all(Operator)] == ["viewer"]
    assert len(stage.all(OneTimeLink)) == 1
    assert stage.decide(set_password_by_link, first.link, "a hash").reason == "link_unknown"
    assert isinstance(stage.decide(set_password_by_link, second.link, "a hash").answer, SignedIn)


def test_a_removed_operator_is_signed_out_and_stays_a_person(stage: Stage) -> None:
    session_id = signed_in(stage)
    link = made(stage, email="ops@example.com").link
    stage.decide(remove_operator, "ops@example.com")
    assert at_the_door(stage, session_id, change=False) == "login_required"
    assert stage.decide(set_password_by_link, link, "a hash").reason == "link_unknown"
    assert stage.all(Operator) == []
    assert stage.all(Session) == []
    assert isinstance(stage.decide(remove_operator, "ops@example.com").answer, Rejected)


def test_a_person_who_is_disabled_is_made_no_operator(stage: Stage) -> None:
    stage.amend(stage.ada, disabled_at=stage.clock())
    assert stage.decide(create_operator, "ada@example.com", "Ada", "operator").reason == "user_disabled"


def test_who_became_an_operator_is_in_the_audit(stage: Stage) -> None:
    created = made(stage, "viewer")
    entry = next(each for each in stage.audited() if each.action == "operator_created")
    assert (entry.user_id, entry.detail) == (created.user.id, {"role": "viewer"})
