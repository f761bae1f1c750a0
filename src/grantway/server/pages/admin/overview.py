"""The first page: how much there is, what waits for somebody, and pictures of the last days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.protocol.tallies import Kind, hour_of
from grantway.server.pages.admin.chart import Chart, draw
from grantway.server.pages.admin.table import HOME, Asked, Sight
from grantway.server.service import Service

SPANS = {1: 1, 7: 6, 90: 24}
"""Days that can be asked for, and how many hours one bar of each stands for."""
CHARTS: tuple[Kind, ...] = ("connections", "tokens", "refusals", "deliveries", "sign_ins")


async def load(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    days = next((days for days in SPANS if str(days) == asked.named("days")), 1)
    hours = SPANS[days]
    # The last bar is the one that time is in.
    last = hour_of(at.now) - timedelta(hours=at.now.hour % hours)
    first = last - timedelta(hours=days * 24 - hours)
    rows = await facts.tallies(first, hours=hours)
    charts: dict[str, Chart] = {}
    for kind in CHARTS:
        counts = [(row.hour, row.label, row.count) for row in rows if row.kind == kind]
        charts[kind] = draw(counts, first, days * 24 // hours, hours)
    a_day = await facts.tallies(hour_of(at.now) - timedelta(hours=23), "refusals", hours=24)
    return {
        "charts": charts,
        "days": days,
        "spans": tuple(SPANS),
        "refused": sum(row.count for row in a_day),
        "waiting_drafts": await facts.submitted_clients(),
    }


async def census(service: Service) -> Mapping[str, Any]:
    return {"census": await service.storage.census()}


TABLE = (Sight(HOME, HOME, "admin/overview.html", load, census),)
