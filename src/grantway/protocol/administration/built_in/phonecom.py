"""Phone.com's scopes ("Scope of Access Tokens"), as customers read them."""

from __future__ import annotations

from grantway.protocol.model import Scope

SCOPES = (
    Scope(
        "account-owner",
        {
            "en": "Work with the whole phone account: everybody’s extensions, numbers, calls and messages",
            "de": "Mit dem ganzen Telefonkonto arbeiten: Nebenstellen, Rufnummern, Anrufe und Nachrichten aller",
        },
        "high",
        events=("*",),
    ),
    Scope(
        "extension-user",
        {
            "en": "Work with your own extension: its calls, messages and settings",
            "de": "Mit Ihrer eigenen Nebenstelle arbeiten: ihren Anrufen, Nachrichten und Einstellungen",
        },
        "medium",
        withholds={
            "en": ("Other people’s extensions", "The account itself"),
            "de": ("Nebenstellen anderer", "Das Konto selbst"),
        },
    ),
    Scope(
        "methods:ALL",
        {
            "en": "Change and delete what it reaches, not only read it",
            "de": "Ändern und löschen, was sie erreicht, statt es nur zu lesen",
        },
        "high",
    ),
)
