"""The bytes that messages travel in: one HTTP request, one HTTP answer, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from grantway.wire.errors import INVALID_REQUEST, Malformed
from grantway.wire.record import record

Headers = Sequence[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")


@record
class HttpRequest:
    """One request as it arrived, body complete.

    ``path`` is percent-decoded and normalised by the server; ``query`` is the raw query string; header names are lower
    case bytes, as in ASGI. ``path_values`` are what stands in the path where the endpoint's own has a ``{name}``.
    ``peer`` is the address at the other end of the connection, maybe a proxy's. The body and headers hold secrets, so they
    do not show in ``repr``.
    """

    method: str
    path: str
    query: bytes = field(default=b"", repr=False)
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    path_values: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    peer: str = field(default="", repr=False)

    def header(self, name: bytes) -> str | None:
        """The value of the header, or ``None``.

        Raises ``Malformed`` when the header occurs twice or is not ASCII: two answers to "who are you" are none.
        """
        found: bytes | None = None
        for key, value in self.headers:
            if key == name:
                if found is not None:
                    raise Malformed(INVALID_REQUEST, "header_repeated")
                found = value
        if found is None:
            return None
        try:
            return found.decode("ascii")
        except UnicodeDecodeError:
            raise Malformed(INVALID_REQUEST, "header_not_ascii") from None


@record
class HttpAnswer:
    """One answer, ready to be sent. Header names are lower case bytes."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: bytes) -> str | None:
        """The first value of the header, or ``None``."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)
