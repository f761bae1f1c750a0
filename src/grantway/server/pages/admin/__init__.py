"""The operators' pages, ``/admin``: two kinds of lines in one table, what is seen (``Sight``) and what is done (``Deed``).

Who is not an operator gets the page of an address that is not there. Each page reads by indexes, a page at a time.
"""

from grantway.server.pages.admin import accounts, audit, clients, connections, deliveries, house, overview, people
from grantway.server.pages.admin.showing import handlers
from grantway.server.pages.admin.table import Deed, Sight

TABLE: tuple[Sight | Deed, ...] = (
    *overview.TABLE, *people.TABLE, *accounts.TABLE, *clients.TABLE, *connections.TABLE, *deliveries.TABLE,
    *house.TABLE, *audit.TABLE,
)  # fmt: skip
PAGES = handlers(TABLE)

__all__ = ["PAGES", "TABLE"]
