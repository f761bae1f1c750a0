"""Which driver speaks to PostgreSQL, and how: the measurement behind docs/decisions/0025, repeatable."""
