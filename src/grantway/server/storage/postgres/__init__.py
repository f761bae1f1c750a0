"""Storage in PostgreSQL 15 or later: for any number of processes and hosts, with no state outside the database.

``storage`` is the front: ``settle`` is a serializable transaction, ``propose`` and ``consult`` read beside others.
``link`` is one connection, which sends many statements in one round trip (``parameters`` are their values); ``pool`` holds
the few that a process has; ``commits`` knows which of them commit, and what is tried again;
``gathering`` brings together what many requests ask in the same moment, ``moving`` the generations that they move;
``translation`` says the shared statements in PostgreSQL's words and ``statements`` those that are its own; ``clock`` is the
database's time; ``migrate`` makes and changes the tables; ``partitions`` are the audit's, one for each day.
"""

from grantway.server.storage.postgres.migrate import has_meta, make_partitions, migrate, plan
from grantway.server.storage.postgres.storage import PostgresStorage

__all__ = ["PostgresStorage", "has_meta", "make_partitions", "migrate", "plan"]
