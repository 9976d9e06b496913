"""The addresses that a site lists for crawlers: sitemaps, lists of sitemaps, plain lists; packed or not.

Pure: what is in one document.  Entities and doctypes are not resolved (a few lines of them are a gigabyte), and a
packed one is unpacked to a bound.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from lxml import etree

from actors.trades.reading.encodings import decode
from actors.trades.reading.unreadable import Unreadable
from wire.errors import Refused
from wire.web_address import canonical

MOST_BYTES: Final = 50 * 1024 * 1024  # unpacked; the protocol's own limit
MOST_ADDRESSES: Final = 50_000  # the protocol's own
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Sitemap:
    documents: tuple[str, ...]
    sitemaps: tuple[str, ...]  # further ones


def read_sitemap(body: bytes, url: str, most: int = MOST_ADDRESSES) -> Sitemap:
    """What is listed; Unreadable if it is no sitemap."""
    plain = _unpacked(body) if body.startswith(_GZIP) else body
    start = plain[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"<"):
        return Sitemap(_canonical(decode(plain).text.split(), url, most), ())
    documents, sitemaps = _listed(plain, most)
    return Sitemap(_canonical(documents, url, most), _canonical(sitemaps, url, most))


def _listed(body: bytes, most: int) -> tuple[list[str], list[str]]:
    """By a parser that is fed piece by piece and forgets: a tree of fifty megabytes would be a gigabyte."""
    parser = etree.XMLPullParser(
        ("end",), recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    found: dict[str, list[str]] = {"url": [], "sitemap": []}
    for start in range(0, len(body), 1 << 16):
        try:
            parser.feed(body[start : start + (1 << 16)])
        except etree.XMLSyntaxError:
            break  # what was listed until here counts
        for _, element in parser.read_events():
            name = etree.QName(element).localname if isinstance(element.tag, str) else ""
            if name in found:
                found[name] += [text for each in element if _is_loc(each) and (text := (each.text or "").strip())]
                element.clear()
            if len(found["url"]) >= most:
                return found["url"], found["sitemap"]
    if not any(found.values()) and b"<urlset" not in body[:4096] and b"<sitemapindex" not in body[:4096]:
        raise Unreadable("the document is no sitemap: it has no <urlset> and no <sitemapindex>")
    return found["url"], found["sitemap"]


def _is_loc(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).localname == "loc"


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, MOST_BYTES)
    except zlib.error as e:
        raise Unreadable(f"the sitemap cannot be unpacked: {e}") from e
    if unpacking.unconsumed_tail:
        raise Unreadable(f"the sitemap is longer than {MOST_BYTES} bytes when it is unpacked")
    return plain


def _canonical(said: list[str], url: str, most: int) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for address in said[:most]:
        try:
            found.setdefault(canonical(urljoin(url, address)))
        except (Refused, ValueError):
            continue
    return tuple(found)
