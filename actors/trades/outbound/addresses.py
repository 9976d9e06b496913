"""Which addresses are the public web's, and what the others are.

Written out from IANA's registries of special addresses, because `ipaddress` says of some ranges other things in other
versions of Python.  IPv4 is public unless it is named here, IPv6 only where it is global unicast and not named: an
address that carries another one in it (mapped, 6to4, Teredo, NAT64) is none, whatever it carries.  Pure.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final

from wire.reach import Address

_PRIVATE: Final = "a private address"
_LOCAL: Final = "an address of this machine"
_LINK: Final = "a link-local address"
_METADATA: Final = "a cloud's metadata service"
_RESERVED: Final = "a reserved address"
_CARRIES: Final = "an address that carries another"
_MULTICAST: Final = "a multicast address"

_SPECIAL: Final = tuple(
    (ip_network(network), kind)
    for network, kind in (
        # metadata first: some of them lie in the ranges below, and one of Azure's in none
        ("169.254.169.254/32", _METADATA), ("169.254.170.2/32", _METADATA), ("169.254.170.23/32", _METADATA),
        ("100.100.100.200/32", _METADATA), ("192.0.0.192/32", _METADATA), ("168.63.129.16/32", _METADATA),
        ("fd00:ec2::/32", _METADATA), ("fd20:ce::254/128", _METADATA), ("fd00:42::42/128", _METADATA),
        ("0.0.0.0/8", _LOCAL), ("127.0.0.0/8", _LOCAL), ("::/128", _LOCAL), ("::1/128", _LOCAL),
        ("10.0.0.0/8", _PRIVATE), ("172.16.0.0/12", _PRIVATE), ("192.168.0.0/16", _PRIVATE),
        ("100.64.0.0/10", "an address behind a carrier's NAT"), ("fc00::/7", _PRIVATE), ("fec0::/10", _PRIVATE),
        ("169.254.0.0/16", _LINK), ("fe80::/10", _LINK),
        ("224.0.0.0/4", _MULTICAST), ("ff00::/8", _MULTICAST),
        ("192.0.0.0/24", _RESERVED), ("192.0.2.0/24", _RESERVED), ("192.31.196.0/24", _RESERVED),
        ("192.52.193.0/24", _RESERVED), ("192.88.99.0/24", _RESERVED), ("192.175.48.0/24", _RESERVED),
        ("198.18.0.0/15", _RESERVED), ("198.51.100.0/24", _RESERVED), ("203.0.113.0/24", _RESERVED),
        ("240.0.0.0/4", _RESERVED),
        ("::ffff:0:0/96", _CARRIES), ("::ffff:0:0:0/96", _CARRIES), ("64:ff9b::/96", _CARRIES),
        ("64:ff9b:1::/48", _CARRIES), ("2001::/32", _CARRIES), ("2002::/16", _CARRIES), ("::/96", _CARRIES),
        ("2001::/23", _RESERVED), ("2001:db8::/32", _RESERVED), ("2620:4f:8000::/48", _RESERVED),
        ("3fff::/20", _RESERVED),
    )
)  # fmt: skip
_GLOBAL: Final = ip_network("2000::/3")
# What a host name in the allow-list does not open: whoever owns the name could point it there.
_NEVER_BY_NAME: Final = frozenset({_METADATA, _LINK, _MULTICAST, _RESERVED, _CARRIES})


def internal(address: Address) -> str | None:
    """What it is, if it is not an address of the public web."""
    for network, kind in _SPECIAL:
        if address in network:
            return kind
    return None if address.version == 4 or address in _GLOBAL else _RESERVED


def opened_by_name(kind: str) -> bool:
    """Whether a name in the allow-list may lead to an address of this kind."""
    return kind not in _NEVER_BY_NAME
