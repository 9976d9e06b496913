"""What a document says about itself in its head: JSON-LD first, then Open Graph, then plain `<meta>`.

Refuses nothing: half of all JSON-LD is broken somewhere, and what cannot be read was not said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from actors.trades.reading import dates
from actors.trades.reading.markup import Markup
from actors.trades.reading.preview import MOST_TITLE, first, shortened

MOST_JSON: Final = 512 * 1024
MOST_THINGS: Final = 500  # looked at in one document's JSON-LD
ARTICLES: Final = ("article", "blogposting", "report", "review", "story", "socialmediaposting", "page")
_TITLES: Final = "//meta[@property='og:title']/@content", "//h1", "//title", "//meta[@name='twitter:title']/@content"
_AUTHORS: Final = (
    "//meta[@name='author' or @name='dc.creator' or @name='DC.creator' or @name='parsely-author']/@content",
    "//meta[@property='article:author' and not(starts-with(@content, 'http'))]/@content",
    "//*[@itemprop='author']//*[@itemprop='name']",
    "//*[@itemprop='author'][not(self::meta)]",
    "//a[@rel='author']",
    "//*[contains(concat(' ', @class, ' '), ' byline ') or contains(concat(' ', @class, ' '), ' author ')]",
)
_BY: Final = ("by ", "von ", "par ", "por ", "di ", "door ", "av ")

_TRAILING: Final = re.compile(r"[^\d|·•]*").match  # a name ends where a number or a sign begins


@dataclass(frozen=True, slots=True)
class Heading:
    title: str | None
    author: str | None
    published_at: str | None
    language: str | None
    description: str | None
    site_name: str | None
    canonical_url: str | None


def read(markup: Markup) -> Heading:
    """All of it."""
    thing = _article_of(markup)
    title = _text(thing.get("headline")) or first(markup, _TITLES)
    return Heading(
        title=shortened(title, MOST_TITLE) if title else None,
        author=_names(thing.get("author")) or _without_by(first(markup, _AUTHORS)),
        published_at=dates.published(markup, thing.get("datePublished")),
        language=first(markup, ("/html/@lang", "/html/@*[local-name()='lang']", *_LANGUAGES)),
        description=first(markup, ("//meta[@name='description' or @property='og:description']/@content",)),
        site_name=first(markup, ("//meta[@property='og:site_name']/@content",)) or _names(thing.get("publisher")),
        canonical_url=_canonical(markup),
    )


_LANGUAGES: Final = (
    "//meta[@http-equiv='content-language' or @http-equiv='Content-Language']/@content",
    "//meta[@property='og:locale']/@content",
    "//article/@lang",
)


def _canonical(markup: Markup) -> str | None:
    said = first(markup, ("//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content"))
    return markup.absolute(said) if said else None


def _article_of(markup: Markup) -> dict[str, Any]:
    """The first thing in its JSON-LD that is an article."""
    for text in markup.tree.xpath("//script[contains(@type, 'ld+json')]/text()")[:20]:
        for number, thing in enumerate(_things(_parsed(str(text)))):
            kinds = thing.get("@type")
            named = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and kind.lower().endswith(ARTICLES[:-1]) for kind in named):
                return thing
            if number > MOST_THINGS:
                break
    return {}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, strict=False) if len(text) <= MOST_JSON else None
    except (ValueError, RecursionError):
        return None


def _things(found: Any) -> Iterator[dict[str, Any]]:
    """The objects in it, outermost first, without recursion: it may be nested as deep as its author likes."""
    waiting = [found]
    while waiting:
        thing = waiting.pop(0)
        if isinstance(thing, list):
            waiting.extend(thing[:MOST_THINGS])
        elif isinstance(thing, dict):
            yield thing
            waiting.extend(thing[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in thing)


def _names(said: Any) -> str | None:
    """Of a person, of an organisation, or of several."""
    several = said if isinstance(said, list) else [said]
    names = [_text(one.get("name") if isinstance(one, dict) else one) for one in several[:20]]
    return ", ".join(dict.fromkeys(name for name in names if name and not name.startswith("http"))) or None


def _text(said: Any) -> str | None:
    return " ".join(said.split()) or None if isinstance(said, str) else None


def _without_by(author: str | None) -> str | None:
    """A byline's name; the date behind it is told elsewhere."""
    if author is None or len(author) > 200:
        return None
    name = next((author[len(by) :] for by in _BY if author.lower().startswith(by)), author)
    return _name(name).strip(" ,;|·•–—-") or None


def _name(words: str) -> str:
    match = _TRAILING(words)
    return match[0] if match else ""
