"""Resources: what the platform holds that lives by a connection, and ends with it."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.connections import remove
from grantway.protocol.decision import Decision
from grantway.protocol.ids import show
from grantway.protocol.model import Connection, Notice, Resource
from grantway.protocol.resources import AT_MOST, NewResource, cancel_resource, list_resources, register_resource
from tests.helpers.stage import Stage


class Platform(Stage):
    """The stage with a connection, by which the platform registers what it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.bot = self.integration("Bot")
        self.tokens = self.connect(self.bot)
        self.connection = self.connection_of(self.tokens)

    def register(self, reference: str = "sub_1", kind: str = "subscription", **more: Any) -> Decision[Any]:
        return self.decide(register_resource, self.connection.id, NewResource(kind, reference, **more))

    def registered(self, reference: str = "sub_1", **more: Any) -> Resource:
        made: Resource = self.register(reference, **more).answer.resource
        return made


@pytest.fixture
def stage() -> Platform:
    return Platform()


def rejected(decision: Decision[Any], reason: str) -> None:
    assert isinstance(decision.answer, Rejected)
    assert (decision.reason, decision.changes) == (reason, ())


def test_the_same_kind_and_reference_again_is_the_same_resource(stage: Platform) -> None:
    first = stage.registered()
    again = stage.register()
    assert (again.answer.resource, again.answer.was_new, again.reason) == (first, False, "unchanged")
    changed = stage.register(metadata={"plan": "gold"})
    assert (changed.answer.resource.id, changed.reason) == (first.id, "resource_changed")
    assert len(stage.all(Resource)) == 1


def test_another_kind_with_the_same_reference_is_another(stage: Platform) -> None:
    assert stage.registered().id != stage.registered(kind="webhook").id


def test_a_cancelled_one_may_be_registered_anew(stage: Platform) -> None:
    first = stage.registered()
    stage.decide(cancel_resource, stage.connection.id, first.id)
    assert stage.registered().id != first.id


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "Subscription"},
        {"kind": ""},
        {"kind": "x" * 65},
        {"reference": ""},
        {"reference": "x" * 256},
        {"reference": "a\nb"},
        {"metadata": {"x": "y" * 2048}},
    ],
)
def test_what_cannot_be_a_resource_is_rejected(stage: Platform, wanted: dict[str, Any]) -> None:
    rejected(stage.register(**wanted), "resource_malformed")


def test_a_connection_that_is_removed_takes_none(stage: Platform) -> None:
    stage.decide(remove, stage.connection.id, "operator", "operator")
    rejected(stage.register(), "connection_unknown")


def test_a_grant_has_to_be_a_live_one_of_the_connection(stage: Platform) -> None:
    grant = stage.grant_of(stage.tokens)
    assert stage.registered(grant_id=grant.id).grant_id == grant.id
    other = stage.grant_of(stage.connect(stage.integration("Other")))
    rejected(stage.register("sub_2", grant_id=other.id), "grant_unknown")
    rejected(stage.register("sub_3", grant_id=bytes(16)), "grant_unknown")


def test_there_are_at_most_a_thousand(stage: Platform) -> None:
    for n in range(AT_MOST):
        stage.register(f"sub_{n}")
    rejected(stage.register("one_more"), "too_many_resources")
    assert stage.register("sub_1").reason == "unchanged"


def test_whoever_adds_one_moves_the_connections_version(stage: Platform) -> None:
    before = stage.stored(Connection, stage.connection.id).version
    stage.register()
    assert stage.stored(Connection, stage.connection.id).version == before + 1


def test_what_the_platform_cancels_itself_is_told_to_nobody(stage: Platform) -> None:
    resource = stage.registered(url="https://platform.example/cancelled")
    assert stage.decide(cancel_resource, stage.connection.id, resource.id).reason == "resource_cancelled"
    assert stage.decide(cancel_resource, stage.connection.id, resource.id).reason == "unchanged"
    assert stage.all(Notice) == []


def test_a_resource_is_cancelled_by_the_connection_that_it_lives_by(stage: Platform) -> None:
    resource = stage.registered()
    other = stage.connection_of(stage.connect(stage.integration("Other")))
    rejected(stage.decide(cancel_resource, other.id, resource.id), "resource_unknown")


def test_a_removal_cancels_them_all_and_tells_the_addresses_that_were_given(stage: Platform) -> None:
    told = stage.registered(url="https://platform.example/cancelled", metadata={"plan": "gold"})
    silent = stage.registered("sub_2")
    stage.decide(remove, stage.connection.id, "operator", "operator")
    for each in (told, silent):
        assert stage.stored(Resource, each.id).cancelled_reason == "operator"
    (notice,) = [each for each in stage.all(Notice) if each.kind == "resource"]
    assert (notice.url, show("rs", told.id).encode() in notice.body) == ("https://platform.example/cancelled", True)
    assert stage.decide(list_resources, stage.connection.id).answer == ()
    everything = stage.decide(list_resources, stage.connection.id, live=False).answer
    assert not isinstance(everything, Rejected)
    assert len(everything) == 2


def test_of_no_connection_nothing_is_listed(stage: Platform) -> None:
    rejected(stage.decide(list_resources, bytes(16)), "connection_unknown")


def test_what_lives_by_one_grant_ends_with_it_while_the_connection_goes_on(stage: Platform) -> None:
    hers = stage.connect(stage.bot, stage.user("Hedy"))
    grant = stage.grant_of(hers)
    ends = stage.registered("hers", grant_id=grant.id, url="https://platform.example/cancelled")
    stays = stage.registered("ours")
    stage.revoke(stage.bot, hers.refresh)
    assert stage.stored(Resource, ends.id).cancelled_reason == "integrator"
    assert stage.stored(Resource, stays.id).cancelled_at is None
    assert [each.url for each in stage.all(Notice)] == ["https://platform.example/cancelled"]
