"""Which targets outbound requests may reach beyond the public web, as `WARREN_OUTBOUND_ALLOW` says.

An entry is a host name, an address or a network, each with a port or without.  A name is taken to the letter: no
wildcards, for `*.example.org` would be whatever somebody puts there.  Refuses what is none of these, at the start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
ANY: Final = "any"
NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_BRACKETED: Final = re.compile(r"\[(?P<place>[0-9A-Fa-f:./]+)\](?::(?P<port>[0-9]{1,5}))?")
_PLAIN: Final = re.compile(r"(?P<place>[^\s\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry: a name or a network, at one port or at those that are open to everybody."""

    name: str | None
    network: Network | None
    port: int | None

    def names(self, host: str, port: int) -> bool:
        return self.name == host and self.port in (None, port)

    def covers(self, address: Address, port: int) -> bool:
        return self.network is not None and address in self.network and self.port in (None, port)


def allowed(said: Sequence[str]) -> tuple[Allowed, ...]:
    """The entries of a list; ValueError for what is none."""
    return tuple(_entry(word) for word in said)


def ports(said: str) -> frozenset[int] | None:
    """The ports of a list, or None for all; ValueError for what is no port."""
    if said.strip().lower() == ANY:
        return None
    return frozenset(_port(word.strip()) for word in said.split(","))


def _entry(word: str) -> Allowed:
    if word.count(":") > 1 and "[" not in word:  # an IPv6 address without a port needs no brackets
        return Allowed(None, _network(word), None)
    match = _BRACKETED.fullmatch(word) or _PLAIN.fullmatch(word)
    if match is None:
        raise ValueError(f"has {word[:80]!r}, which is no host, host:port, address or network[:port]")
    port = _port(match["port"]) if match["port"] else None
    place = match["place"].lower().rstrip(".")
    if "/" in place or ":" in place or re.fullmatch(r"[0-9.]+", place):
        return Allowed(None, _network(place), port)
    if not NAME.fullmatch(place):
        raise ValueError(f"has {word[:80]!r}, which is no host name; a name from another alphabet is written as xn--…")
    return Allowed(place, None, port)


def _network(place: str) -> Network:
    try:
        return ip_network(place, strict=True)
    except ValueError as e:
        raise ValueError(f"has {place[:80]!r}, which is no network: {e}") from None


def _port(word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", word) or not 1 <= int(word) <= 65_535:
        raise ValueError(f"has {word[:80]!r}, which is no port from 1 to 65535")
    return int(word)
