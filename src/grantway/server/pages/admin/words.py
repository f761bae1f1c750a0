"""Words of the operators' pages that come from slugs: looked up in the catalogue when they are shown."""

from __future__ import annotations


def _(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is looked up when it is shown."""
    return sentence


TABS = {
    "/admin": _("Overview"),
    "/admin/clients": _("Integrations"),
    "/admin/connections": _("Connections"),
    "/admin/deliveries": _("Deliveries"),
    "/admin/accounts": _("Accounts"),
    "/admin/users": _("People"),
    "/admin/operators": _("Operators"),
    "/admin/keys": _("Keys"),
    "/admin/scopes": _("Scopes"),
    "/admin/audit": _("Audit"),
}
"""The navigation, by address."""

DONE = {
    "approved": _("Approved: everybody may connect it from now on."),
    "sent-back": _("Sent back. Its developers read what you wrote."),
    "disabled": _("Switched off."),
    "enabled": _("Switched on again."),
    "ended": _("Ended. Its connections are being removed."),
    "suspended": _("Suspended: no token works until you resume it."),
    "resumed": _("Resumed."),
    "removed": _("Removed."),
    "replayed": _("It will be sent again in a moment."),
    "replayed-some": _(
        "Dead deliveries that will be sent again in a moment: %(sent)d. Left out, because there is nobody to send them to any more: %(left_out)d."
    ),
    "signed-out": _("Signed out everywhere."),
    "written": _("A letter with a link is on its way."),
    "rotated": _("A new signing key is there."),
    "revoked": _("Revoked: the key works no more."),
}
"""What came of a deed, by the word in the address that it leads to."""

COUNTED = ("sent", "left_out")
"""The numbers that such a sentence may name; the address has them, too."""

NO = {
    "notice_without_receiver": _("There is nobody to send it to: the webhook that it was for is gone or switched off."),
}
"""Refusals that are no reason to leave the page."""
