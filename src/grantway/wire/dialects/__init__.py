"""One module per dialect: how one family of endpoints spells the shared messages.

Each module has, per message, ``read_…_request`` and ``write_…_answer`` (the server's end) and ``write_…_request`` and
``read_…_answer`` (the client's end). What one end writes the other reads back equal. Dialects know nothing of each
other and never decide anything: permission is a matter of policy.
"""
