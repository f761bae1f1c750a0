"""What other servers export, one module per server: an entry is read into an ``OlderClient``, left out, or unfit.

A reader knows the format and decides nothing: what of a client fits here is for ``grantway.protocol.moving_in``.
"""
