"""Which IP addresses a request of ours may go to: public ones, and what the operator allows by name or network.

Written out instead of asking ``ipaddress.is_global``, whose answer differs between releases of Python and which knows
nothing of clouds. Sources: the IANA special-purpose registries (RFC 6890), RFC 6052, RFC 3056.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network; on Linux 0.0.0.0 connects to this machine
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's metadata at an address that looks public
        "169.254.0.0/16",  # link-local; most clouds' metadata at 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
"""All that was ever given out; loopback, unique local, link-local, multicast and the rest lie outside."""
_REFUSED_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address may hide in it
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """``development``: this server's own public address is loopback, so loopback targets are its developer's own.

    ``hosts`` and ``networks`` are what the operator allows although it is not public.
    """

    development: bool = False
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, issuer: str, allowed: Iterable[str] = ()) -> AddressRules:
        """Rules for the server with this public address. ``allowed`` are host names, addresses and networks (CIDR).

        Raises ``ValueError`` with a sentence for a network that is none.
        """
        hosts, networks = set(), []
        for each in allowed:
            if "/" in each or cls.read(each) is not None:
                try:
                    networks.append(ip_network(each))
                except ValueError:
                    raise ValueError(f"{each!r} is not a network, such as 10.1.0.0/16.") from None
            else:
                hosts.add(each.lower())
        own = urlsplit(issuer).hostname or ""
        address = cls.read(own)
        return cls(
            own == "localhost" if address is None else _inner(address).is_loopback, frozenset(hosts), tuple(networks)
        )

    @staticmethod
    def read(text: str) -> Address | None:
        """The address in its usual form; ``None`` for a name, a zone (``%eth0``) and the odd forms of libc."""
        try:
            address = ip_address(text)
        except ValueError:
            return None
        return None if isinstance(address, IPv6Address) and address.scope_id else address

    def names(self, host: str) -> bool:
        """Whether the operator allows this host, whatever its addresses."""
        return host.lower() in self.hosts

    def permit(self, address: Address) -> bool:
        """Whether a request may go to this address."""
        inner = _inner(address)
        if any(inner in network or address in network for network in self.networks):
            return True
        if inner.is_loopback:
            return self.development
        return _is_public(inner)

    def permit_resolved(self, text: str, host: str, scheme: str) -> bool:
        """Whether a request with this scheme may go to this address (as a resolver gave it) of this host."""
        address = self.read(text)
        if address is None:
            return False
        if scheme != "https":  # in clear only within a developer's own machine
            return self.development and _inner(address).is_loopback
        return self.names(host) or self.permit(address)


def _inner(address: Address) -> Address:
    """The IPv4 address that packets to this one end up at: of an IPv4-mapped one, or behind a NAT64 (RFC 6052).

    NAT64 is looked into, not refused: in networks with IPv6 only, every IPv4 host is reached that way.
    """
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _REFUSED_V6)
