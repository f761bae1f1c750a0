"""The messages about the clients of an account: those that belong to it, and that act for it when they act for themselves."""

from __future__ import annotations

from dataclasses import field

from grantway.wire.record import record


@record
class AccountClientRequest:
    """A call about the clients of an account: all of them, one of them, its redirect URIs, or one of these.

    ``account_id`` is the dialect's id of the account; ``client`` and ``uri`` are numbers that stand for a client and for
    one of its redirect URIs. Of what is listed, ``limit`` many after the first ``offset`` are told.
    """

    account_id: str
    access_token: str | None = field(default=None, repr=False)
    client: int | None = None
    uri: int | None = None
    offset: int = 0
    limit: int = 25


@record
class RedirectUriRequest:
    """One more redirect URI for a client of the account."""

    account_id: str
    client: int
    redirect_uri: str
    access_token: str | None = field(default=None, repr=False)


@record
class AccountClientAnswer:
    """A client, by the number that stands for it."""

    number: int
    name: str


@record
class AccountClientListAnswer:
    """Some of ``total`` clients, and which ones: those after the first ``offset``, at most ``limit``."""

    clients: tuple[AccountClientAnswer, ...]
    total: int
    offset: int
    limit: int


@record
class RedirectUriAnswer:
    """A redirect URI of a client, by the number that stands for it."""

    number: int
    uri: str
    client: AccountClientAnswer


@record
class RedirectUriListAnswer:
    """Some of ``total`` redirect URIs, as ``AccountClientListAnswer``."""

    redirect_uris: tuple[RedirectUriAnswer, ...]
    total: int
    offset: int
    limit: int


@record
class AccountClientEndAnswer:
    """The client, or the redirect URI, is gone."""
