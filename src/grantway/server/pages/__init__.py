"""The pages that a person sees: sign in, pick an account, Allow or Deny, connected apps.

Plain HTML forms, no JavaScript. What may happen is decided by the rules of ``grantway.protocol``; here it is read from
forms, shown, and answered with redirects. Every text goes through the catalogue in ``locale``.
"""

from grantway.server.pages.routes import build_pages

__all__ = ["build_pages"]
