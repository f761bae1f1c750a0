"""Facts by SQL. Never waits: a rule over these facts is driven by a single ``send(None)``."""

from __future__ import annotations

from grantway.server.storage.sqlite.facts.clients import ClientFacts
from grantway.server.storage.sqlite.facts.connections import ConnectionFacts
from grantway.server.storage.sqlite.facts.grants import GrantFacts
from grantway.server.storage.sqlite.facts.house import HouseFacts
from grantway.server.storage.sqlite.facts.outbox import OutboxFacts
from grantway.server.storage.sqlite.facts.people import PeopleFacts


class SqliteFacts(GrantFacts, ClientFacts, ConnectionFacts, PeopleFacts, OutboxFacts, HouseFacts):
    """The facts on one connection at one time; see ``grantway.protocol.facts.Facts``.

    On the writer's connection they include what the rules before this one have changed in the same group.
    """

    __slots__ = ()


__all__ = ["SqliteFacts"]
