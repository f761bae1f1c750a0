"""Numbered schema changes, one directory per engine: expand (old code still works), deploy, contract."""
