"""All facts together."""

from __future__ import annotations

from grantway.server.storage.memory.clients import ClientFacts
from grantway.server.storage.memory.connections import ConnectionFacts
from grantway.server.storage.memory.house import HouseFacts
from grantway.server.storage.memory.outbox import OutboxFacts
from grantway.server.storage.memory.people import PeopleFacts
from grantway.server.storage.memory.upkeep import UpkeepFacts


class MemoryFacts(PeopleFacts, ClientFacts, ConnectionFacts, OutboxFacts, HouseFacts, UpkeepFacts):
    """The facts at one time; see ``grantway.protocol.facts.Facts``."""
