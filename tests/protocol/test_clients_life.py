"""The life of a client: a draft, approved, changed, switched off, ended; and who looks after it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grantway.protocol.administration.aftermath import remove_connections
from grantway.protocol.administration.approval import approve, last_word, send_back, submit
from grantway.protocol.administration.client_changes import ClientChange, set_icon, update_client
from grantway.protocol.administration.client_life import disable_client, enable_client, end_client
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.developers import MOST, add_developer, remove_developer
from grantway.protocol.authorize import AskAccount, AskConsent, SendBack, open_authorization
from grantway.protocol.decision import Add, Decision
from grantway.protocol.model import AuditEntry, Client, Connection, Developer, Notice, RefusedAuthorization, User
from tests.helpers.stage import REDIRECT_URI, Integration, Stage, refused
from tests.protocol.test_administration import rejected

OTHER_URI = "https://client.example/other"


@pytest.fixture
def stage() -> Stage:
    return Stage(platform_events_url="https://platform.example/hooks")


def draft(stage: Stage, developer: User, **wanted: Any) -> Integration:
    """An integration that this person has registered."""
    new = NewClient("Shoplifter", redirect_uris=(REDIRECT_URI,), scopes=("read",), **wanted)
    made: Any = stage.decide(create_client, new, create_scopes=True, developer=developer).answer
    return Integration(made.client, made.client_secret)


def now(stage: Stage, by: Integration) -> Client:
    return stage.stored(Client, by.client.id)


def entries(stage: Stage, action: str) -> list[AuditEntry]:
    return [entry for entry in stage.audited() if entry.action == action]


# --- drafts


def test_what_an_operator_makes_is_approved_and_what_a_developer_registers_is_a_draft(stage: Stage) -> None:
    assert stage.integration().client.approved_at == stage.clock()
    mine = draft(stage, stage.ada)
    assert mine.client.approved_at is None
    assert [(one.client_id, one.user_id) for one in stage.all(Developer)] == [(mine.client.id, stage.ada.id)]
    created = next(entry for entry in entries(stage, "client_created") if entry.client_id == mine.client.id)
    assert created.actor.startswith("us_")


@pytest.mark.parametrize(("role", "may"), [("owner", True), ("admin", True), ("member", False), (None, False)])
def test_a_draft_connects_the_accounts_that_its_developers_may_connect(stage: Stage, role: Any, may: bool) -> None:
    bob = stage.house.user("bob@example.com", "Bob")
    if role is not None:
        stage.house.member(stage.acme, bob, role)
    by = draft(stage, bob)
    visitor = stage.browser(stage.ada)  # who owns Acme and did not register it
    step = stage.step(stage.open(by, visitor), visitor).answer
    assert isinstance(step, AskConsent if may else AskAccount)


def test_what_was_picked_or_shown_before_approval_was_lost_is_not_allowed_after(stage: Stage) -> None:
    by = stage.integration()
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    shown = stage.ask(pending_id, visitor).shown
    stage.amend(by.client, approved_at=None)
    refused(stage.allow(pending_id, visitor, shown), "access_denied", "client_is_draft")
    refused(stage.choose(pending_id, visitor, stage.acme), "access_denied", "client_is_draft")


def test_a_draft_of_nobody_connects_nothing(stage: Stage) -> None:
    by = draft(stage, stage.ada)
    stage.decide(remove_developer, by.client.client_id, stage.ada.id)
    visitor = stage.browser(stage.ada)
    assert isinstance(stage.step(stage.open(by, visitor), visitor).answer, AskAccount)


def test_whom_a_developer_adds_does_not_open_their_accounts_to_the_draft(stage: Stage) -> None:
    eve = stage.user("Eve", "member")  # of Acme, which Ada owns
    by = draft(stage, eve)
    stage.decide(add_developer, by.client.client_id, "ada@example.com", by=eve)
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    assert isinstance(stage.step(pending_id, visitor).answer, AskAccount)
    stage.decide(remove_developer, by.client.client_id, eve.id, by=eve)
    refused(stage.choose(pending_id, visitor, stage.acme), "access_denied", "client_is_draft")
    stage.decide(add_developer, by.client.client_id, "ada@example.com")  # says an operator
    assert isinstance(stage.step(pending_id, visitor).answer, AskConsent)


@pytest.mark.parametrize("asked", [{"scope": ("nonsense",)}, {"prompt": ("none",)}])
def test_a_draft_cannot_have_strangers_sent_to_its_address(stage: Stage, asked: dict[str, Any]) -> None:
    eve = stage.house.user("eve@example.com", "Eve")
    by = draft(stage, eve)
    stranger, herself = stage.browser(stage.ada), stage.browser(eve)
    refused(stage.step(stage.open(by, stranger, **asked), stranger), "invalid_request", "client_is_draft")
    assert isinstance(stage.step(stage.open(by, herself, **asked), herself).answer, SendBack)
    stage.amend(by.client, approved_at=stage.clock())
    assert isinstance(stage.step(stage.open(by, stranger, **asked), stranger).answer, SendBack)


def test_who_is_connected_goes_on_when_the_client_is_a_draft_again(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    stage.amend(by.client, approved_at=None)
    assert stage.is_active(tokens.access)
    assert stage.is_active(stage.refreshed(by, tokens.refresh).access)


# --- approval


def test_approval_is_of_what_was_looked_at(stage: Stage) -> None:
    by = draft(stage, stage.ada)
    client_id = by.client.client_id
    stage.decide(submit, client_id, actor="us_x")
    looked_at = now(stage, by).version
    change = ClientChange(name="Northwind Billing")
    stage.decide(update_client, client_id, change, developer=stage.ada)
    assert now(stage, by).submitted_at is None
    rejected(stage.decide(approve, client_id, version=looked_at), "client_changed")
    assert stage.decide(approve, client_id, version=now(stage, by).version).answer == now(stage, by)
    assert now(stage, by).approved_at == stage.clock()
    rejected(stage.decide(approve, client_id), "client_approved")
    rejected(stage.decide(submit, client_id, actor="us_x"), "client_approved")


def test_what_is_sent_back_comes_with_a_word_until_it_is_submitted_again(stage: Stage) -> None:
    by = draft(stage, stage.ada)
    client_id = by.client.client_id
    rejected(stage.decide(send_back, client_id, "No"), "client_not_submitted")
    stage.decide(submit, client_id, actor="us_x")
    rejected(stage.decide(send_back, client_id, "  "), "word_malformed")
    stage.decide(send_back, client_id, " Say who you are. ")

    async def word(facts: Any, at: Any) -> Decision[Any]:
        return Decision(await last_word(facts, await facts.client(client_id)))

    assert stage.decide(word).answer == "Say who you are."
    stage.decide(submit, client_id, actor="us_x")
    assert stage.decide(word).answer is None


# --- changes

CHANGES = [
    (ClientChange(name="Other"), True),
    (ClientChange(redirect_uris=(REDIRECT_URI, OTHER_URI)), True),
    (ClientChange(redirect_uris=(OTHER_URI,)), True),
    (ClientChange(scopes=("read", "write", "admin", "integration")), True),
    (ClientChange(profile="sunshine"), True),
    (ClientChange(scopes=("read",)), False),
    (ClientChange(default_scopes=("read",)), False),
    (ClientChange(required_scopes=("read",)), False),
    (ClientChange(remove_url="https://client.example/removed"), False),
]


@pytest.mark.parametrize(("change", "anew"), CHANGES)
def test_a_developers_change_is_approved_anew_if_customers_rely_on_it_and_an_operators_is_not(
    stage: Stage, change: ClientChange, anew: bool
) -> None:
    stage.sunshine()  # brings its scope into the catalogue
    by = stage.integration()
    stage.decide(update_client, by.client.client_id, change, developer=stage.ada)
    assert (now(stage, by).approved_at is None) is anew
    other = stage.integration()
    stage.decide(update_client, other.client.client_id, change)
    assert now(stage, other).approved_at == stage.clock()
    assert [entry.actor for entry in entries(stage, "client_changed")] == [
        entries(stage, "client_changed")[0].actor,
        "operator",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (ClientChange(name=" "), "client_malformed"),
        (ClientChange(redirect_uris=("ftp://x",)), "client_malformed"),
        (ClientChange(redirect_uris=(REDIRECT_URI, REDIRECT_URI)), "client_malformed"),
        (ClientChange(remove_url="http://client.example"), "client_malformed"),
        (ClientChange(scopes=("read", "nonesuch")), "scope_unknown"),
        (ClientChange(default_scopes=("nonesuch",)), "client_malformed"),
        (ClientChange(required_scopes=("nonesuch",)), "client_malformed"),
        (ClientChange(profile="nonesuch"), "policy_malformed"),
        (ClientChange(overrides=(("nonesuch", 1),)), "policy_malformed"),
        (ClientChange(resources=("not a uri",)), "client_malformed"),
    ],
)
def test_what_could_not_be_registered_cannot_become(stage: Stage, change: ClientChange, reason: str) -> None:
    by = stage.integration()
    rejected(stage.decide(update_client, by.client.client_id, change), reason)
    assert now(stage, by) == by.client


def test_what_was_chosen_among_scopes_goes_with_them(stage: Stage) -> None:
    by = stage.integration(default_scopes=("read", "write"), required_scopes=("write",))
    changed = stage.decide(update_client, by.client.client_id, ClientChange(scopes=("read",))).answer
    assert isinstance(changed, Client)
    assert (changed.default_scopes, changed.required_scopes) == (("read",), ())


def test_policy_is_the_operators(stage: Stage) -> None:
    by = stage.integration()
    change = ClientChange(overrides=(("pkce", "accepted"),))
    rejected(stage.decide(update_client, by.client.client_id, change, developer=stage.ada), "overrides_not_allowed")
    assert stage.decide(update_client, by.client.client_id, change).reason == "ok"


def test_the_profile_stays_while_it_is_connected(stage: Stage) -> None:
    by = stage.integration()
    stage.connect(by)
    rejected(stage.decide(update_client, by.client.client_id, ClientChange(profile="sunshine")), "client_connected")


def test_an_unchanged_client_is_not_written(stage: Stage) -> None:
    by = stage.integration()
    assert stage.decide(update_client, by.client.client_id, ClientChange(name=by.client.name)).changes == ()
    stage.decide(set_icon, by.client.client_id, b"png", "digest")
    assert stage.decide(set_icon, by.client.client_id, b"png", "digest").changes == ()


# --- off, on, over


def test_a_client_that_is_switched_off_stops_at_once_and_goes_on_where_it_was(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    stage.decide(disable_client, by.client.client_id)
    assert not stage.is_active(tokens.access)
    stage.decide(enable_client, by.client.client_id)
    assert stage.is_active(tokens.access)
    told = [
        json.loads(one.body)["type"] for one in stage.all(Notice) if one.kind == "platform" and not one.connection_id
    ]
    assert told == ["client.disabled", "client.enabled"]
    assert entries(stage, "client_disabled")[0].reason == "client_disabled"


def test_an_ended_clients_tokens_die_in_one_row_and_its_connections_go_in_batches(stage: Stage) -> None:
    by = stage.integration(remove_url="https://client.example/removed")
    tokens = stage.connect(by)
    shops = [stage.house.account(f"Shop {number}") for number in range(6)]
    for number, shop in enumerate(shops):
        connection = Connection(stage_id(number), by.client.id, shop.id, f"{number:024x}", (), stage.clock())
        stage.make_true(Add(connection))
    ended = stage.decide(end_client, by.client.client_id)
    assert len(ended.changes) == 3  # the row, the audit, the platform: whatever it is connected to
    assert not stage.is_active(tokens.access)
    batches = []
    while (removed := stage.decide(remove_connections, 3).answer) > 0:
        batches.append(removed)
    assert batches == [3, 3, 1]
    assert {one.removed_reason for one in stage.all(Connection)} == {"client_disabled"}
    assert sum(one.kind == "remove_url" for one in stage.all(Notice)) == 7
    rejected(stage.decide(end_client, by.client.client_id), "client_unknown")
    again = NewClient("Again", client_id=by.client.client_id, redirect_uris=(REDIRECT_URI,))
    rejected(stage.decide(create_client, again), "client_exists")


def stage_id(number: int) -> bytes:
    return (1000 + number).to_bytes(16, "big")


# --- developers


def test_developers_are_added_once_and_not_without_end(stage: Stage) -> None:
    by = draft(stage, stage.ada)
    client_id = by.client.client_id
    assert stage.decide(add_developer, client_id, "ADA@example.com").reason == "unchanged"
    for number in range(MOST - 1):
        stage.house.user(f"dev{number}@example.com", "Dev")
        assert stage.decide(add_developer, client_id, f"dev{number}@example.com").reason == "ok"
    stage.house.user("late@example.com", "Late")
    rejected(stage.decide(add_developer, client_id, "late@example.com"), "too_many_developers")
    rejected(stage.decide(add_developer, client_id, "nobody@example.com"), "user_unknown")
    rejected(stage.decide(add_developer, stage.operator.client.client_id, "late@example.com"), "client_not_integration")


def test_a_developer_adds_colleagues_only_and_keeps_one(stage: Stage) -> None:
    by = draft(stage, stage.ada)
    client_id = by.client.client_id
    stage.house.user("eve@example.com", "Eve")
    rejected(stage.decide(add_developer, client_id, "eve@example.com", by=stage.ada), "user_unknown")
    rejected(stage.decide(remove_developer, client_id, stage.ada.id, by=stage.ada), "last_developer")
    bob = stage.user("Bob", "member")
    assert stage.decide(add_developer, client_id, "bob@example.com", by=stage.ada).reason == "ok"
    assert stage.decide(remove_developer, client_id, stage.ada.id, by=bob).reason == "ok"
    rejected(stage.decide(remove_developer, client_id, stage.ada.id), "developer_unknown")


# --- why authorizations were refused


def test_refusals_take_at_most_fifty_rows_and_one_write_a_minute_each(stage: Stage) -> None:
    by = stage.integration()
    visitor = stage.browser()
    for number in range(200):
        stage.try_open(by, visitor, redirect_uri=f"https://evil.example/{number}")
    kept = stage.all(RefusedAuthorization)
    assert len(kept) <= 50
    assert {one.count for one in kept} == {1}
    assert not stage.try_open(by, visitor, redirect_uri=kept[0].detail).changes
    stage.wait(minutes=1)
    stage.try_open(by, visitor, redirect_uri=kept[0].detail)
    again = next(one for one in stage.all(RefusedAuthorization) if one.slot == kept[0].slot)
    assert (again.count, again.first_at, again.last_at) == (2, kept[0].first_at, stage.clock())


def test_what_a_stranger_sends_is_kept_short_and_printable(stage: Stage) -> None:
    by = stage.integration()
    stage.try_open(by, stage.browser(), redirect_uri="https://x/\x00\x1b[31m" + "é" * 5000)
    (kept,) = stage.all(RefusedAuthorization)
    assert len(kept.detail) == 2048
    assert kept.detail.isprintable()


def test_a_request_at_another_dialects_address_is_told_to_the_developers_only(stage: Stage) -> None:
    by = stage.integration()
    answer = stage.decide(open_authorization, stage.request(by), "sunshine", stage.browser())
    assert answer.reason == "client_unknown"
    assert [one.reason for one in stage.all(RefusedAuthorization)] == ["dialect_differs"]
