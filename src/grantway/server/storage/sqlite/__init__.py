"""The embedded storage: rules one after another, committed in groups with ``synchronous=FULL``.

``storage`` is the front, ``writers`` say when and where a group is committed, ``group`` commits it, ``turnstile`` lets
processes take turns; ``facts`` and ``changes`` are the SQL of reading and writing, ``statements`` its text, ``records``
its rows and ``codec`` how a value stands in one, ``parsed`` what need not be read twice; ``migrate`` and ``files`` make and
open the database.
"""

from grantway.server.storage.sqlite.migrate import migrate, plan
from grantway.server.storage.sqlite.storage import SqliteStorage

__all__ = ["SqliteStorage", "migrate", "plan"]
