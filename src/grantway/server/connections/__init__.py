"""What happens around a connection outside a request: notices go out to integrations, to the platform and to people.

``sender`` takes what is due, ``courier`` makes one attempt, ``signing`` puts a name to what is sent, ``outgoing`` is the one
guard that every request of ours to a stranger's address goes through, ``addresses`` says which IP addresses it permits, and
``breaker`` keeps a dead target from costing the others their turn.
"""
