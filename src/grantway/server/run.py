"""``grantway serve``: uvicorn with one or more worker processes on one socket that is bound before they start.

Everything that can go wrong at a start is tried in the parent first (key, schema, address), so that it is said once, in a
sentence. Workers are forked from it (``workers``) and open their own storage. On SIGTERM a server says at
``/health/ready`` that it goes, and still answers for ``linger_seconds``; then the listening socket closes, requests under
way get ``drain_seconds``, the application puts its work down and closes the storage.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import uvicorn
from typing_extensions import override

from grantway.server.app import Application, AsgiApp, build_app
from grantway.server.direct import DirectProtocol
from grantway.server.health import linger_at_the_end
from grantway.server.log import Traces, configure_logs
from grantway.server.metrics.shared import clear, shelf_of_worker
from grantway.server.opening import open_service, prepare
from grantway.server.pages.theme import load_theme
from grantway.server.service import Service
from grantway.server.settings import PREFIX, Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.signing_keys import ensure_signing_key
from grantway.server.supervisor import tell_ready
from grantway.server.workers import Workers, leave

BACKLOG = 2048


def serve(
    settings: Settings,
    sockets: list[socket.socket],
    ready: Callable[[], None],
    dress: Callable[[AsgiApp, Service], AsgiApp] | None = None,
) -> None:
    """Serve until told to stop. ``ready`` is called when connections are taken.

    ``dress`` puts more in front of the application; it needs this very process, so there is one worker then.
    """
    # What has been read stays: nobody need look through it for what could go, and workers share what is not written to.
    gc.freeze()
    gc.enable()

    def announce() -> None:
        tell_ready()
        ready()

    if settings.workers > 1 and dress is None:
        clear(settings.data)
        # Connections wait in the backlog until the first worker takes them.
        for each in sockets:
            each.listen(BACKLOG)
        work = partial(_work, settings, sockets, None)
        has_started = Workers(settings.workers, sockets, work).run(announce)
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        has_started = _work(settings, sockets, dress, announce)
    if not has_started:
        raise CannotStart("The server did not start.")


def _work(
    settings: Settings,
    sockets: list[socket.socket],
    dress: Callable[[AsgiApp, Service], AsgiApp] | None,
    ready: Callable[[], None],
) -> bool:
    """What one process does. Whether it ever took requests."""
    server = _Announcing(_config(settings, Worker(settings, dress)), ready)
    server.run(sockets=sockets)
    return server.started


def first_look(settings: Settings) -> None:
    """Prepare and try everything that a worker will need. Raises ``CannotStart``."""

    async def look() -> None:
        service = await open_service(settings)
        try:
            await ensure_signing_key(service)
        finally:
            await service.storage.close()

    load_theme(settings)
    if settings.traces is not None:
        _tracing()
    prepare(settings)
    asyncio.run(look())


def bind(settings: Settings) -> socket.socket:
    """The socket to listen on. Raises ``CannotStart`` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise CannotStart(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}.") from None
    bound.set_inheritable(True)
    return bound


class Worker:
    """The application of one process: opened when the process begins to live, on its own event loop."""

    def __init__(self, settings: Settings, dress: Callable[[AsgiApp, Service], AsgiApp] | None = None) -> None:
        self._settings = settings
        self._dress = dress
        self._is_one_of_several = settings.workers > 1 and dress is None
        self._app: AsgiApp | None = None
        self.application: Application | None = None
        """What may be answered without ASGI is asked of it; ``None`` before it is opened, or when it is dressed."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            configure_logs(self._settings.log_level)
            try:
                self._app = await self._open()
            except CannotStart as problem:
                await send({"type": "lifespan.startup.failed", "message": str(problem)})
                return
        await self._app(scope, receive, send)

    async def _open(self) -> AsgiApp:
        service = await open_service(self._settings, on_unknown_outcome=_stop_at_once)
        if self._settings.traces is not None:
            service = replace(service, traces=_tracing()(self._settings.traces))
        shelf = shelf_of_worker(self._settings.data) if self._is_one_of_several else None
        app = build_app(service, shelf)
        linger_at_the_end(app.health, self._settings.lingering)
        if self._dress is not None:
            return self._dress(app, service)
        self.application = app
        return app


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            gc.freeze()
            self._ready()


def _config(settings: Settings, app: Worker) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=DirectProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,  # it would print Phone.com's secrets, which stand in the query
        access_log=False,
        proxy_headers=False,  # whom to believe is decided by trusted_proxies, where it matters
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=settings.drain_seconds,
    )


def _tracing() -> Callable[[str], Traces]:
    """What makes spans. Raises ``CannotStart`` when it is not installed."""
    try:
        from grantway.server.traces import Tracing
    except ImportError:
        raise CannotStart(f"{PREFIX}TRACES needs OpenTelemetry: pip install 'grantway[traces]'.") from None
    return Tracing.to


def _stop_at_once(unknown: BaseException) -> None:
    """No answer may leave any more: recovery decides what happened. Maybe called from another thread."""
    print(f"grantway: a commit has an unknown outcome ({unknown}); stopping.", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(70)
