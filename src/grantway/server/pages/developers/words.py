"""Why an authorization request was refused, in words for who wrote it. By the slug that the log has."""

from __future__ import annotations


def _(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is looked up when it is shown."""
    return sentence


WHY = {
    "dialect_differs": _("It came to the address of another profile."),
    "client_disabled": _("The integration is switched off."),
    "client_ended": _("The integration was deleted."),
    "redirect_uri_missing": _("It named no redirect URI, and there is more than one."),
    "redirect_uri_unregistered": _(
        "Its redirect URI is not registered. They have to be the same, character by character."
    ),
    "response_type_missing": _("It had no response_type; it is “code”."),
    "response_type_unsupported": _("Its response_type is not “code”."),
    "grant_type_not_allowed": _("The integration may not use authorization codes."),
    "code_challenge_missing": _("It had no code_challenge: PKCE is required."),
    "code_challenge_not_s256": _("Its code_challenge is not one of the method S256."),
    "scope_exceeds_client": _("It asked for scopes that the integration may not ask for, or for none."),
    "resource_exceeds_client": _("It named resources that the integration may not ask for."),
    "prompt_unknown": _("Its prompt is none that we know, or “none” together with others."),
}
