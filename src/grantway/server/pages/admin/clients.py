"""Integrations: what waits for approval, what each is, and its life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.administration.approval import approve, last_word, send_back
from grantway.protocol.administration.client_life import disable_client, enable_client, end_client
from grantway.protocol.administration.client_secrets import live_secrets, name_of
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, Page
from grantway.protocol.ids import parse, show
from grantway.protocol.moment import Moment
from grantway.protocol.notices import ReplayedMany, replay_dead
from grantway.protocol.permanent import tokens_of
from grantway.protocol.sessions import Operating
from grantway.server.pages.admin.table import NOWHERE, Asked, Deed, Sight, actor_of, number_of, path_of, shown

_HERE = path_of("clients")
_A_FEW = 10


async def load_all(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    name = asked.named("name")
    rows = await facts.clients(asked.page("cl"), name=name or None)
    return {
        "clients": shown(rows),
        "name": name,
        "older": asked.older(rows, "cl"),
        "waiting": () if name or asked.named("after") else shown(await facts.submitted_clients()),
    }


async def load_one(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any] | None:
    client = await facts.client(asked.path["client"])
    if client is None:
        return None
    return {
        "client": client,
        "here": asked.here,
        "policy": client.overrides,
        "account": None if client.account_id is None else await facts.account(client.account_id),
        "tokens": await tokens_of(facts, client),
        "secrets": [(name_of(one), one) for one in live_secrets(client, at)],
        "developers": await facts.developers(client.id),
        "last_word": await last_word(facts, client),
        "connections": await facts.connections(Page(_A_FEW), client_row_id=client.id),
        "dead": await facts.notices(Page(_A_FEW), client_row_id=client.id, state="dead"),
        "replayed_to": asked.named("after"),
        "refused": await facts.refused_authorizations(client.id),
    }


async def _approve(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await approve(facts, at, asked.path["client"], version=_version(asked), actor=actor_of(by))


async def _send_back(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    missing = asked.said("missing")
    return await send_back(facts, at, asked.path["client"], missing, version=_version(asked), actor=actor_of(by))


async def disable(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await disable_client(facts, at, asked.path["client"], actor=actor_of(by))


async def enable(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await enable_client(facts, at, asked.path["client"], actor=actor_of(by))


async def end(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await end_client(facts, at, asked.path["client"], actor=actor_of(by))


async def replay(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    client = await facts.client(asked.path["client"])
    row_id, after = client.id if client else NOWHERE, parse("nt", asked.said("after"))
    return await replay_dead(facts, at, actor_of(by), client_row_id=row_id, after=after)


def _told(replayed: ReplayedMany) -> Mapping[str, str]:
    rest = {} if replayed.after is None else {"after": show("nt", replayed.after)}
    return {"sent": str(replayed.count), "left_out": str(replayed.left_out), **rest}


def _version(asked: Asked) -> int:
    """Which version was looked at: what a developer changed since is not approved unseen."""
    return number_of(asked.said("version"))


ONE = Sight(f"{_HERE}/{{client}}", _HERE, "admin/client.html", load_one)

TABLE = (
    Sight(_HERE, _HERE, "admin/clients.html", load_all),
    ONE,
    Deed(ONE, "approve", _approve, "approved"),
    Deed(ONE, "send-back", _send_back, "sent-back"),
    Deed(ONE, "disable", disable, "disabled"),
    Deed(ONE, "enable", enable, "enabled"),
    Deed(ONE, "end", end, "ended"),
    Deed(ONE, "replay-dead", replay, "replayed-some", told=_told),
)
