"""How good an extraction seems: figures that a user can sort by, and one word about each doubt."""

from __future__ import annotations

import re
from typing import Any, Final

from lxml.etree import XPath

from actors.trades.reading.markup import Markup

SHORT_WORDS: Final = 50
FEW_OF_THE_PAGE: Final = 0.1
MANY_LINKS: Final = 0.5
LARGE: Final = 15_000  # elements; the rules that weigh them take three seconds for so many, and for more a minute
MUCH_REPLACED: Final = 0.001
_WORD: Final = re.compile(r"\w+(?:['’.-]\w+)*")
_IDEOGRAPHS: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f]")  # written without spaces between words
_SHOWN: Final = XPath(
    "//body//*[not(self::script or self::style or self::noscript or self::template)]/text()",
    smart_strings=False,
)
_LINKED: Final = XPath("//body//a//text()", smart_strings=False)


def count_words(text: str) -> int:
    """Words; where none are set apart, two signs count as one."""
    signs = len(_IDEOGRAPHS.findall(text))
    return len(_WORD.findall(_IDEOGRAPHS.sub(" ", text))) + (signs + 1) // 2


def quality(markup: Markup, text: str, page: int, *, by: str) -> dict[str, Any]:
    """`doubts` is empty for an extraction that seems sound; `page` is what the page shows."""
    linked = sum(len(words.strip()) for words in _LINKED(markup.tree))
    share = round(min(1.0, len(text) / page), 3) if page else 0.0
    density = round(min(1.0, linked / page), 3) if page else 0.0
    decoded = markup.decoded
    doubts = {
        "short": count_words(text) < SHORT_WORDS,
        "little_of_the_page": share < FEW_OF_THE_PAGE,
        "mostly_links": density > MANY_LINKS,
        "wrong_encoding": decoded.replaced > MUCH_REPLACED * len(decoded.text),
        "cut": markup.cut,
        "large": markup.elements > LARGE,
    }
    return {
        "by": by,
        "paragraphs": sum(1 for line in text.splitlines() if line.strip()),
        "share_of_page": share,
        "link_density": density,
        "encoding": decoded.encoding,
        "encoding_known_by": decoded.known_by,
        "doubts": [doubt for doubt, there in doubts.items() if there],
    }


def shown(markup: Markup) -> int:
    """How many characters a reader of the page sees."""
    return sum(len(words.strip()) for words in _SHOWN(markup.tree))
