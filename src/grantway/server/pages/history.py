"""The audit of a connection in the words of its customers: what happened, not who exactly, and nothing internal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from grantway.protocol.model import AuditEntry


def _(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is looked up when it is shown."""
    return sentence


_ACTIONS = {
    "consented": _("It was allowed."),
    "consent_repeated": _("It was used again by somebody who had allowed it before."),
    "code_exchanged": _("It got access."),
    "password_granted": _("Somebody gave it their user name and password, and it got access."),
    "permanent_token_made": _("An access token without end was made for it by hand."),
    "tokens_imported": _("It was brought along from an older system."),
    "foreign_token_replaced": _("It got new access for what it had from an older system."),
    "grant_ended": _("A part of its access ended."),
    "grants_ended": _("What one person had allowed was withdrawn."),
    "connection_suspended": _("It was suspended."),
    "connection_resumed": _("It goes on."),
    "connection_removed": _("It was removed."),
    "connection_key_created": _("A key was made for it."),
    "webhook_created": _("It asked to hear of events."),
    "webhook_ended": _("It asked to hear of fewer events."),
}
_REASONS = {
    "customer": _("by one of the account’s people"),
    "integrator": _("by the app itself"),
    "operator": _("by the people who run this platform"),
    "reuse_detected": _("because a token of it was used twice, as if it had been stolen"),
    "member_left": _("because the person who allowed it has left the account"),
    "inactivity": _("because it was not used"),
    "client_disabled": _("because the app is not offered any more"),
}


def history_in_words(
    entries: Iterable[AuditEntry], gettext: Callable[[str], str]
) -> list[tuple[datetime, str, str | None]]:
    """When, what, and why where that is known. What a customer has no use for is left out."""
    return [
        (
            entry.at,
            gettext(_ACTIONS[entry.action]),
            gettext(_REASONS[entry.reason]) if entry.reason in _REASONS else None,
        )
        for entry in entries
        if entry.action in _ACTIONS
    ]
