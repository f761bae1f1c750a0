"""Migrations of the SQLite engine. The first line of each says ``-- expand`` or ``-- contract``."""
