"""The command line: ``grantway …``.

``main`` is where it begins, ``terminal`` how it speaks (for people, or one JSON object with ``--json``), ``house`` how a
command opens the same storage that the server uses. Each module of commands reads options, settles one rule and shows what
came of it; what is allowed is decided in ``grantway.protocol.administration``. Heavy modules are imported inside commands,
so that ``grantway --help`` is quick.
"""
