"""How a database grows with its use and with its number of connections, and what that costs a request: ``python -m bench.growth``."""
