"""The host of a web address in its one spelling: what a browser would connect to, whatever was written.

Numbers are told as the address that they mean (`http://2130706433/` is 127.0.0.1 to every browser and resolver), names
in lower case and ASCII, without the dot at their end.  Refuses what no server can be called: the address itself is
judged where something connects (the guard of outbound requests), never here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import unquote_to_bytes

import idna

from wire.errors import Refused

_PLAIN: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?").fullmatch
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?").fullmatch
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+").fullmatch
_REMEDY: Final = "send the address as a browser shows it, such as https://example.org/page"


@lru_cache(maxsize=4096)  # a crawl has many pages of few hosts
def host(said: str) -> str:
    """The host in its one spelling; IPv6 in brackets.  Refused if it is none."""
    if said.startswith("["):
        return _version_6(said)
    name = _ascii(said.lower()).rstrip(".")
    if not _PLAIN(name) or not all(map(_LABEL, name.split("."))):
        raise Refused("url", f"has {said[:80]!r} as its host, which is no host's name", _REMEDY)
    return _version_4(name) if _NUMBER(name.rpartition(".")[2]) else name


def _ascii(said: str) -> str:
    if "%" in said:
        try:
            said = unquote_to_bytes(said).decode().lower()
        except UnicodeError:  # half a character among them, too
            raise Refused("url", f"has {said[:80]!r} as its host, which is not UTF-8", _REMEDY) from None
    if said.isascii():
        return said
    try:
        return idna.encode(said.rstrip(".。．｡"), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as e:
        raise Refused("url", f"has {said[:80]!r} as its host, which is no international name: {e}", _REMEDY) from None


def _version_6(said: str) -> str:
    try:
        address = IPv6Address(said[1:-1] if said.endswith("]") else "")
    except AddressValueError:
        raise Refused("url", f"has {said[:80]!r} as its host, which is no IPv6 address", _REMEDY) from None
    if address.scope_id:
        raise Refused("url", "names a network interface in its IPv6 address", "leave out what follows the %")
    return f"[{address.compressed}]"


def _version_4(name: str) -> str:
    """Decimal, octal and hexadecimal numbers, four of them or fewer: all that resolvers take for an IPv4 address."""
    parts = name.split(".")
    try:
        *leading, last = (_number(part) for part in parts)
        if len(parts) > 4 or any(part > 255 for part in leading) or last >= 256 ** (5 - len(parts)):
            raise ValueError(name)
    except ValueError:
        raise Refused("url", f"has {name[:80]!r} as its host, which is no IPv4 address", _REMEDY) from None
    return str(IPv4Address(sum(part << 8 * (3 - place) for place, part in enumerate(leading)) + last))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") and part != "0" else 10)
