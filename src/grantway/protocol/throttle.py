"""How often a password may be guessed. Only failures count, in buckets that all workers share through the database.

Two buckets per attempt. One is of the person as seen from one network: it only slows the answer, by two seconds at
most, so that nobody can lock somebody else out. The other is of the address alone: it ends in a plain "later".
Addresses come in as text and are coarsened here; what is kept is a digest of each. A browser that the person has signed
in with before has buckets of its own, so that an address that others have used up does not lock them out.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil

from grantway.protocol.decision import Change, Forget, Put
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import FailureBucket
from grantway.wire.record import record

WINDOW = timedelta(minutes=15)
"""Failures are counted from the first of a window until its end."""
FREE_FAILURES = 3
"""Typing errors of one person that cost no waiting."""
FIRST_DELAY = 0.25
LONGEST_DELAY = 2.0
"""Seconds. A person is slowed, never locked out."""
FAILURES_PER_ADDRESS = 50
"""Failures of one address in a window; an office behind one address shares them."""


@record
class Buckets:
    """The names of an attempt's two buckets."""

    person: bytes = field(repr=False)
    address: bytes = field(repr=False)


@record
class Pace:
    """What has to be waited: ``delay`` seconds before the answer; with ``retry_after``, there is no attempt at all."""

    delay: float
    retry_after: int | None


def buckets_of(email: str, address: str) -> Buckets:
    """The buckets of an attempt to sign in as ``email`` from ``address``.

    The network is a /24 or a /56, about what one connection to the internet is given. An IPv6 address counts as its
    /64, because whoever has one has all of them. What is no address (a local socket) is a bucket of its own.
    """
    network, host = _whereabouts(address)
    return Buckets(digest(f"person\0{email}\0{network}"), digest(f"address\0{host}"))


def buckets_of_client(client_id: str, address: str) -> Buckets:
    """The same for an attempt to authenticate as a client: counted apart, so that neither costs people their sign-in."""
    network, host = _whereabouts(address)
    return Buckets(digest(f"client\0{client_id}\0{network}"), digest(f"client-address\0{host}"))


def _whereabouts(address: str) -> tuple[str, str]:
    try:
        exact = ip_address(address)
    except ValueError:
        return "local", "local"
    if isinstance(exact, IPv6Address) and exact.ipv4_mapped is not None:
        exact = exact.ipv4_mapped
    if isinstance(exact, IPv4Address):
        return str(ip_network((exact, 24), strict=False)), str(exact)
    return str(ip_network((exact, 56), strict=False)), str(ip_network((exact, 64), strict=False))


def buckets_of_browser(email: str, kept: str) -> Buckets:
    """The buckets of a browser that this person has signed in with before: its own, wherever it is."""
    return Buckets(digest(f"person\0{email}\0browser\0{kept}"), digest(f"browser\0{kept}"))


async def pace(facts: Facts, now: datetime, buckets: Buckets) -> Pace:
    """How slowly this attempt goes, by the failures that were counted before it."""
    person = _live(await facts.failures(buckets.person), now)
    address = _live(await facts.failures(buckets.address), now)
    retry_after = None
    if address is not None and address.failures >= FAILURES_PER_ADDRESS:
        retry_after = max(1, ceil((address.expires_at - now).total_seconds()))
    return Pace(delay_after(person.failures if person else 0), retry_after)


def delay_after(failures: int) -> float:
    """Seconds to wait after so many failures: nothing for typing errors, then doubling, two seconds at most."""
    if failures < FREE_FAILURES:
        return 0.0
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - FREE_FAILURES, 8))


async def count_failure(facts: Facts, now: datetime, buckets: Buckets) -> tuple[Change, ...]:
    """What becomes true when the attempt failed.

    Read and put in one rule: rules that count run one after another, so no failure is lost.
    """
    return (
        Put(_one_more(await facts.failures(buckets.person), buckets.person, now)),
        Put(_one_more(await facts.failures(buckets.address), buckets.address, now)),
    )


async def forgive(facts: Facts, buckets: Buckets) -> tuple[Change, ...]:
    """What becomes true when the attempt succeeded: the person starts afresh, the address does not.

    Otherwise whoever has one account of their own could clear the address between guesses at others.
    """
    person = await facts.failures(buckets.person)
    return (Forget(person),) if person is not None else ()


def _live(bucket: FailureBucket | None, now: datetime) -> FailureBucket | None:
    return bucket if bucket is not None and bucket.expires_at > now else None


def _one_more(bucket: FailureBucket | None, key: bytes, now: datetime) -> FailureBucket:
    live = _live(bucket, now)
    if live is None:
        return FailureBucket(key, now, 1, now + WINDOW)
    return FailureBucket(key, live.window_start, live.failures + 1, live.expires_at)
