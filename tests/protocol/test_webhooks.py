"""Webhooks of a connection: whose they are, what they may hear, how they end."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.decision import RemoveConnection
from grantway.protocol.ids import show
from grantway.protocol.leasing import lease_due
from grantway.protocol.model import Notice
from grantway.protocol.notices import Came, replay, report
from grantway.protocol.webhooks import (
    AT_MOST,
    SECRET_OVERLAP,
    ShownWebhook,
    change_webhook,
    create_webhook,
    end_webhook,
    list_webhooks,
    rotate_webhook_secret,
    secret_of,
    send_test,
    show_webhook,
    signing_keys,
)
from grantway.wire.webhook_messages import WebhookFields, WebhookRequest
from tests.helpers.hooks import HOOK_URL, Hooks
from tests.helpers.stage import Integration, Tokens, refused, row_id


@pytest.fixture
def stage() -> Hooks:
    return Hooks()


def another(stage: Hooks) -> tuple[Integration, Tokens]:
    other = stage.integration("Other")
    return other, stage.connect(other)


# whose they are


def test_a_webhook_is_made_with_a_secret_that_is_shown_once(stage: Hooks) -> None:
    made = stage.create("order.paid", "invoice.*")
    assert made.secret is not None
    assert len(base64.b64decode(made.secret.removeprefix("whsec_"))) == 32
    assert made.webhook.events == ("order.paid", "invoice.*")
    (listed,) = stage.call(list_webhooks, stage.about()).answer
    assert listed == ShownWebhook(made.webhook)
    assert stage.call(show_webhook, stage.about(made)).answer == ShownWebhook(made.webhook)
    assert made.secret not in repr(made)


def test_the_stored_secret_is_sealed(stage: Hooks) -> None:
    made = stage.create()
    key = base64.b64decode((made.secret or "").removeprefix("whsec_"))
    assert key not in stage.webhook(made).secret
    assert signing_keys(stage.webhook(made), stage.vault, stage.clock()) == (key,)


@pytest.mark.parametrize("rule", [show_webhook, end_webhook, send_test, rotate_webhook_secret])
def test_an_integration_knows_its_own_webhooks_only(stage: Hooks, rule: Any) -> None:
    made = stage.create()
    _, tokens = another(stage)
    refused(stage.call(rule, stage.about(made, tokens.access)), "not_found", "webhook_unknown")
    assert stage.call(list_webhooks, stage.about(token=tokens.access)).answer == ()


def test_of_one_integration_each_connection_knows_its_own_only(stage: Hooks) -> None:
    made = stage.create()
    globex = stage.house.account("Globex")
    stage.house.member(globex, stage.ada, "owner")
    elsewhere = stage.connect(stage.bot, account=globex)
    refused(stage.call(show_webhook, stage.about(made, elsewhere.access)), "not_found", "webhook_unknown")


@pytest.mark.parametrize("name", ["", "wh_", "nt_0351BWy4yGqdyiG2c2cFFa", "wh_0351BWy4yGqdyiG2c2cFFa", "ü"])
def test_a_webhook_that_never_was_is_unknown(stage: Hooks, name: str) -> None:
    refused(stage.call(show_webhook, stage.about(name)), "not_found", "webhook_unknown")


def test_without_a_good_token_nothing_is_told(stage: Hooks) -> None:
    refused(stage.call(list_webhooks, WebhookRequest(None)), "invalid_token", "access_token_missing")
    refused(stage.call(list_webhooks, stage.about(token="gwa_nonsense")), "invalid_token", "access_token_unknown")
    stage.wait(minutes=11)
    refused(stage.try_create("order.paid"), "invalid_token", "access_token_expired")


def test_a_clients_own_token_has_no_connection_and_so_no_webhooks(stage: Hooks) -> None:
    own = stage.minted(stage.client_credentials(stage.bot))
    refused(stage.try_create("order.paid", token=own.access), "insufficient_scope", "token_without_connection")


# what it may be


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (WebhookFields(None, ("order.paid",)), "url_missing"),
        (WebhookFields(HOOK_URL, None), "events_missing"),
        (WebhookFields(HOOK_URL, ("order paid",)), "events_malformed"),
        (WebhookFields(HOOK_URL, ("order.*.paid",)), "events_malformed"),
        (WebhookFields(HOOK_URL, ("order*",)), "events_malformed"),
        (WebhookFields(HOOK_URL, (".order",)), "events_malformed"),
        (WebhookFields(HOOK_URL, tuple(f"order.n{n}" for n in range(51))), "events_malformed"),
        (WebhookFields(HOOK_URL, ("order.paid",), "2"), "webhook_version_unknown"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused(stage: Hooks, fields: WebhookFields, reason: str) -> None:
    refused(stage.call(create_webhook, stage.about(), fields), "invalid_request", reason)


@pytest.mark.parametrize("event", ["customer.created", "invoice.paid", "customer.*", "invoice.sent.*"])
def test_events_that_the_scope_does_not_cover_are_refused_and_not_kept_silent(stage: Hooks, event: str) -> None:
    refused(stage.try_create("order.paid", event), "insufficient_scope", "events_not_covered")


@pytest.mark.parametrize("event", ["*", "order.*", "order.paid", "invoice.*", "connection.*", "connection.suspended"])
def test_events_that_the_scope_covers_in_part_are_accepted(stage: Hooks, event: str) -> None:
    assert stage.create(event).webhook.events == (event,)


def test_a_narrower_token_reaches_fewer_events(stage: Hooks) -> None:
    narrow = stage.minted(stage.refresh(stage.bot, stage.tokens.refresh, scope=("write",)))
    refused(stage.try_create("order.paid", token=narrow.access), "insufficient_scope", "events_not_covered")


def test_there_are_at_most_ten_at_a_time(stage: Hooks) -> None:
    made = [stage.create() for _ in range(AT_MOST)]
    refused(stage.try_create("order.paid"), "limit_reached", "too_many_webhooks")
    stage.call(end_webhook, stage.about(made[0]))
    stage.create()


# changes


def test_only_what_is_named_changes(stage: Hooks) -> None:
    made = stage.create("order.paid")
    changed = stage.call(change_webhook, stage.about(made), WebhookFields(events=("invoice.sent",))).answer
    assert (changed.webhook.url, changed.webhook.events, changed.secret) == (HOOK_URL, ("invoice.sent",), None)
    assert stage.call(change_webhook, stage.about(made), WebhookFields()).reason == "unchanged"


def test_a_change_obeys_the_same_rules(stage: Hooks) -> None:
    made = stage.create("order.paid")
    decision = stage.call(change_webhook, stage.about(made), WebhookFields(events=("customer.*",)))
    refused(decision, "insufficient_scope", "events_not_covered")


def test_an_ended_webhook_is_unknown(stage: Hooks) -> None:
    made = stage.create()
    assert stage.call(end_webhook, stage.about(made)).reason == "webhook_ended"
    refused(stage.call(end_webhook, stage.about(made)), "not_found", "webhook_unknown")
    assert stage.webhook(made).ended_at == stage.clock()


def test_the_previous_secret_signs_beside_the_new_one_for_a_day(stage: Hooks) -> None:
    made = stage.create()
    rotated = stage.call(rotate_webhook_secret, stage.about(made)).answer
    assert rotated.secret != made.secret
    stored, now = stage.webhook(made), stage.clock()
    shown = ["whsec_" + base64.b64encode(key).decode() for key in signing_keys(stored, stage.vault, now)]
    assert shown == [rotated.secret, made.secret]
    assert len(signing_keys(stored, stage.vault, now + SECRET_OVERLAP - timedelta(seconds=1))) == 2
    assert len(signing_keys(stored, stage.vault, now + SECRET_OVERLAP)) == 1
    assert secret_of(stored, stage.vault) == rotated.secret


# tests


def test_a_test_is_an_event_of_its_own_on_the_way_that_all_take(stage: Hooks) -> None:
    made = stage.create()
    sent = stage.call(send_test, stage.about(made)).answer
    (delivery,) = stage.decide(lease_due, 10).answer
    assert delivery.event is not None
    assert (delivery.notice.id, delivery.event.type) == (sent.notice.id, "webhook.test")


def test_a_second_test_waits_for_the_first_and_for_ten_seconds(stage: Hooks) -> None:
    made = stage.create()
    stage.call(send_test, stage.about(made))
    stage.wait(seconds=11)
    refused(stage.call(send_test, stage.about(made)), "too_many_requests", "webhook_test_waits")
    (held,) = stage.lease()
    stage.decide(report, held, Came(200))
    assert stage.call(send_test, stage.about(made)).reason == "webhook_tested"
    (held,) = stage.lease()
    stage.decide(report, held, Came(200))
    refused(stage.call(send_test, stage.about(made)), "too_many_requests", "webhook_test_waits")
    stage.wait(seconds=10)
    assert stage.call(send_test, stage.about(made)).reason == "webhook_tested"


# targets that are gone


def gone(stage: Hooks, made: ShownWebhook, status: int) -> Notice:
    stage.call(send_test, stage.about(made))
    (held,) = stage.lease()
    stage.decide(report, held, Came(status))
    return held


def test_a_target_that_answers_410_disables_its_webhook(stage: Hooks) -> None:
    made = stage.create()
    notice = gone(stage, made, 410)
    assert stage.webhook(made).disabled_at == stage.clock()
    refused(stage.call(send_test, stage.about(made)), "webhook_disabled", "webhook_disabled")
    refused(stage.decide(replay, notice.id, "operator"), "conflict", "notice_without_receiver")
    assert "webhook_disabled" in stage.house.audited()


def test_a_target_that_answers_404_has_lost_one_notice_only(stage: Hooks) -> None:
    made = stage.create()
    notice = gone(stage, made, 404)
    assert stage.stored(Notice, notice.id).dead_at is not None
    assert stage.webhook(made).disabled_at is None


def test_naming_an_address_enables_a_disabled_webhook(stage: Hooks) -> None:
    made = stage.create()
    gone(stage, made, 410)
    stage.call(change_webhook, stage.about(made), WebhookFields(events=("order.paid",)))
    assert stage.webhook(made).disabled_at is not None
    stage.call(change_webhook, stage.about(made), WebhookFields(url=HOOK_URL))
    assert stage.webhook(made).disabled_at is None


# the end


def removed(stage: Hooks) -> None:
    stage.make_true(RemoveConnection(stage.connection_of(stage.tokens).id, stage.clock(), "customer"))


def test_webhooks_end_with_their_connection_and_what_waits_for_them_is_dropped(stage: Hooks) -> None:
    made = stage.create("order.*")
    stage.publish("order.paid")
    removed(stage)
    assert stage.webhook(made).ended_at == stage.clock()
    assert stage.lease() == []
    (notice,) = stage.all(Notice)
    assert (notice.dead_at, notice.last_error) == (stage.clock(), "webhook_gone")
    assert stage.call(list_webhooks, stage.about()).reason == "connection_removed"


def test_what_is_delivered_goes_to_the_present_address(stage: Hooks) -> None:
    made = stage.create("order.*")
    stage.publish("order.paid")
    stage.call(change_webhook, stage.about(made), WebhookFields(url="https://new.example/hooks"))
    (held,) = stage.lease()
    assert held.url == "https://new.example/hooks"


# Sunshine's


def sunshine(stage: Hooks) -> tuple[str, str, str]:
    """A Sunshine token, its account's app id and its integration id."""
    app = stage.house.account("Shop", external_ids={"sunshine": "59" * 12})
    stage.house.member(app, stage.ada, "owner")
    tokens = stage.connect(stage.sunshine(), account=app)
    return tokens.access, app.external_ids["sunshine"], stage.connection_of(tokens).integration_id


@pytest.mark.parametrize("me", [True, False])
def test_sunshines_paths_name_the_app_and_the_caller(stage: Hooks, me: bool) -> None:
    token, app, own = sunshine(stage)
    asked = WebhookRequest(token, None, app, "me" if me else own)
    made = stage.call(
        create_webhook, asked, WebhookFields(HOOK_URL, ("conversation:message",)), dialect="sunshine"
    ).answer
    assert (made.webhook.dialect, made.webhook.api_version) == ("sunshine", "v2")
    (listed,) = stage.call(list_webhooks, asked, dialect="sunshine").answer
    assert listed.secret == made.secret, "this vendor shows it whenever asked"


def test_sunshines_paths_of_others_are_forbidden(stage: Hooks) -> None:
    token, app, _ = sunshine(stage)
    stranger = WebhookRequest(token, None, "00" * 12, "me")
    refused(stage.call(list_webhooks, stranger, dialect="sunshine"), "insufficient_scope", "account_of_others")
    colleague = WebhookRequest(token, None, app, "00" * 12)
    refused(stage.call(list_webhooks, colleague, dialect="sunshine"), "insufficient_scope", "integration_of_others")


def test_a_token_of_one_dialect_is_unknown_at_the_others_webhooks(stage: Hooks) -> None:
    token, _, _ = sunshine(stage)
    refused(stage.call(list_webhooks, stage.about(token=token)), "invalid_token", "access_token_of_another_dialect")


def test_the_delivery_id_of_a_test_can_be_looked_up(stage: Hooks) -> None:
    sent = stage.call(send_test, stage.about(stage.create())).answer
    assert stage.stored(Notice, row_id("nt", show("nt", sent.notice.id))) == sent.notice
