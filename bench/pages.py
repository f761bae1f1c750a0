"""``make bench-scale``: every page for customers, developers and operators and every reading call of the JSON API, each as
somebody who may, on an installation of 100,000 connections (``bench/installation.py``) and one worker.

    python -m bench.pages [--times 30] [--slow 50]
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from bench.installation import Installation, install
from bench.server import Server
from grantway.protocol.ids import show
from grantway.server.api.calls import CALLS
from grantway.server.pages import admin, connections, developers
from grantway.server.settings import Settings
from grantway.wire import base62


@dataclass(frozen=True)
class Look:
    """One address as one person sees it."""

    route: str
    address: str
    headers: dict[str, str]


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    options.add_argument("--times", type=int, default=30)
    options.add_argument("--slow", type=float, default=50, help="milliseconds from which on a median is pointed at")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="grantway-bench-") as folder:
        data = Path(folder)
        began = time.monotonic()
        made = install(Settings(data=data))
        size = (data / "grantway.db").stat().st_size / 1e6
        print(f"filled in {time.monotonic() - began:.0f} s, {size:,.0f} MB\n")
        looks = list(everything(made))
        _are_all_there(looks)
        with Server(data, 1) as server:
            slow = [look.address for look in looks if _measure(server, look, chosen.times) > chosen.slow]
    print(
        f"\n{len(looks)} addresses, {len(slow)} of them over {chosen.slow:g} ms{': ' if slow else ''}{', '.join(slow)}"
    )


def _measure(server: Server, look: Look, times: int) -> float:
    """The median in milliseconds, after one look that is not counted."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    took, size = [], 0
    for _ in range(times + 1):
        began = time.perf_counter()
        connection.request("GET", look.address, headers=look.headers)
        answer = connection.getresponse()
        size = len(answer.read())
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{look.address}: {answer.status} {server.log()[-1000:]}")
    connection.close()
    took = sorted(took[1:])
    median, late = statistics.median(took), took[int(len(took) * 0.95)]
    print(f"{look.address[:90]:92}{median:8.1f}{late:8.1f} ms{size / 1000:8.1f} kB", flush=True)
    return median


def _are_all_there(looks: list[Look]) -> None:
    """Whoever adds a page or a call adds a line here."""
    pages = [*connections.PAGES, *developers.PAGES, *admin.PAGES]
    served = {path for method, path, _ in pages if method == "GET"}
    served |= {call.path for call in CALLS if call.method == "GET"}
    missing = served - {look.route for look in looks} - {"/developers/{client_id}/try/callback"}  # needs a code
    if missing:
        raise SystemExit(f"not measured: {', '.join(sorted(missing))}")


def everything(made: Installation) -> Iterator[Look]:
    """Every address: first pages, pages deep in a listing, and what filters find."""
    ids = {
        "connection_id": show("cn", made.busy.id),
        "connection": show("cn", made.busy.id),
        "notice": show("nt", made.delivery.id),
        "notice_id": show("nt", made.delivery.id),
        "delivery": show("nt", made.delivery.id),
        "client_id": made.popular.client_id,
        "client": made.popular.client_id,
        "account": show("ac", made.crowded.id),
        "user": show("us", made.operator.id),
        "resource": show("rs", made.resource.id),
    }
    people = made.people

    def look(who: str, route: str, **query: str) -> Look:
        headers = {"cookie": f"grantway-session={who}"}
        if route.startswith("/v1/"):
            headers = {"authorization": f"Bearer {who}"}
        path = route
        for name, value in ids.items():
            path = path.replace("{" + name + "}", value)
        return Look(route, path + (f"?{urlencode(query)}" if query else ""), headers)

    account, client, few = ids["account"], made.popular.client_id, made.ordinary.client_id
    middle = made.connections[len(made.connections) // 2].id
    deep, deep_notice = show("cn", middle), show("nt", made.notices[len(made.notices) // 2].id)
    busy = ids["connection"]

    for who in (people.owner, people.member, people.agency):
        yield look(who, "/connections")
    yield look(people.owner, "/connections", account=account)
    yield look(people.owner, "/connections", account=account, after=deep)
    yield look(people.member, "/connections", account=account)
    crowded = next(each for each in made.connections if each.account_id == made.crowded.id and not each.removed_at)
    yield Look(
        "/connections/{connection_id}", f"/connections/{show('cn', crowded.id)}", look(people.owner, "/").headers
    )

    yield look(people.developer, "/developers")
    for rest in ("", "/delete", "/edit", "/secrets", "/connections", "/deliveries", "/refused", "/try"):
        yield look(people.developer, "/developers/{client_id}" + rest)
    yield look(people.developer, "/developers/{client_id}/connections", after=deep)
    for state in ("waiting", "delivered", "dead"):
        yield look(people.developer, "/developers/{client_id}/deliveries", state=state)
    yield look(people.developer, "/developers/{client_id}/deliveries", after=deep_notice)
    yield look(people.developer, "/developers/{client_id}/deliveries", connection=busy)
    yield look(people.developer, "/developers/{client_id}/deliveries", webhook=show("wh", made.webhook.id))
    yield look(people.developer, "/developers/{client_id}/deliveries/{notice_id}")

    for days in ("1", "7", "90"):
        yield look(people.operator, "/admin", days=days)
    for rest in ("users", "accounts", "clients", "connections", "deliveries", "keys", "operators", "scopes", "audit"):
        yield look(people.operator, f"/admin/{rest}")
    for rest in (
        "users/{user}",
        "accounts/{account}",
        "clients/{client}",
        "connections/{connection}",
        "deliveries/{notice}",
    ):
        yield look(people.operator, f"/admin/{rest}")
    yield look(people.operator, "/admin/users", email="person1")
    yield look(people.operator, "/admin/users", email="person")
    yield look(people.operator, "/admin/accounts", name="Shop 1")
    yield look(people.operator, "/admin/clients", name="Integration 1")
    yield look(people.operator, "/admin/connections", after=deep)
    yield look(people.operator, "/admin/deliveries", after=deep_notice)
    for who, api in ((people.operator, "/admin"), (people.key, "/v1")):
        for state in ("suspended", "removed", "all"):
            yield look(who, f"{api}/connections", state=state)
            yield look(who, f"{api}/connections", state=state, client=client)
            yield look(who, f"{api}/connections", state=state, account=account)
        yield look(who, f"{api}/connections", client=few, account=account)
        yield look(who, f"{api}/connections", client=client, account=account)
        for state in ("waiting", "delivered", "dead"):
            yield look(who, f"{api}/deliveries", state=state)
            yield look(who, f"{api}/deliveries", state=state, client=client)
            yield look(who, f"{api}/deliveries", state=state, client=few)
            yield look(who, f"{api}/deliveries", state=state, connection=busy)
        for search in (
            {"action": "connection_created"},
            {"client": client},
            {"account": account},
            {"connection": busy},
            {"user": ids["user"]},
            {"reason": "reuse_detected"},
            {"reason": "reuse_detected", "client": few},
            {"action": "connection_created", "client": few},
            {"action": "nothing", "client": client},
            {"action": "nothing", "reason": "customer"},
            {"reason": "reuse_detected", "account": account},
        ):
            yield look(who, f"{api}/audit", **search)

    for call in CALLS:
        if call.method != "GET":
            continue
        if call.path == "/v1/counts":
            for days_ago in (1, 7, 365):
                since = datetime.now(UTC) - timedelta(days=days_ago)
                yield look(people.key, call.path, since=since.isoformat(timespec="seconds").replace("+00:00", "Z"))
            continue
        yield look(people.key, call.path)
        if call.paged:
            yield look(people.key, call.path, limit="200")
            yield look(people.key, call.path, limit="200", cursor=base62.encode(middle))
    yield look(people.key, "/v1/users", email="person1")
    yield look(people.key, "/v1/accounts", name="Shop 1")
    yield look(people.key, "/v1/clients", name="Integration 1")


if __name__ == "__main__":
    main()
