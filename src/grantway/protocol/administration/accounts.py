"""Accounts, and the identifiers by which dialects know them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.administration.people import check_name
from grantway.protocol.decision import Add, Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account
from grantway.protocol.moment import Moment
from grantway.protocol.numbers import draw_number, is_number
from grantway.wire.record import record
from grantway.wire.sentence import worded

OWN_ID = "standard"
"""The dialect under which the platform's own id of an account is kept."""

_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SUNSHINE_ID = re.compile(r"[0-9a-f]{24}")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_SQUARE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# Sunshine Conversations, schema AppSettings: the platform's own API rules what they mean.
_SUNSHINE_SWITCHES = frozenset({
    "maskCreditCardNumbers", "useAnimalNames", "echoPostback", "ignoreAutoConversationStart", "multiConvoEnabled",
    "appLocalizationEnabled", "endSessionEnabled", "disableConversationReopen",
})  # fmt: skip


@record
class NewAccount:
    """What is asked for. External ids that are not given are drawn in the right form."""

    name: str
    display_name: str | None = None
    subdomain: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] | None = None


async def create_account(facts: Facts, at: Moment, wanted: NewAccount) -> Decision[Account | Rejected]:
    """A new account, known to every dialect."""
    if problem := check_account(wanted):
        return reject(problem, "account_malformed")
    for dialect, external_id in sorted(wanted.external_ids.items()):
        if known := await facts.account_by_external_id(dialect, external_id):
            return reject(
                worded(
                    "%(dialect)s id %(external_id)s belongs to the account %(name)r.",
                    dialect=dialect,
                    external_id=external_id,
                    name=known.name,
                ),
                "external_id_taken",
            )
    drawn = {"sunshine": at.draw(12).hex(), "square": _draw_square(at), "phonecom": draw_number(at)}
    account = Account(
        id=at.new_id(),
        name=wanted.name.strip(),
        created_at=at.now,
        display_name=wanted.display_name,
        subdomain=wanted.subdomain,
        external_ids=drawn | dict(wanted.external_ids),
        settings=dict(wanted.settings),
        metadata=dict(wanted.metadata) if wanted.metadata is not None else None,
    )
    return Decision(account, (Add(account), recorded(at, "account_created", account_id=account.id)))


def check_account(wanted: NewAccount) -> str | None:
    """The sentence that says why there cannot be such an account, or ``None``."""
    if problem := check_name(wanted.name):
        return problem
    if wanted.display_name is not None and not 1 <= len(wanted.display_name) <= 100:
        return "A display name has 1 to 100 characters."
    if wanted.subdomain is not None and not _SUBDOMAIN.fullmatch(wanted.subdomain):
        return "A subdomain has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends."
    for dialect, external_id in wanted.external_ids.items():
        if problem := check_external_id(dialect, external_id):
            return problem
    for name, value in wanted.settings.items():
        if name in _SUNSHINE_SWITCHES and not isinstance(value, bool):
            return worded("The setting %(name)s is true or false.", name=name)
        if name == "conversationRetentionSeconds" and (type(value) is not int or value < 0):
            return "The setting conversationRetentionSeconds is a number of seconds, not negative."
    if wanted.metadata is not None:
        if any(isinstance(value, (dict, list)) for value in wanted.metadata.values()):
            return "Metadata is flat: its values are texts, numbers, true, false or null."
        if len(json.dumps(wanted.metadata, ensure_ascii=False).encode()) > 4096:
            return "Metadata has at most 4 KB."
    return None


def check_external_id(dialect: str, external_id: str) -> str | None:
    """The sentence that says why no account of this dialect can have the id, or ``None``."""
    if dialect == "sunshine":
        return None if _SUNSHINE_ID.fullmatch(external_id) else "A sunshine id has 24 lower-case hex digits."
    if dialect == "square":
        fits = 8 <= len(external_id) <= 191 and _VISIBLE.fullmatch(external_id) is not None
        return None if fits else "A square id (merchant id) has 8 to 191 visible ASCII characters."
    if dialect == "phonecom":
        return None if is_number(external_id) else "A phonecom id (voip id) is a positive integer."
    if dialect == OWN_ID:
        fits = len(external_id) <= 191 and _VISIBLE.fullmatch(external_id) is not None
        fits = fits and not external_id.startswith("ac_")
        return None if fits else "An id of your own has 1 to 191 visible ASCII characters and does not begin with ac_."
    return worded(
        "There is no dialect %(dialect)r with ids of accounts; there are phonecom, square, standard and sunshine.",
        dialect=dialect,
    )


def _draw_square(at: Moment) -> str:
    return "ML" + "".join(_SQUARE_ALPHABET[byte % 32] for byte in at.draw(11))
