"""What Grantway costs, measured from outside: the real server on disk, every durable write flushed, wrk beside it.

``bench.storage`` and ``bench.drivers`` measure what stands below: SQLite's storage, and how PostgreSQL is spoken to.
"""
