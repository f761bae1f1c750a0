"""What is written down, by whom and why; and what is not, however often it happens."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.administration.client_changes import ClientChange, update_client
from grantway.protocol.administration.client_life import disable_client
from grantway.protocol.administration.people import set_password
from grantway.protocol.administration.signing_keys import rotate
from grantway.protocol.connections import remove_by_user
from grantway.protocol.decision import Decision
from grantway.protocol.ids import show
from grantway.protocol.model import AuditEntry
from grantway.server.signing_keys import draw_signing_key
from tests.helpers.stage import Integration, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration(policy={"live_grants": 2})


def written(stage: Stage, since: int) -> list[tuple[str, str, str | None]]:
    """Who did what and why, from that entry on."""
    return [(each.actor, each.action, each.reason) for each in stage.audited()[since:]]


def test_a_consent_and_its_exchange_are_written_down_and_no_use_of_what_came_of_it(
    stage: Stage, by: Integration
) -> None:
    browser, before = stage.browser(stage.ada), len(stage.audited())
    pending = stage.open(by, browser, prompt=("consent",))
    stage.exchange(by, stage.allow(pending, browser, stage.ask(pending, browser).shown).answer.answer.code)
    ada, client = show("us", stage.ada.id), f"client:{by.client.client_id}"
    assert written(stage, before) == [(ada, "consented", None), (client, "code_exchanged", None)]


def test_refreshes_machine_tokens_introspections_and_the_end_of_one_access_token_are_not(
    stage: Stage, by: Integration
) -> None:
    tokens = stage.connect(by)
    before = len(stage.audited())
    for _ in range(3):
        tokens = stage.refreshed(by, tokens.refresh)
        stage.client_credentials(by)
        stage.introspect(tokens.access)
        stage.wait(days=1)
    assert stage.revoke(by, stage.refreshed(by, tokens.refresh).access).reason == "access_token_revoked"
    assert written(stage, before) == []


def test_every_end_is_with_its_reason(stage: Stage, by: Integration) -> None:
    """A thief's, one that makes room, the integration's own, the customer's."""
    first = stage.connect(by)
    stage.wait(minutes=5)
    second = stage.refreshed(by, first.refresh)
    stage.wait(minutes=5)
    stage.refreshed(by, second.refresh)
    stage.connect(by)
    before = len(stage.audited())
    assert stage.refresh(by, first.refresh).reason == "refresh_token_reused"
    assert written(stage, before) == [("system", "grant_ended", "reuse_detected")]
    stage.connect(by)
    before = len(stage.audited())
    stage.connect(by)
    assert ("system", "grants_ended", "superseded") in written(stage, before)
    kept = stage.connect(by)
    before = len(stage.audited())
    stage.revoke(by, kept.refresh)
    assert written(stage, before) == [(f"client:{by.client.client_id}", "grant_ended", "integrator")]
    before = len(stage.audited())
    browser = stage.browser(stage.ada)
    stage.decide(remove_by_user, stage.connection_of(kept).id, browser.session)
    ada = show("us", stage.ada.id)
    assert written(stage, before) == [(ada, "connection_removed", "customer")]


def test_changes_of_clients_keys_people_and_policy_are(stage: Stage, by: Integration) -> None:
    before = len(stage.audited())
    stage.decide(update_client, by.client.client_id, ClientChange(name="Desk"))
    stage.decide(update_client, by.client.client_id, ClientChange(overrides=(("live_grants", 9),)))
    stage.decide(disable_client, by.client.client_id)
    stage.decide(rotate, draw_signing_key(stage.vault))
    stage.decide(set_password, "ada@example.com", "a hash")
    entries: list[AuditEntry] = stage.audited()[before:]
    actions = [each.action for each in entries]
    assert actions[:2] == ["client_changed", "client_changed"]
    assert [each.detail["fields"] for each in entries[:2]] == [["name"], ["overrides"]]
    assert {"client_disabled", "user_password_set"} <= set(actions)
    assert any(action.startswith("signing_key_") for action in actions)


def test_an_entry_is_found_by_connection_client_user_and_reason(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.revoke(by, tokens.refresh)

    def found(**criteria: Any) -> list[str]:
        async def rule(facts: Any, at: Any) -> Any:
            return Decision(await facts.audit(**criteria))

        return [each.action for each in stage.decide(rule).answer]

    of_the_connection = ["connection_removed", "grant_ended", "code_exchanged", "consented"]
    assert sorted(found(connection_id=stage.connection_of(tokens).id)) == sorted(of_the_connection)
    assert "client_created" in found(client_row_id=by.client.id)
    assert {"consented", "user_created"} <= set(found(user_id=stage.ada.id))
    assert sorted(found(reason="integrator")) == ["connection_removed", "grant_ended"]
    assert found(reason="integrator", user_id=stage.ada.id) == []
