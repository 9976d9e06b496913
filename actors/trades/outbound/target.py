"""Read a URL as the one that will be connected to does: scheme, host, port, what is asked for.

There is no second reader whose opinion could differ.  Refuses other schemes, names and passwords, hosts that only
some resolvers read as addresses (`127.1`, `0x7f.1`, `2130706433`), and signs that have no place in a URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import httpx

from actors.trades.outbound.failures import Forbidden
from wire.reach import NAME, Address

LONGEST: Final = 8_192  # characters of a URL
PORTS: Final = {"http": 80, "https": 443}
# What WHATWG and inet_aton take for an IPv4 address: the last label is a number, in whichever base.
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
_ODD: Final = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Target:
    """One hop of a request."""

    url: httpx.URL  # without its fragment
    scheme: str
    host: str  # a name in lower case without a dot at its end, or an address without brackets
    port: int
    address: Address | None  # if the host is one

    @property
    def place(self) -> str:
        """How it is told: where, not what is asked for there."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS[self.scheme] else "")

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def target(said: str, base: Target | None = None) -> Target:
    """Where this URL leads, as it is or as a redirect from `base`; Forbidden for what is not to be asked."""
    url = _parsed(said, base)
    if url.scheme not in PORTS:
        raise Forbidden(f"{url.scheme[:20] or 'a URL without a scheme'} is not fetched: only http and https are")
    if url.userinfo:
        raise Forbidden("a URL with a name or a password in it is not fetched: send an Authorization header")
    host = url.raw_host.decode("ascii").lower()
    address = _address(host)
    if address is None:
        host = host.removesuffix(".")
        if not NAME.fullmatch(host):
            raise Forbidden(f"{host[:80]!r} is not the name of a host")
    port = PORTS[url.scheme] if url.port is None else url.port
    if not 1 <= port <= 65_535:
        raise Forbidden(f"{port} is not a port")
    return Target(url.copy_with(fragment=None), url.scheme, str(address or host), port, address)


def _parsed(said: str, base: Target | None) -> httpx.URL:
    if len(said) > LONGEST:
        raise Forbidden(f"a URL of {len(said)} characters is not fetched: at most {LONGEST}")
    if _ODD.search(said):
        raise Forbidden("a URL with spaces, backslashes or control characters in it is not fetched: escape them")
    try:
        return base.url.join(said) if base else httpx.URL(said)
    except (httpx.InvalidURL, ValueError):
        raise Forbidden("this is not a URL that can be read: write https://host/path") from None


def _address(host: str) -> Address | None:
    """The address that the host is; Forbidden for what others would take for one."""
    try:
        found: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        if ":" in host or "%" in host or _NUMERIC.fullmatch(host.removesuffix(".")):
            raise Forbidden(f"{host[:80]!r} is not how an address is written: 192.0.2.1 or [2001:db8::1]") from None
        return None
    return found
