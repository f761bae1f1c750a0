"""Three vendors' calls in their own words, and their servers for the uniform surface.

Per vendor: ``XServer``, what the uniform surface needs of it (``Client(SquareServer(), …)``); ``X`` and ``AsyncX``, every
call of its documentation by the name, parameters and meaning that it has there; a ``TypedDict`` per request body. Both
say what they say by the vendor's ``wire`` dialect. ``calls`` is what the three share.
"""
