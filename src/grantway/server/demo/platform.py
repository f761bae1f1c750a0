"""The platform of the demo: its accounts and scopes, what happens in it, and what it hears of connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grantway.protocol.administration.accounts import OWN_ID, NewAccount
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Decision
from grantway.protocol.events import Published, publish
from grantway.protocol.facts import Facts
from grantway.protocol.model import Scope
from grantway.protocol.moment import Moment
from grantway.server.service import Service

HEARS_AT = "/demo/platform/heard"

SCOPES = (
    Scope(
        "tickets:read",
        {"en": "See your tickets and who wrote them", "de": "Ihre Anfragen sehen und wer sie geschrieben hat"},
        "low",
        events=("ticket.*",),
    ),
    Scope(
        "tickets:write",
        {
            "en": "Answer, assign and close tickets in your name",
            "de": "Anfragen in Ihrem Namen beantworten, zuweisen und schließen",
        },
        "medium",
    ),
    Scope(
        "contacts:read",
        {
            "en": "See the names and addresses of your customers",
            "de": "Namen und Adressen Ihrer Kundinnen und Kunden sehen",
        },
        "high",
        events=("contact.*",),
    ),
)
ACCOUNTS = (
    NewAccount("Northern Light Coffee", "Northern Light Coffee", "northern-light", {OWN_ID: "demo-coffee"}),
    NewAccount("Harbour Books", "Harbour Books", "harbour-books", {OWN_ID: "demo-books"}),
    NewAccount("Acme’s test account", "Acme’s test account", "acme-test", {OWN_ID: "demo-acme"}),
)
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "ticket.created": {"ticket": {"id": 4711, "subject": "Where is my order?", "from": "Nora"}},
    "ticket.closed": {"ticket": {"id": 4711, "subject": "Where is my order?", "closed_by": "Dana"}},
    "contact.changed": {"contact": {"name": "Nora", "city": "Bergen"}},
}
"""What can happen, and what is told of it."""


@dataclass
class Platform:
    """The other side: who publishes events, and hears of connections."""

    service: Service = field(repr=False)
    events_secret: str = field(repr=False)
    said: str | None = None
    """What came of the last event."""

    async def publish(self, account: str, what: str) -> int:
        """Something happened. To how many webhooks it goes."""
        known = next((each for each in ACCOUNTS if each.external_ids[OWN_ID] == account), None)
        if known is None or what not in EVENTS:
            return 0
        answer = (await self.service.settle(_publish, account, what)).answer
        if isinstance(answer, Rejected):
            self.said = answer.sentence
            return 0
        webhooks = "1 webhook" if answer.event.to == 1 else f"{answer.event.to} webhooks"
        self.said = f"{what} in {known.name} went to {webhooks}."
        return answer.event.to


async def _publish(facts: Facts, at: Moment, own_id: str, what: str) -> Decision[Published | Rejected]:
    account = await facts.account_by_external_id(OWN_ID, own_id)
    if account is None:
        return Decision(Rejected("There is no such account.", "account_unknown"), (), "account_unknown")
    return await publish(facts, at, account, what, EVENTS[what])
