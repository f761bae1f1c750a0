"""Facts by SQL, the same for every engine: they wait as long as its answers do."""

from __future__ import annotations

from grantway.server.storage.sql.facts.clients import ClientFacts
from grantway.server.storage.sql.facts.connections import ConnectionFacts
from grantway.server.storage.sql.facts.grants import GrantFacts
from grantway.server.storage.sql.facts.house import HouseFacts
from grantway.server.storage.sql.facts.outbox import OutboxFacts
from grantway.server.storage.sql.facts.people import PeopleFacts
from grantway.server.storage.sql.facts.reading import Ask
from grantway.server.storage.sql.facts.upkeep import UpkeepFacts


class SqlFacts(GrantFacts, ClientFacts, ConnectionFacts, PeopleFacts, OutboxFacts, HouseFacts, UpkeepFacts):
    """The facts as an engine tells them at one time; see ``grantway.protocol.facts.Facts``."""

    __slots__ = ()


__all__ = ["Ask", "SqlFacts"]
