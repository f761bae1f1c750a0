"""What the vendors' classes share: a line of their own, request bodies, and what a refusal says of the token itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, Unpack

from grantway.client.conversation import Operation
from grantway.client.errors import Refused, Unsupported
from grantway.client.lines import AsyncLine, AsyncLineSettings, Line, LineSettings, T
from grantway.client.tokens import Info
from grantway.wire.errors import INVALID_TOKEN


class Blocking:
    """Makes a vendor's calls, blocking. For many threads; close it, or use it in a ``with``."""

    def __init__(self, **line: Unpack[LineSettings]) -> None:
        self._line = Line(**line)

    def run(self, operation: Operation[T]) -> T:
        """Make any operation."""
        return self._line.run(operation)

    def close(self) -> None:
        """Put the connections down."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Awaiting:
    """Makes a vendor's calls on asyncio. Close it, or use it in an ``async with``."""

    def __init__(self, **line: Unpack[AsyncLineSettings]) -> None:
        self._line = AsyncLine(**line)

    async def run(self, operation: Operation[T]) -> T:
        """Make any operation."""
        return await self._line.run(operation)

    async def close(self) -> None:
        """Put the connections down."""
        await self._line.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


def fields_of(
    call: str, body: Mapping[str, Any] | None, fields: Mapping[str, Any], known: type, *needed: str
) -> dict[str, Any]:
    """The fields of a request: as one body, as in the vendor's pages, or each by its name. ``None`` is not there.

    ``TypeError`` for one that the vendor does not know, as for any argument, and for one that is ``needed``.
    """
    given = {name: value for name, value in {**(body or {}), **fields}.items() if value is not None}
    for name in given:
        if name not in known.__annotations__:
            raise TypeError(f"{call}() has no field {name!r}")
    for name in needed:
        if name not in given:
            raise TypeError(f"{call}() needs {name}")
    return given


def unsupported(**given: object) -> None:
    """Raises ``Unsupported`` for the first that was given: the dialect has no word for it."""
    for name, value in given.items():
        if value:
            raise Unsupported(name)


def inactive(refused: Refused) -> Info:
    """What a refusal says of the token that was shown. Raised again when it says something else."""
    if refused.code != INVALID_TOKEN.code and refused.connection_state is None:
        raise refused
    return Info(active=False, connection_state=refused.connection_state)
