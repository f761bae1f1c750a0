"""The one scope of Sunshine Conversations: its authorization request carries none."""

from __future__ import annotations

from grantway.protocol.model import Scope

SCOPES = (
    Scope(
        name="integration",
        sentences={
            "en": "Work with the conversations of this account as an integration of its own",
        },
        sensitivity="high",
        # Sunshine Conversations, "OAuth scopes": what tokens of this scope reach, and what they do not.
        opens={
            "en": (
                "Users: read, create, change and delete them",
                "Conversations and messages: read them and take part",
                "Attachments: upload and delete files",
                "Webhooks: its own only",
            )
        },
        withholds={
            "en": (
                "Webhooks of other integrations",
                "Other integrations and the switchboard",
                "The account itself: its settings, keys and people",
            )
        },
        events=("*",),
    ),
)
