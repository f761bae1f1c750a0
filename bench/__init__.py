"""What Grantway costs, measured from outside: the real server on disk, every durable write flushed, wrk beside it."""
