"""Changes of a client: its name, addresses, scopes, profile and picture; and when they make it a draft again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.clients import (
    NewClient,
    check_account_of,
    check_client,
    find_client,
    missing_scopes,
    policy_of,
    scope_unknown,
    undescribed_among,
)
from grantway.protocol.audit import by_client, by_user
from grantway.protocol.decision import Change, Decision, Put, Replace
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import Client, Icon, Scope, User
from grantway.protocol.moment import Moment
from grantway.wire.record import record


@record
class ClientChange:
    """What becomes different; what is ``None`` stays. An empty ``remove_url`` or ``account_id`` is none."""

    name: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    remove_url: str | None = None
    scopes: tuple[str, ...] | None = None
    default_scopes: tuple[str, ...] | None = None
    required_scopes: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    profile: str | None = None
    overrides: tuple[tuple[str, Any], ...] | None = None
    account_id: bytes | None = None


async def update_client(
    facts: Facts,
    at: Moment,
    client_id: str,
    change: ClientChange,
    *,
    version: int | None = None,
    developer: User | None = None,
    integration: Client | None = None,
) -> Decision[Client | Rejected]:
    """The client as it is from now on. ``version`` is the one that was looked at, where somebody looked.

    A ``developer`` may not override policy, and what they change of what was approved has to be approved anew; so it is
    with an ``integration`` that manages it for the account that it belongs to.
    """
    is_operator = developer is None and integration is None
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if version is not None and version != client.version:
        return reject("Somebody changed it in the meantime. Look at it again, then change it.", "client_changed")
    if not is_operator and change.overrides is not None:
        return reject("Policy is the operator's.", "overrides_not_allowed")
    changed = _changed(client, change)
    if changed == client:
        return Decision(client, (), "unchanged")
    missing = await missing_scopes(facts, tuple(one for one in changed.scopes if one not in client.scopes))
    if problem := await _problem(facts, client, changed, missing):
        return Decision(problem, (), problem.reason)
    if not is_operator and needs_approval(client, changed):
        changed = replace(changed, approved_at=None)
    if not is_operator and changed.approved_at is None and needs_approval(client, changed):
        changed = replace(changed, submitted_at=None)  # nobody approves what they have not looked at
    changed = replace(changed, version=client.version + 1)
    actor = OPERATOR if developer is None else by_user(developer)
    if integration is not None:
        actor = by_client(integration)
    entry = recorded(at, "client_changed", actor=actor, client_id=client.id, fields=_different(client, changed))
    changes: list[Change] = [Replace(changed), entry]
    for scope in missing:
        changes += [Put(scope), recorded(at, "scope_added", actor=actor, scope=scope.name, client_id=client.id)]
    return Decision(changed, tuple(changes))


def needs_approval(before: Client, after: Client) -> bool:
    """Whether a customer would be shown, or could lose, something that nobody has approved.

    Another name, another redirect URI, another scope or resource. Less of them, and the remove URL, are nobody's risk.
    """
    return (
        before.name != after.name
        or before.profile != after.profile
        or not set(after.redirect_uris) <= set(before.redirect_uris)
        or not set(after.scopes) <= set(before.scopes)
        or not set(after.resources) <= set(before.resources)
    )


async def set_icon(
    facts: Facts, at: Moment, client_id: str, png: bytes, png_digest: str, *, developer: User | None = None
) -> Decision[Client | Rejected]:
    """The picture on the consent page. It was re-encoded outside the rule. Set by a developer, it has to be approved."""
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    known = await facts.icon(client.id)
    if known is not None and known.digest == png_digest:
        return Decision(client, (), "unchanged")
    actor = OPERATOR if developer is None else by_user(developer)
    entry = recorded(at, "client_icon_set", actor=actor, client_id=client.id, digest=png_digest)
    # The version moves, so that nobody approves a picture that they have not seen.
    changed = replace(client, version=client.version + 1)
    if developer is not None:
        changed = replace(changed, approved_at=None, submitted_at=None)
    return Decision(changed, (Replace(changed), Put(Icon(client.id, png, png_digest)), entry))


def _changed(client: Client, change: ClientChange) -> Client:
    scopes = client.scopes if change.scopes is None else change.scopes
    # What was chosen among the scopes goes with them, where nothing else is said.
    default = tuple(one for one in client.default_scopes if one in scopes)
    required = tuple(one for one in client.required_scopes if one in scopes)
    overrides = client.overrides if change.overrides is None else tuple(sorted(change.overrides))
    return replace(
        client,
        name=client.name if change.name is None else change.name.strip(),
        redirect_uris=client.redirect_uris if change.redirect_uris is None else change.redirect_uris,
        remove_url=client.remove_url if change.remove_url is None else (change.remove_url or None),
        scopes=scopes,
        default_scopes=default if change.default_scopes is None else change.default_scopes,
        required_scopes=required if change.required_scopes is None else change.required_scopes,
        resources=client.resources if change.resources is None else change.resources,
        profile=client.profile if change.profile is None else change.profile,
        overrides=overrides,
        account_id=client.account_id if change.account_id is None else (change.account_id or None),
    )


async def _problem(facts: Facts, client: Client, changed: Client, missing: tuple[Scope, ...]) -> Rejected | None:
    wanted = NewClient(
        changed.name,
        changed.profile,
        changed.kind,
        public=not changed.confidential,
        redirect_uris=changed.redirect_uris,
        remove_url=changed.remove_url,
        scopes=changed.scopes,
        default_scopes=changed.default_scopes,
        resources=changed.resources,
        overrides=changed.overrides,
        required_scopes=changed.required_scopes,
        account_id=changed.account_id,
    )
    policy = policy_of(wanted)
    if isinstance(policy, Rejected):
        return policy
    if problem := check_client(wanted, policy):
        return Rejected(problem, "client_malformed")
    if changed.account_id != client.account_id and (problem := await check_account_of(facts, wanted)):
        return Rejected(problem, "account_unknown")
    if unknown := undescribed_among(missing):
        return Rejected(scope_unknown(unknown), "scope_unknown")
    if changed.profile != client.profile and await facts.connections(Page(1), client_row_id=client.id):
        return Rejected("It is connected: tokens that are in use were made by its profile.", "client_connected")
    return None


def _different(before: Client, after: Client) -> list[str]:
    names = (
        "name", "redirect_uris", "remove_url", "scopes", "default_scopes", "required_scopes", "resources", "profile",
        "overrides", "account_id", "approved_at",
    )  # fmt: skip
    return [name for name in names if getattr(before, name) != getattr(after, name)]
