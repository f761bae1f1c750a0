"""An application of this process on a real socket: a real server, whose clock and storage a test holds in its hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The application on a loopback port, in a thread; gives its origin."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, "127.0.0.1", 0, log_level="error", lifespan="off", ws="none", interface="asgi3", proxy_headers=False
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "the server did not stop"
