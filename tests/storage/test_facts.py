"""Every fact that a rule may ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from grantway.protocol.facts import ConnectionInView, GrantInUse, WebhookInView
from grantway.protocol.model import EndedToken, Suspension
from tests.storage.asking import (
    DAY,
    ENDED,
    HOUR,
    ICON,
    MINUTE,
    NOON,
    THE_HOUR,
    account,
    add,
    an_id,
    ask,
    attempt,
    bucket,
    client,
    connection,
    connection_key,
    developer,
    event,
    foreign_token,
    grant,
    idempotent_answer,
    membership,
    notice,
    operator,
    operator_key,
    pending,
    refused_authorization,
    resource,
    scope,
    session,
    sign_in_request,
    tally,
    the_world,
    user,
    webhook,
)

VIEW = ConnectionInView(connection(), client(), account(), user())


@pytest.mark.parametrize(
    ("question", "nothing"),
    [
        (lambda facts: facts.user(b"?"), None),
        (lambda facts: facts.user_by_email("?"), None),
        (lambda facts: facts.user_by_external_id("?"), None),
        (lambda facts: facts.users(), ()),
        (lambda facts: facts.users(email="?"), ()),
        (lambda facts: facts.account(b"?"), None),
        (lambda facts: facts.account_by_external_id("sunshine", "?"), None),
        (lambda facts: facts.accounts(), ()),
        (lambda facts: facts.membership(b"?", b"?"), None),
        (lambda facts: facts.memberships(b"?"), ()),
        (lambda facts: facts.members(b"?"), ()),
        (lambda facts: facts.operator(b"?"), None),
        (lambda facts: facts.operators(), ()),
        (lambda facts: facts.session(b"?"), None),
        (lambda facts: facts.sessions_of(b"?"), ()),
        (lambda facts: facts.link(b"?"), None),
        (lambda facts: facts.links_of(b"?"), ()),
        (lambda facts: facts.sign_in_request(b"?"), None),
        (lambda facts: facts.failures(b"?"), None),
        (lambda facts: facts.client("?"), None),
        (lambda facts: facts.client("\ud800"), None),
        (lambda facts: facts.client_by_row(b"?"), None),
        (lambda facts: facts.clients(), ()),
        (lambda facts: facts.clients_of_account(b"?"), ()),
        (lambda facts: facts.submitted_clients(), ()),
        (lambda facts: facts.icon(b"?"), None),
        (lambda facts: facts.developer(b"?", b"?"), None),
        (lambda facts: facts.developers(b"?"), ()),
        (lambda facts: facts.clients_of_developer(b"?"), ()),
        (lambda facts: facts.refused_authorizations(b"?"), ()),
        (lambda facts: facts.scopes(), ()),
        (lambda facts: facts.connection(b"?"), None),
        (lambda facts: facts.connection_by_integration_id("?"), None),
        (lambda facts: facts.live_connection(b"?", b"?"), None),
        (lambda facts: facts.connections(), ()),
        (lambda facts: facts.connections_approved_by(b"?", b"?"), ()),
        (lambda facts: facts.idle_connections(NOON.date()), ()),
        (lambda facts: facts.abandoned_connections(NOON), ()),
        (lambda facts: facts.connection_key("?"), None),
        (lambda facts: facts.grant(b"?"), None),
        (lambda facts: facts.live_grants(b"?", b"?"), ()),
        (lambda facts: facts.has_live_grant_beside(b"?"), False),
        (lambda facts: facts.ended_token(b"?"), None),
        (lambda facts: facts.foreign_token(b"?"), None),
        (lambda facts: facts.pending(b"?"), None),
        (lambda facts: facts.webhook(b"?"), None),
        (lambda facts: facts.webhooks(b"?"), ()),
        (lambda facts: facts.webhooks_of_account(b"?"), ()),
        (lambda facts: facts.resource(b"?"), None),
        (lambda facts: facts.resource_by_reference(b"?", "?", "?"), None),
        (lambda facts: facts.resources(b"?"), ()),
        (lambda facts: facts.event(b"?"), None),
        (lambda facts: facts.due_notices(NOON), ()),
        (lambda facts: facts.notice(b"?"), None),
        (lambda facts: facts.notices(), ()),
        (lambda facts: facts.attempts(b"?"), ()),
        (lambda facts: facts.signing_keys(), ()),
        (lambda facts: facts.operator_key(b"?"), None),
        (lambda facts: facts.operator_keys(), ()),
        (lambda facts: facts.idempotent_answer(b"?"), None),
        (lambda facts: facts.tallies(NOON), ()),
        (lambda facts: facts.count_live_grants(b"?"), 0),
        (lambda facts: facts.permanent_grants(b"?"), ()),
        (lambda facts: facts.audit(), ()),
    ],
)
def test_an_empty_storage_knows_nothing(storage: Any, question: Any, nothing: Any) -> None:
    assert ask(storage, question) == nothing


def test_what_was_added_is_found_by_its_key(storage: Any) -> None:
    add(storage, *the_world(), ICON, ENDED, pending(), session(), scope(), bucket(), connection_key(), notice())
    assert ask(storage, lambda facts: facts.user(an_id(1))) == user()
    assert ask(storage, lambda facts: facts.account(an_id(2))) == account()
    assert ask(storage, lambda facts: facts.membership(an_id(2), an_id(1))) == membership()
    assert ask(storage, lambda facts: facts.client("client3")) == client()
    assert ask(storage, lambda facts: facts.client_by_row(an_id(3))) == client()
    assert ask(storage, lambda facts: facts.icon(an_id(3))) == ICON
    assert ask(storage, lambda facts: facts.connection(an_id(4))) == VIEW
    assert ask(storage, lambda facts: facts.connection_by_integration_id(f"{4:024x}")) == VIEW
    assert ask(storage, lambda facts: facts.live_connection(an_id(3), an_id(2))) == connection()
    assert ask(storage, lambda facts: facts.grant(an_id(5))) == GrantInUse(
        grant(), connection(), account(), user(), client()
    )
    assert ask(storage, lambda facts: facts.ended_token(b"t" * 16)) == ENDED
    assert ask(storage, lambda facts: facts.pending(an_id(6))) == pending()
    assert ask(storage, lambda facts: facts.session(an_id(8))) == (session(), user())
    assert ask(storage, lambda facts: facts.scopes()) == (scope(),)
    assert ask(storage, lambda facts: facts.failures(an_id(10))) == bucket()
    assert ask(storage, lambda facts: facts.connection_key("act_1")) == (connection_key(), VIEW)
    assert ask(storage, lambda facts: facts.notices(connection_id=an_id(4))) == (notice(),)


def test_every_field_of_a_grant_comes_back(storage: Any) -> None:
    full = grant(
        resource=("https://api.example/",), generation=7, moved_at=NOON + MINUTE, previous_moved_at=NOON, move_key=b"m",
        code_expires_at=NOON + HOUR, code_challenge="c", redirect_uri_digest=b"r" * 32, redirect_uri_was_sent=True,
        cnf="jkt", oidc={"nonce": "n", "amr": ["pwd", "otp"], "claims": {"é": None}}, refresh_expires_at=NOON + DAY,
        refresh_idle_expires_at=NOON + DAY, access_not_before=NOON, revoked_at=NOON, revoked_reason="r", revoked_by=b"b",
        last_used_day=NOON.date(),
    )  # fmt: skip
    add(storage, user(), account(), client(), connection(), full)
    assert ask(storage, lambda facts: facts.grant(an_id(5))).grant == full


def test_times_keep_their_zone_and_microseconds(storage: Any) -> None:
    in_india = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    long_ago, far_off = datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    add(storage, user(created_at=in_india), session(auth_time=long_ago, expires_at=far_off))
    found, person = ask(storage, lambda facts: facts.session(an_id(8)))
    assert person.created_at == in_india
    assert person.created_at.tzinfo is not None
    assert (found.auth_time, found.expires_at) == (long_ago, far_off)


def test_text_compares_binary(storage: Any) -> None:
    add(storage, user(1, email="ann@example.com"), user(2, email="ANN@example.com"), user(3, email="ann@example.com "))
    add(storage, client(4, client_id="é"), client(5, client_id="e\u0301"), client(6, client_id="bell\al"))
    assert ask(storage, lambda facts: facts.user_by_email("ann@example.com")).id == an_id(1)
    assert ask(storage, lambda facts: facts.user_by_email("Ann@example.com")) is None
    assert ask(storage, lambda facts: facts.client("é")).id == an_id(4)
    assert ask(storage, lambda facts: facts.client("bell\al")).id == an_id(6)
    assert ask(storage, lambda facts: facts.client("bell")) is None
    assert ask(storage, lambda facts: facts.client("e\0")) is None
    assert ask(storage, lambda facts: facts.client("\ud800")) is None


def test_what_a_rule_sees_is_what_the_rules_before_it_did(storage: Any) -> None:
    add(storage, EndedToken(b"1" * 16, NOON))
    assert ask(storage, lambda facts: facts.ended_token(b"1" * 16)) == EndedToken(b"1" * 16, NOON)


FULL: dict[str, tuple[Any, Any]] = {
    "a user": (
        user(1, email=None, password_hash="h", password_version=3, external_id="é", language="pt-BR"),
        lambda facts: facts.user(an_id(1)),
    ),
    "an operator": (operator(role="viewer"), lambda facts: facts.operator(an_id(1))),
    "a sign-in request": (
        sign_in_request(user_id=an_id(1), auth_time=NOON - MINUTE, version=2),
        lambda facts: facts.sign_in_request(an_id(12)),
    ),
    "a client": (
        client(required_scopes=("a", "é"), submitted_at=NOON, approved_at=NOON + HOUR, account_id=an_id(2)),
        lambda facts: facts.client("client3"),
    ),
    "a developer": (developer(), lambda facts: facts.developer(an_id(3), an_id(1))),
    "a scope": (scope(events=("order.*", "contact.created")), lambda facts: only(facts.scopes())),
    "a refused authorization": (
        refused_authorization(2, count=7, last_at=NOON + HOUR),
        lambda facts: only(facts.refused_authorizations(an_id(3))),
    ),
    "a resource": (
        resource(
            grant_id=an_id(5), url="https://p.example/", cancelled_at=NOON, cancelled_reason="customer", version=2
        ),
        lambda facts: facts.resource(an_id(14)),
    ),
    "an event": (event(ordering_key="order-é", to=12), lambda facts: facts.event(an_id(15))),
    "a notice": (
        notice(
            line=b"l" * 16, connection_id=None, client_id=None, kind="mail", url="", body=b"", attempts=3, last_status=500,
            last_error="e", delivered_at=NOON, lease=b"l", leased_until=NOON, webhook_id=an_id(13), event_id=an_id(15),
            user_id=an_id(1), replayed_at=NOON,
        ),
        lambda facts: facts.notice(an_id(7)),
    ),
    "a dead notice": (notice(dead_at=NOON), lambda facts: facts.notice(an_id(7))),
    "an attempt": (attempt(status=200, error="e", answer="ok \a é"), lambda facts: only(facts.attempts(an_id(7)))),
    "an operator key": (
        operator_key(expires_at=NOON, revoked_at=NOON, last_used_day=NOON.date(), version=2),
        lambda facts: facts.operator_key(an_id(16)),
    ),
    "an idempotent answer": (idempotent_answer(), lambda facts: facts.idempotent_answer(an_id(17))),
    "a membership": (
        membership(external_ids={"phonecom": "1767963", "é": "x y"}),
        lambda facts: facts.membership(an_id(2), an_id(1)),
    ),
    "a renewed token": (
        EndedToken(b"t" * 16, NOON + DAY, NOON + 2 * MINUTE),
        lambda facts: facts.ended_token(b"t" * 16),
    ),
    "an older system's token": (
        foreign_token(kind="migration", expires_at=NOON + DAY),
        lambda facts: facts.foreign_token(an_id(18) * 2),
    ),
    "an older system's token without end": (
        foreign_token(kind="refresh"),
        lambda facts: facts.foreign_token(an_id(18) * 2),
    ),
    "an authorization request that waits": (
        pending(
            response_type="token", ui_locales=("fr-CA", "en"), code_challenge="c", user_id=an_id(1), account_id=an_id(2),
            grant_id=an_id(5), resource=("https://api.example/",), version=4,
        ),
        lambda facts: facts.pending(an_id(6)),
    ),
    "a tally": (tally(), lambda facts: only(facts.tallies(THE_HOUR))),
}  # fmt: skip


async def only(several: Any) -> Any:
    (one,) = await several
    return one


@pytest.mark.parametrize(("record", "question"), FULL.values(), ids=FULL.keys())
def test_every_field_of_a_record_comes_back(storage: Any, record: Any, question: Any) -> None:
    add(storage, record)
    assert ask(storage, question) == record


def test_every_field_of_a_connection_and_its_webhook_comes_back(storage: Any) -> None:
    full = connection(
        activated_at=NOON, suspended_at=NOON,
        suspensions=(Suspension(NOON, "customer", "us_é"), Suspension(NOON + MINUTE, "operator", "operator")),
    )  # fmt: skip
    hook = webhook(
        dialect="sunshine", api_version="2", previous_secret=b"old", previous_until=NOON + DAY, disabled_at=NOON,
        ended_at=NOON + HOUR, version=3,
    )  # fmt: skip
    add(storage, user(), account(), client(), full, hook)
    view = ConnectionInView(full, client(), account(), user())
    assert ask(storage, lambda facts: facts.connection(an_id(4))) == view
    assert ask(storage, lambda facts: facts.webhook(an_id(13))) == WebhookInView(hook, view)
