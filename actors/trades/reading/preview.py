"""The title of a document and a few words of it: what a list of search results shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from actors.trades.reading.markup import Markup

PREVIEW_CHARACTERS: Final = 280
MOST_TITLE: Final = 500
_HEADS: Final = "//meta[@property='og:title']/@content", "//title", "//h1", "//meta[@name='twitter:title']/@content"
_ABSTRACTS: Final = (
    "//meta[@name='description']/@content",
    "//meta[@property='og:description']/@content",
    "//meta[@name='twitter:description']/@content",
)
_SPOKEN: Final = "//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript or ancestor::template"
_TEXT: Final = f"{_SPOKEN} or ancestor::nav or ancestor::header or ancestor::footer)]"


@dataclass(frozen=True, slots=True)
class Preview:
    title: str | None
    preview: str


def preview(markup: Markup, characters: int = PREVIEW_CHARACTERS) -> Preview:
    """What its author says of it, else its title element and the first words of its body."""
    title = first(markup, _HEADS)
    said = first(markup, _ABSTRACTS) or _opening(markup, characters * 2)
    return Preview(shortened(title, MOST_TITLE) if title else None, shortened(said, characters))


def first(markup: Markup, paths: tuple[str, ...]) -> str | None:
    """The first of these places that says anything."""
    for path in paths:
        for found in markup.tree.xpath(path):
            words = " ".join((found if isinstance(found, str) else found.text_content()).split())
            if words:
                return words
    return None


def shortened(text: str, most: int) -> str:
    """Cut behind a word, with an ellipsis."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    return (kept.rpartition(" ")[0] if " " in kept[most // 2 :] else kept).rstrip(" ,;:–-") + "…"


def _opening(markup: Markup, characters: int) -> str:
    words, size = [], 0
    for text in markup.tree.xpath(_TEXT):
        if piece := " ".join(text.split()):
            words.append(piece)
            size += len(piece) + 1
        if size > characters:
            break
    return " ".join(words)
