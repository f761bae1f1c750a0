"""Frozen dataclasses that cost little to make.

A frozen dataclass sets each of its fields through ``object.__setattr__``: 3.5 µs for the 28 fields of a grant, and a
request makes a dozen records. A record is the same thing (frozen, slots, equal by value, hashable), but it is filled in
as an ordinary object of the same layout, whose class is then exchanged: 0.7 µs.

What ``dataclass`` compiles anew for each class (comparing, hashing, showing, refusing to change) is one function for all
records here: the two hundred classes of a server take 20 ms of its start, and took 100.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make the class a frozen dataclass with slots. Type checkers read it as one; it may not have a base with fields."""
    own = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    frozen: Any = dataclass(slots=True, init=False, eq=False, repr=False)(cls)

    def make_first(_: type[T], /, *args: Any, **kwargs: Any) -> Any:
        # A start makes few of all records, so the ordinary class waits for the first: it is half of what an import costs.
        same_layout: Any = type(cls.__name__, cls.__bases__, own)
        unfrozen: Any = dataclass(slots=True, eq=False, repr=False)(same_layout)

        def make(_: type[T], /, *args: Any, **kwargs: Any) -> Any:
            made = unfrozen(*args, **kwargs)
            made.__class__ = frozen
            return made

        frozen.__new__ = make
        return make(frozen, *args, **kwargs)

    frozen.__new__ = make_first
    value = _value_of([each.name for each in fields(frozen) if each.compare])

    def equals(self: Any, other: object) -> bool:
        return value(self) == value(other) if other.__class__ is frozen else NotImplemented

    frozen.__eq__ = equals
    frozen.__hash__ = lambda self: hash(value(self))
    if "__repr__" not in own:
        frozen.__repr__ = _shown
    frozen.__setattr__ = _refuse_to_set
    frozen.__delattr__ = _refuse_to_delete
    frozen.__reduce__ = lambda self: (frozen, tuple(getattr(self, name) for name in frozen.__slots__))
    done: type[T] = frozen
    return done


def _value_of(names: list[str]) -> Callable[[Any], Any]:
    """What reads all these fields at once."""
    return attrgetter(*names) if names else lambda record: ()


def _shown(record: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(record, each.name)!r}" for each in fields(record) if each.repr)
    return f"{type(record).__qualname__}({shown})"


def _refuse_to_set(record: Any, name: str, value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(record: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
