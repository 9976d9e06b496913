"""Text → tree, within bounds; one parse that everything else asks.

Refuses a document with more elements than a person could have written: two megabytes of `<b>` are half a gigabyte of
tree.  Deep ones are cut: the parser stops at two thousand levels, and what stood before the cut is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from lxml import html
from lxml.etree import LxmlError, XPath
from parsel import Selector

from actors.trades.reading.encodings import Decoded
from actors.trades.reading.unreadable import Unreadable
from wire.errors import Refused
from wire.web_address import canonical

MOST_ELEMENTS: Final = 300_000
_COUNT: Final = XPath("count(//*)")
HTML: Final = ("text/html", "application/xhtml+xml")
_TAG: Final = re.compile(r"<[a-zA-Z!?/]")
_NUL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")  # no tree can hold them


@dataclass(frozen=True, slots=True)
class Markup:
    """A document's tree and what it came from."""

    url: str
    decoded: Decoded
    tree: html.HtmlElement
    address: str  # that relative links are relative to
    cut: bool  # too deep: the rest is missing
    elements: int
    _absolute: dict[str, str | None] = field(default_factory=dict)

    @property
    def selector(self) -> Selector:
        return Selector(root=self.tree, type="html")

    def absolute(self, link: str) -> str | None:
        """A link in its one spelling; None for one that leads to no document."""
        if link not in self._absolute:  # menus are there twice
            self._absolute[link] = self._spelled(link.strip())
        return self._absolute[link]

    def _spelled(self, link: str) -> str | None:
        try:
            if link.startswith("/") and link[1:2] not in ("/", "\\"):  # most are like that, and joining takes its time
                return canonical(self.address[: self.address.index("/", 8)] + link)
            return canonical(urljoin(self.address, link))
        except (Refused, ValueError):
            return None


def parse(decoded: Decoded, url: str) -> Markup:
    """The tree of a text; Unreadable if there is none."""
    text = _NUL.sub("\ufffd", decoded.text)
    elements = len(_TAG.findall(text))
    if elements > MOST_ELEMENTS:
        raise Unreadable(f"the document has {elements} tags; at most {MOST_ELEMENTS} are read")
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        tree = html.document_fromstring(text.encode(), parser=parser, ensure_head_body=True)
    except (LxmlError, ValueError, AssertionError) as e:  # nothing in it that is an element
        raise Unreadable("the document is empty: there is nothing to read") from e
    cut = any("depth" in entry.message for entry in parser.error_log)
    return Markup(url, decoded, tree, _address(tree, url), cut, int(_COUNT(tree)))


def is_html(content_type: str | None, body: bytes) -> bool:
    """Whether a document is one of HTML: as its header says, or without one as it looks."""
    said = (content_type or "").partition(";")[0].strip().lower()
    return said in HTML if said else body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _address(tree: html.HtmlElement, url: str) -> str:
    """In its one spelling; a base that is no address is as good as none."""
    said = next(iter(tree.xpath("//base/@href")), None)
    try:
        return canonical(urljoin(url, str(said).strip()) if said else url)
    except (Refused, ValueError):
        return url
