"""Which addresses are public: by the registries' edges, and against a second opinion."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from actors.trades.outbound.addresses import internal, opened_by_name

SPECIAL = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 168.63.129.16/32
::/16 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1
fc00::/7 fe80::/10 ff00::/8
"""
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255
198.20.0.0 223.255.255.255 168.63.129.15 168.63.129.17 2001:200:: 2001:4860:4860::8888 2003:: 2606:4700::1111
2a00:1450::1 2db8:: 3ffe::1
"""


@pytest.mark.parametrize("network", SPECIAL.split())
def test_a_special_network_is_internal_from_its_first_address_to_its_last(network: str) -> None:
    whole = ip_network(network)

    assert internal(whole[0])
    assert internal(whole[-1])
    assert internal(whole[whole.num_addresses // 2])


@pytest.mark.parametrize("address", PUBLIC.split())
def test_its_neighbours_are_public(address: str) -> None:
    assert internal(ip_address(address)) is None


def test_what_python_takes_for_not_global_is_internal_to_us() -> None:
    """
    The reverse does not hold: we refuse multicast and what carries another address, and know the clouds.
    """
    dice = random.Random(4)
    drawn = [IPv4Address(dice.getrandbits(32)) for _ in range(20_000)]
    drawn += [IPv6Address(dice.getrandbits(128) >> dice.randrange(128)) for _ in range(20_000)]  # type: ignore[misc]

    assert [] == [address for address in drawn if not address.is_global and internal(address) is None]


@pytest.mark.parametrize(
    ("address", "by_name"),
    [
        ("127.0.0.1", True), ("10.0.0.1", True), ("100.64.0.1", True), ("fd00::1", True), ("::1", True),
        ("169.254.169.254", False), ("169.254.1.1", False), ("fd00:ec2::254", False), ("168.63.129.16", False),
        ("fe80::1", False), ("224.0.0.1", False), ("240.0.0.1", False), ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
    ],
)  # fmt: skip
def test_a_name_on_the_list_opens_networks_and_no_metadata(address: str, by_name: bool) -> None:
    kind = internal(ip_address(address))

    assert kind is not None
    assert by_name == opened_by_name(kind)
