"""Numbered files for PostgreSQL: the first is the whole schema of the release that brought it."""
