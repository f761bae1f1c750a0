"""One module per grant type: ``GRANT_TYPE``, ``load`` (which facts it needs) and ``decide`` (what is allowed).

To add one, write a module with these three and put it in ``GRANT_TYPES``. ``password`` is decided in three steps instead:
verifying one takes too long for any rule.
"""
