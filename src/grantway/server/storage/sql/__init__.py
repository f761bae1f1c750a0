"""What all engines of SQL have in common: how records stand in rows, the statements, and the facts that they tell.

A statement is written once, in what SQLite and PostgreSQL both understand, with numbered marks. What an engine needs
otherwise stands with the engine (``sqlite``, ``postgres``).
"""
