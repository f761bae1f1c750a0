"""``Client`` and ``AsyncClient``: the uniform surface over any server. Each method runs its operation of ``core``."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar, Unpack

from grantway.client import core
from grantway.client.connection import LEEWAY, Keeping
from grantway.client.conversation import Operation
from grantway.client.core import Begun, Registration, Words
from grantway.client.lines import AsyncLine, AsyncLineSettings, Line, LineSettings
from grantway.client.pending import MemoryPending, PendingStore
from grantway.client.server import Server
from grantway.client.standard import Standard
from grantway.client.stores.memory import MemoryStore
from grantway.client.stores.port import TokenStore
from grantway.client.tokens import Info, Tokens

T = TypeVar("T")


class Client:
    """An application at one server, blocking. For many threads; close it, or use it in a ``with``.

    ``server`` is the issuer of a standard server, or a vendor's server object. ``pending`` and ``store`` are where what was
    begun waits and connections are kept: in memory, if you bring none. Everything else is handed to ``Line``.
    """

    def __init__(
        self,
        server: Server | str,
        *,
        client_id: str,
        client_secret: str | None = None,
        redirect_uri: str | None = None,
        pending: PendingStore | None = None,
        store: TokenStore | None = None,
        **line: Unpack[LineSettings],
    ) -> None:
        self._server: Server = Standard(server) if isinstance(server, str) else server
        self._who = Registration(client_id, client_secret, redirect_uri)
        self._pending = MemoryPending() if pending is None else pending
        self._store = MemoryStore() if store is None else store
        self._line = Line(**line)

    def begin(
        self,
        *,
        scope: Words = None,
        resource: Words = None,
        prompt: Words = None,
        ui_locales: Words = None,
        redirect_uri: str | None = None,
        response_type: str = "code",
    ) -> Begun:
        """Begin: send the browser to ``url``, keep ``state`` in the customer's session."""
        return self.run(
            core.begin(
                self._server, self._who, self._pending, scope=scope, resource=resource, prompt=prompt,
                ui_locales=ui_locales, redirect_uri=redirect_uri, response_type=response_type,
            )
        )  # fmt: skip

    def complete(self, callback_url: str, *, state: str | None = None) -> Tokens:
        """End what was begun, by the whole address that the browser came back to. Once."""
        return self.run(core.complete(self._server, self._who, self._pending, callback_url, state))

    def client_credentials(self, *, scope: Words = None, resource: Words = None) -> Tokens:
        """A token of the client's own."""
        return self.run(core.client_credentials(self._server, self._who, scope=scope, resource=resource))

    def refresh(self, tokens: Tokens, *, scope: Words = None) -> Tokens:
        """New tokens for these. Keep them before you use them; a ``connection`` does."""
        return self.run(core.refresh(self._server, self._who, tokens, scope=scope))

    def info(self, tokens: Tokens) -> Info:
        """What the access token is good for, now."""
        return self.run(core.info(self._server, self._who, tokens))

    def revoke(self, tokens: Tokens) -> None:
        """End them."""
        self.run(core.revoke(self._server, self._who, tokens))

    def connection(self, name: str, *, leeway: float = LEEWAY) -> Connection:
        """The connection that is kept, or will be, under this name."""
        return Connection(self, Keeping(self._server, self._who, self._store, name, leeway), self._pending)

    def run(self, operation: Operation[T]) -> T:
        """Make any operation, such as a vendor's own."""
        return self._line.run(operation)

    def close(self) -> None:
        """Put the connections down."""
        self._line.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Connection:
    """A connection that is kept."""

    def __init__(self, client: Client, keeping: Keeping, pending: PendingStore) -> None:
        self._client = client
        self._keeping = keeping
        self._pending = pending

    def complete(self, callback_url: str, *, state: str | None = None) -> Tokens:
        """As the client's, and the tokens are kept before they are given."""
        return self._client.run(self._keeping.complete(self._pending, callback_url, state))

    def access_token(self) -> str:
        """One that works, refreshed in time. Raises ``NotConnected`` and ``Disconnected``."""
        return self._client.run(self._keeping.access_token())

    def tokens(self) -> Tokens:
        """What is kept, as it is."""
        return self._client.run(self._keeping.tokens())

    def keep(self, tokens: Tokens) -> None:
        """Keep these from now on."""
        self._client.run(self._keeping.keep(tokens))

    def disconnect(self) -> None:
        """End it at the server, and forget it."""
        self._client.run(self._keeping.disconnect())

    def forget(self) -> None:
        """Keep nothing any more. At the server nothing ends."""
        self._client.run(self._keeping.forget())


class AsyncClient:
    """An application at one server, on asyncio. Close it, or use it in an ``async with``. See ``Client``."""

    def __init__(
        self,
        server: Server | str,
        *,
        client_id: str,
        client_secret: str | None = None,
        redirect_uri: str | None = None,
        pending: PendingStore | None = None,
        store: TokenStore | None = None,
        **line: Unpack[AsyncLineSettings],
    ) -> None:
        self._server: Server = Standard(server) if isinstance(server, str) else server
        self._who = Registration(client_id, client_secret, redirect_uri)
        self._pending = MemoryPending() if pending is None else pending
        self._store = MemoryStore() if store is None else store
        self._line = AsyncLine(**line)

    async def begin(
        self,
        *,
        scope: Words = None,
        resource: Words = None,
        prompt: Words = None,
        ui_locales: Words = None,
        redirect_uri: str | None = None,
        response_type: str = "code",
    ) -> Begun:
        """Begin: send the browser to ``url``, keep ``state`` in the customer's session."""
        return await self.run(
            core.begin(
                self._server, self._who, self._pending, scope=scope, resource=resource, prompt=prompt,
                ui_locales=ui_locales, redirect_uri=redirect_uri, response_type=response_type,
            )
        )  # fmt: skip

    async def complete(self, callback_url: str, *, state: str | None = None) -> Tokens:
        """End what was begun, by the whole address that the browser came back to. Once."""
        return await self.run(core.complete(self._server, self._who, self._pending, callback_url, state))

    async def client_credentials(self, *, scope: Words = None, resource: Words = None) -> Tokens:
        """A token of the client's own."""
        return await self.run(core.client_credentials(self._server, self._who, scope=scope, resource=resource))

    async def refresh(self, tokens: Tokens, *, scope: Words = None) -> Tokens:
        """New tokens for these. Keep them before you use them; a ``connection`` does."""
        return await self.run(core.refresh(self._server, self._who, tokens, scope=scope))

    async def info(self, tokens: Tokens) -> Info:
        """What the access token is good for, now."""
        return await self.run(core.info(self._server, self._who, tokens))

    async def revoke(self, tokens: Tokens) -> None:
        """End them."""
        await self.run(core.revoke(self._server, self._who, tokens))

    def connection(self, name: str, *, leeway: float = LEEWAY) -> AsyncConnection:
        """The connection that is kept, or will be, under this name."""
        return AsyncConnection(self, Keeping(self._server, self._who, self._store, name, leeway), self._pending)

    async def run(self, operation: Operation[T]) -> T:
        """Make any operation, such as a vendor's own."""
        return await self._line.run(operation)

    async def close(self) -> None:
        """Put the connections down."""
        await self._line.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class AsyncConnection:
    """A connection that is kept."""

    def __init__(self, client: AsyncClient, keeping: Keeping, pending: PendingStore) -> None:
        self._client = client
        self._keeping = keeping
        self._pending = pending

    async def complete(self, callback_url: str, *, state: str | None = None) -> Tokens:
        """As the client's, and the tokens are kept before they are given."""
        return await self._client.run(self._keeping.complete(self._pending, callback_url, state))

    async def access_token(self) -> str:
        """One that works, refreshed in time. Raises ``NotConnected`` and ``Disconnected``."""
        return await self._client.run(self._keeping.access_token())

    async def tokens(self) -> Tokens:
        """What is kept, as it is."""
        return await self._client.run(self._keeping.tokens())

    async def keep(self, tokens: Tokens) -> None:
        """Keep these from now on."""
        await self._client.run(self._keeping.keep(tokens))

    async def disconnect(self) -> None:
        """End it at the server, and forget it."""
        await self._client.run(self._keeping.disconnect())

    async def forget(self) -> None:
        """Keep nothing any more. At the server nothing ends."""
        await self._client.run(self._keeping.forget())
