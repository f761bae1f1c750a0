"""What happens around a connection outside a request: the notices that its end sends out.

``outgoing`` is the one guard that every request of ours to a stranger's address goes through, ``addresses`` says which
IP addresses it permits, ``signing`` puts a name to what is sent, ``sender`` delivers, and ``breaker`` keeps a dead
target from costing the others their turn.
"""
