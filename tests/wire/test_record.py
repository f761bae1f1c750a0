"""Records are frozen dataclasses in everything but what they cost."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest

from grantway.wire.messages import ClientCredentials
from grantway.wire.record import record

T = TypeVar("T")


@record
class Point:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list, repr=False, compare=False)


@record
class Box(Generic[T]):
    content: T


def test_a_record_is_equal_by_value_hashable_and_shows_its_fields() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(1, 3)
    assert {Point(1), Point(x=1, y=2)} == {Point(1)}
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert [each.name for each in fields(Point)] == ["x", "y", "tags"]
    match Point(4, 5):
        case Point(x, y):
            assert (x, y) == (4, 5)


@pytest.mark.parametrize("name", ["x", "new"])
def test_a_record_does_not_change(name: str) -> None:
    point: Any = Point(1)
    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(point, name, 2)
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert not hasattr(point, "__dict__")


def test_defaults_are_made_anew_for_each() -> None:
    assert Point(1).tags is not Point(1).tags


def test_what_does_not_fit_is_refused_as_by_any_dataclass() -> None:
    make: Any = Point
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        make()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        make(1, z=3)


def test_records_are_replaced_copied_and_pickled() -> None:
    assert replace(Point(1), y=3) == Point(1, 3)
    assert copy.deepcopy(Box(Point(1))) == Box(Point(1))
    credentials = ClientCredentials("me", "secret")
    assert pickle.loads(pickle.dumps(credentials)) == credentials  # noqa: S301 - just written
    assert isinstance(Box(1), Box)
