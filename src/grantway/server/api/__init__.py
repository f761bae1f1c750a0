"""The operator's JSON API, ``/v1/…``.

One table of calls (``calls``), each a line of what it is (method, address, scope, messages) and a rule that turns the
request message into rules of ``protocol`` and their answer into the answer message. From the table come the endpoints,
the OpenAPI document, the reference page and the test of who may call what. ``answering`` does what all calls share.
"""

from grantway.server.api.endpoints import PREFIX, endpoints, nowhere

__all__ = ["PREFIX", "endpoints", "nowhere"]
