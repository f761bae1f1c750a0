"""The developer portal: integrations are registered, looked after, watched and tried by those who make them.

What a developer may do is decided by ``grantway.protocol.portal`` and its neighbours; here forms are read and pages shown.
"""

from grantway.server.pages.developers import at_work, editing, integration, keys, tokens, trying, workshop

PAGES = [*workshop.PAGES, *integration.PAGES, *editing.PAGES, *keys.PAGES, *tokens.PAGES, *at_work.PAGES, *trying.PAGES]

__all__ = ["PAGES"]
