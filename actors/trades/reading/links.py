"""Where a document links to, and the images it shows: absolute, in their one spelling, each once, in its order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lxml import html
from lxml.etree import XPath

from actors.trades.reading.markup import Markup

MOST_LINKS: Final = 2_000  # kept of a document; a page that links more is a list of links
MOST_IMAGES: Final = 200
# by XPath: an element of the tree that Python has to see costs more than the rest of its link
_LINKED: Final = XPath("//a/@href | //area/@href", smart_strings=False)
_FOLLOWED: Final = XPath(
    "//*[self::a or self::area]"
    "[not(contains(concat(' ', translate(@rel, 'NOFLW', 'noflw'), ' '), ' nofollow '))]/@href",
    smart_strings=False,
)
# in its head only: below, whoever wrote a comment could say it
_OWN: Final = XPath(
    "/html/head/link[contains(concat(' ', translate(@rel, 'ACILNO', 'acilno'), ' '), ' canonical ')]/@href",
    smart_strings=False,
)


def links(markup: Markup, *, follow: bool = False) -> list[str]:
    """What its `<a>` and `<area>` lead to; with `follow` only what its author lets a crawler follow."""
    if follow and "nofollow" in _robots(markup):
        return []
    return _each_once(markup, (_FOLLOWED if follow else _LINKED)(markup.tree), MOST_LINKS)


def own_address(markup: Markup) -> str | None:
    """What it says its one address is (`rel=canonical`); None where it says nothing, or several things."""
    said = {markup.absolute(link) for link in _OWN(markup.tree)}
    return said.pop() if len(said) == 1 else None


def images(markup: Markup, within: html.HtmlElement | None = None) -> list[str]:
    """The images of a part of it, the one it is announced with first; what lies in the address itself is left out."""
    announced = markup.tree.xpath("//meta[@property='og:image' or @name='twitter:image']/@content")
    shown = (_source(image) for image in (markup.tree if within is None else within).iter("img"))
    return _each_once(markup, [*map(str, announced[:1]), *shown], MOST_IMAGES)


def _source(image: html.HtmlElement) -> str:
    """Of an image, which may be one that is loaded when it is scrolled to."""
    for name in ("src", "data-src", "data-original", "data-lazy-src"):
        said = str(image.get(name, ""))
        if said and not said.startswith("data:"):
            return said
    return str(image.get("srcset") or image.get("data-srcset") or "").split(",")[0].strip().partition(" ")[0]


def _robots(markup: Markup) -> set[str]:
    said = markup.tree.xpath("//meta[translate(@name, 'ROBTS', 'robts')='robots']/@content")
    return {word.strip() for words in said for word in str(words).lower().replace("none", "nofollow").split(",")}


def _each_once(markup: Markup, found: Iterable[str], most: int) -> list[str]:
    seen: dict[str, None] = {}
    for link in found:
        address = markup.absolute(link) if link and not link.lstrip().startswith("#") else None
        if address is not None:
            seen.setdefault(address)
        if len(seen) >= most:
            break
    return list(seen)
