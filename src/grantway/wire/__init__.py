"""What is said, however it is spelled.

Messages (``messages``), error values (``errors``), the bytes they travel in (``http``), helpers that turn text into
values without ever raising anything but ``Malformed`` (``encoding``), and one module per dialect (``dialects``).
Pure: nothing here reads a clock, rolls dice, logs, or does I/O. The server, the client and the sandbox share it.
"""
