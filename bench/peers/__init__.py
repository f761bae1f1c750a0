"""The others: each a folder with its lock, the small program that its documentation tells one to write, and how to start it."""

from bench.peers import oidc_provider

SYSTEMS = (*oidc_provider.SYSTEMS,)
