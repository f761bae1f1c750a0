"""A connection that is kept never loses a refresh token: not to a crash, not to a lost answer, not to ten callers at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from grantway.client import (
    ClientError,
    Disconnected,
    MemoryStore,
    NoAnswer,
    NotConnected,
    NotReached,
    Refused,
    Tokens,
)
from grantway.client.connection import Keeping
from grantway.client.core import idempotency_key
from tests.client.driving import Hand, says
from tests.client.test_operations import BUSY, SERVER, WHO

LOST = NotReached("lost", outcome_unknown=True)
UNREACHED = NotReached("unreachable", outcome_unknown=False)
REFRESHED = says({"access_token": "a2", "token_type": "bearer", "expires_in": 600, "refresh_token": "r2"})
ENDED = says({"error": "invalid_grant"}, 400)
SUSPENDED = says({"error": "access_denied", "connection_state": "suspended"}, 403, retry_after="60")


class Story:
    """A connection with ten minutes to live, in a store that can be looked into."""

    def __init__(self, *, refresh_token: str | None = "r1") -> None:
        self.hand, self.store = Hand(), MemoryStore()
        self.keeping = Keeping(SERVER, WHO, self.store, "acme")
        held = Tokens("a1", expires_at=self.hand.now + timedelta(minutes=10), refresh_token=refresh_token)
        self.hand.run(self.keeping.keep(held))

    def access_token(self, *outcomes: Any) -> str:
        return self.hand.run(self.keeping.access_token(), *outcomes)

    @property
    def kept(self) -> dict[str, Any]:
        found = self.store.load(self.keeping.place)
        assert found is not None
        return found

    @property
    def is_free(self) -> bool:
        hold = self.store.try_hold(self.keeping.place)
        if hold is not None:
            hold.release()
        return hold is not None


def test_a_token_that_lives_is_handed_out_without_a_request() -> None:
    assert Story().access_token() == "a1"


def test_a_minute_before_its_end_it_is_refreshed() -> None:
    story = Story()
    story.hand.turn(minutes=8, seconds=59)
    assert story.access_token() == "a1"
    story.hand.turn(seconds=1)
    assert story.access_token(REFRESHED) == "a2"
    assert story.kept["tokens"]["refresh_token"] == "r2"
    assert story.is_free


def test_the_key_is_written_before_the_request_leaves_and_the_tokens_before_they_are_used() -> None:
    story = Story()
    story.hand.turn(minutes=10)

    def while_it_is_away(send: Any) -> Any:
        key = idempotency_key("r1")
        assert send.request.header(b"idempotency-key") == key
        assert (story.kept["refreshing"], story.kept["tokens"]["refresh_token"]) == (key, "r1")
        assert not story.is_free
        return REFRESHED

    operation = story.keeping.access_token()
    assert story.hand.run(operation, while_it_is_away) == "a2"
    assert (story.kept["refreshing"], story.kept["tokens"]["access_token"]) == (None, "a2")


def test_who_dies_between_the_answer_and_its_writing_is_followed_by_the_same_refresh() -> None:
    story = Story()
    story.hand.turn(minutes=10)

    class Killed(BaseException):
        pass

    def kill(_: Any) -> Any:
        raise Killed  # the server has moved on; nobody here knows

    with pytest.raises(Killed):
        story.access_token(kill)
    assert story.is_free, "the kernel lets go of what a dead process held"
    story.hand.turn(seconds=6)
    assert story.access_token(REFRESHED) == "a2"
    first, second = story.hand.sent
    assert first == second


def test_a_refresh_that_was_under_way_is_repeated_although_the_token_still_lives() -> None:
    """A public client's retry is known as one for two minutes only."""
    story = Story()
    story.hand.turn(minutes=9)
    assert story.access_token(LOST, LOST) == "a1", "it still lives"
    assert story.kept["refreshing"]
    assert story.access_token() == "a1", "not at every call"
    story.hand.turn(seconds=5)
    assert story.access_token(REFRESHED) == "a2"


def test_while_the_server_is_away_a_token_that_lives_is_handed_out_and_one_that_does_not_is_an_error() -> None:
    for away in ((LOST, LOST), (UNREACHED, UNREACHED), (BUSY, BUSY)):
        story = Story()
        story.hand.turn(minutes=9, seconds=30)
        assert story.access_token(*away) == "a1"
        story.hand.turn(seconds=30)
        with pytest.raises(ClientError):
            story.access_token(*away)
        assert story.kept["tokens"]["refresh_token"] == "r1"
        assert story.kept["ended"] is None
        assert story.access_token(REFRESHED) == "a2"


def test_an_answer_that_is_none_loses_nothing() -> None:
    story = Story()
    story.hand.turn(minutes=10)
    with pytest.raises(NoAnswer):
        story.access_token(says({"access_token": "a2"}))
    assert story.kept["tokens"]["refresh_token"] == "r1"
    assert story.access_token(REFRESHED) == "a2"


def test_an_ended_connection_is_said_to_be_and_not_asked_for_again() -> None:
    story = Story()
    story.hand.turn(minutes=10)
    for outcomes in ((ENDED,), ()):
        with pytest.raises(Disconnected) as raised:
            story.access_token(*outcomes)
        assert (raised.value.reason, raised.value.at) == ("invalid_grant", story.hand.now)
    assert raised.value.__context__ is None
    assert story.is_free
    story.hand.run(story.keeping.keep(Tokens("a3")))
    assert story.access_token() == "a3", "who connects anew is connected"


def test_a_suspended_connection_keeps_everything() -> None:
    story = Story()
    story.hand.turn(minutes=9, seconds=30)
    with pytest.raises(Refused) as raised:
        story.access_token(SUSPENDED)
    assert raised.value.connection_state == "suspended"
    assert (story.kept["tokens"]["refresh_token"], story.kept["ended"], story.kept["refreshing"]) == ("r1", None, None)
    assert story.access_token(REFRESHED) == "a2"


def test_without_a_refresh_token_it_lasts_as_long_as_it_lasts() -> None:
    story = Story(refresh_token=None)
    story.hand.turn(minutes=9, seconds=59)
    assert story.access_token() == "a1"
    story.hand.turn(seconds=1)
    with pytest.raises(Disconnected) as raised:
        story.access_token()
    assert raised.value.reason == "expired"


def test_who_waited_for_the_lock_finds_what_the_other_one_wrote() -> None:
    story = Story()
    story.hand.turn(minutes=10)
    hold: Any = story.store.try_hold(story.keeping.place)

    class Waiting(Hand):
        """While it waits, the other one comes to its end."""

        @override
        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            story.store.save(story.keeping.place, {**story.kept, "tokens": Tokens("a2", refresh_token="r2").to_dict()})
            hold.release()

    waiting = Waiting(now=story.hand.now)
    assert waiting.run(story.keeping.access_token()) == "a2"
    assert len(waiting.pauses) == 1
    assert waiting.sent == []


def test_nothing_is_there_before_it_is_kept_and_after_it_is_forgotten() -> None:
    story = Story()
    story.hand.run(story.keeping.forget())
    for operation in (story.keeping.access_token, story.keeping.tokens, story.keeping.disconnect):
        with pytest.raises(NotConnected):
            story.hand.run(operation())


def test_disconnecting_ends_it_there_and_forgets_it_here() -> None:
    story = Story()
    story.hand.run(story.keeping.disconnect(), says({}))
    assert story.hand.forms[0]["token"] == "r1"
    assert story.store.load(story.keeping.place) is None


def test_what_cannot_be_ended_there_is_not_forgotten_here() -> None:
    story = Story()
    with pytest.raises(NotReached):
        story.hand.run(story.keeping.disconnect(), LOST, LOST)
    assert story.kept["tokens"]["refresh_token"] == "r1"


def test_what_has_ended_already_is_forgotten_without_asking() -> None:
    story = Story()
    story.hand.turn(minutes=10)
    with pytest.raises(Disconnected):
        story.access_token(ENDED)
    story.hand.run(story.keeping.disconnect())
    assert story.store.load(story.keeping.place) is None


def test_two_names_do_not_wait_for_one_another() -> None:
    store = MemoryStore()
    assert store.try_hold("a") is not None
    assert store.try_hold("b") is not None
    assert store.try_hold("a") is None
