"""What an operator may do: the rules behind the command line and, one day, the admin pages.

Rules are ``async def rule(facts, at, …) -> Decision`` like all others; a refusal is a ``Rejected`` whose sentence an
operator reads, so it may name what was given. Every change comes with its ``AuditEntry``. A rule that decided on a set
of children (members, secrets, keys of a connection) replaces the parent with its next version, so that two at once
cannot both be right.
"""
