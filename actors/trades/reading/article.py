"""The article in a document: its main text by trafilatura, and what is said about it.

A date with its time, the language and the author stand in a document's head more often than in its text, so these are
asked (`heading.py`, `dates.py`), and trafilatura for nothing but the text: a date or a name that is guessed from a
whole page is a teaser's as often as the article's.  `quality` tells a user which results to look at again: a list of
links that was taken for an article, a text that is a tenth of what the page shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import html
from trafilatura import bare_extraction
from trafilatura.settings import Document as Extracted

from actors.trades.reading import heading
from actors.trades.reading.extractors import Overrides
from actors.trades.reading.language import language
from actors.trades.reading.links import images, links
from actors.trades.reading.markup import Markup
from actors.trades.reading.preview import preview
from actors.trades.reading.quality import LARGE, count_words, quality, shown
from actors.trades.reading.unreadable import Unreadable

MOST_TEXT: Final = 500_000  # characters; a novel
# Of more characters than this share of what the page shows, or than much, it is believed that they are the text
ENOUGH: Final = 500
ENOUGH_SHARE: Final = 0.3
MUCH: Final = 2_000
SHORT_LINE: Final = 60
_TEASER: Final = " or ".join(
    f"contains(@class, '{word}')" for word in ("teaser", "related", "recommend", "promo", "read-next", "more-stor")
)
TEASERS: Final = f"//body//*[({_TEASER}) and .//a and string-length(normalize-space(.)) < 400]"
NOT_AN_ARTICLE: Final = "the document has no text to read: nothing in it but links, pictures or scripts"


@dataclass(frozen=True, slots=True)
class Article:
    """What a document says, for somebody who reads and for somebody who counts."""

    title: str | None
    author: str | None
    published_at: str | None  # ISO 8601; a date where there is no time
    language: str | None  # ISO 639-1
    text: str  # paragraphs, a line each
    description: str | None
    site_name: str | None
    canonical_url: str | None  # as it names itself
    images: tuple[str, ...]
    links: tuple[str, ...]
    word_count: int
    quality: Mapping[str, Any]


def read_article(markup: Markup, overrides: Overrides | None = None) -> Article:
    """The article; Unreadable if there is no text at all."""
    said = overrides(markup) if overrides else {}
    head = heading.read(markup)
    page = shown(markup)
    title = said.get("title") or head.title or preview(markup).title
    text = said["text"].strip() if "text" in said else _body(_extract(markup, page), title)
    if not text:
        raise Unreadable(NOT_AN_ARTICLE)
    return Article(
        title=title,
        author=said.get("author") or head.author,
        published_at=said.get("published_at") or head.published_at,
        language=said.get("language") or language(head.language, text),
        text=text[:MOST_TEXT],
        description=head.description,
        site_name=head.site_name,
        canonical_url=head.canonical_url,
        images=tuple(said.get("images") or images(markup, _part(markup))),
        links=tuple(said.get("links") or links(markup)),
        word_count=count_words(text),
        quality=quality(markup, text, page, by="extractor" if "text" in said else "trafilatura"),
    )


def _extract(markup: Markup, page: int) -> str:
    """By trafilatura's own rules, and where these seem to fail by those of others as well, at twice the time."""
    if markup.elements > LARGE:
        return _paragraphs(_part(markup))
    text = _trafilatura(markup, fast=True)
    if len(text) > max(ENOUGH, min(MUCH, ENOUGH_SHARE * page)) and not _is_a_list(text):
        return text
    return _trafilatura(markup, fast=False) or text


def _trafilatura(markup: Markup, *, fast: bool) -> str:
    try:
        found = bare_extraction(
            markup.tree,  # it works on a copy
            url=markup.url,
            fast=fast,
            include_comments=False,
            include_tables=True,
            prune_xpath=TEASERS,
        )
    except RecursionError:  # two thousand levels of elements
        return ""
    return (found.text or "").strip() if isinstance(found, Extracted) else ""


def _paragraphs(part: html.HtmlElement) -> str:
    """A book on one page: all that it says, without weighing what belongs to it, which would take minutes."""
    found = (" ".join(block.text_content().split()) for block in part.iter("p", "pre", "li", "h2", "h3"))
    return "\n".join(line for line in found if line) or " ".join(part.text_content().split())


def _is_a_list(text: str) -> bool:
    """Whether most of its lines are no sentences: the teasers below an article were taken for a part of it."""
    lines = text.splitlines()
    return sum(len(line) < SHORT_LINE for line in lines) > max(10, len(lines) * 0.4)


def _body(text: str, title: str | None) -> str:
    """The text without the title above it, which is told by itself."""
    opening, _, rest = text.partition("\n")
    return rest.strip() if rest and opening.strip(" #") == title else text


def _part(markup: Markup) -> html.HtmlElement:
    """Where the article stands, as far as its author says."""
    for element in ("article", "main"):
        if (found := markup.tree.find(f".//{element}")) is not None:
            return found
    said = markup.tree.xpath("//*[@itemprop='articleBody' or @role='main']")
    return said[0] if said else markup.tree
