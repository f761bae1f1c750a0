"""Approval: what a developer registers is a draft until an operator approves it, and connects only their own accounts.

A stranger who registers an integration that looks like a known one must not get at anybody's account by it.
"""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.clients import find_client
from grantway.protocol.decision import Decision, Replace
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import Account, Client
from grantway.protocol.moment import Moment
from grantway.wire.sentence import worded

LONGEST_WORD = 500
"""Characters in which an operator says what is missing."""


async def may_connect_draft(facts: Facts, client: Client, account: Account) -> bool:
    """Whether this client may be connected to this account: a draft only where one of its developers may connect.

    Whom a developer has added does not count: nobody asked them, and their accounts are not their colleague's to open.
    One that has no developers is in the hands of the account that it belongs to, and connects that.
    """
    if client.approved_at is not None:
        return True
    developers = await facts.developers(client.id)
    for developer, user in developers:
        if developer.added_by is not None:
            continue
        membership = await facts.membership(account.id, developer.user_id)
        if membership is not None and membership.may_connect and user.disabled_at is None:
            return True
    return not developers and client.account_id == account.id


async def submit(facts: Facts, at: Moment, client_id: str, *, actor: str) -> Decision[Client | Rejected]:
    """Its developers ask for approval."""
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if client.approved_at is not None:
        return reject("It is approved.", "client_approved")
    if client.submitted_at is not None:
        return Decision(client, (), "unchanged")
    changed = replace(client, submitted_at=at.now, version=client.version + 1)
    return Decision(changed, (Replace(changed), recorded(at, "client_submitted", actor=actor, client_id=client.id)))


async def approve(
    facts: Facts, at: Moment, client_id: str, *, version: int | None = None, actor: str = OPERATOR
) -> Decision[Client | Rejected]:
    """Everybody may connect it from now on. ``version`` is the one that was looked at, where somebody looked."""
    client = await _draft(facts, client_id, version)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    changed = replace(client, approved_at=at.now, submitted_at=None, version=client.version + 1)
    return Decision(changed, (Replace(changed), recorded(at, "client_approved", actor=actor, client_id=client.id)))


async def send_back(
    facts: Facts, at: Moment, client_id: str, word: str, *, version: int | None = None, actor: str = OPERATOR
) -> Decision[Client | Rejected]:
    """It stays a draft; ``word`` says to its developers what is missing."""
    client = await _draft(facts, client_id, version)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if client.submitted_at is None:
        return reject("Nobody asked for its approval.", "client_not_submitted")
    if not 1 <= len(word.strip()) <= LONGEST_WORD:
        return reject(
            worded("Say in 1 to %(most)s characters what is missing.", most=LONGEST_WORD),
            "word_malformed",
        )
    changed = replace(client, submitted_at=None, version=client.version + 1)
    entry = recorded(at, "client_sent_back", actor=actor, client_id=client.id, word=word.strip())
    return Decision(changed, (Replace(changed), entry))


async def last_word(facts: Facts, client: Client) -> str | None:
    """What an operator said when the draft was last sent back; ``None`` once it was submitted again or approved."""
    if client.approved_at is not None or client.submitted_at is not None:
        return None
    entries = await facts.audit(Page(1), client_row_id=client.id, action="client_sent_back")
    return None if not entries else str(entries[0].detail.get("word", ""))


async def _draft(facts: Facts, client_id: str, version: int | None) -> Client | Rejected:
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return client
    if client.approved_at is not None:
        return Rejected("It is approved already.", "client_approved")
    if version is not None and version != client.version:
        return Rejected("It was changed in the meantime. Look at it again.", "client_changed")
    return client
