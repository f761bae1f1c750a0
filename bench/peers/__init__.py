"""The others: each a folder with its lock, the small program that its documentation tells one to write, and how to start it."""

from bench.peers import authlib_flask, django_toolkit, hydra, keycloak, oidc_provider

SYSTEMS = (*oidc_provider.SYSTEMS, *authlib_flask.SYSTEMS, *django_toolkit.SYSTEMS, *hydra.SYSTEMS, *keycloak.SYSTEMS)
