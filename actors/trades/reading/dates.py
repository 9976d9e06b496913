"""When an article was published, as far as its document says: in its head, at its byline, in its address.

Never guessed from the text of the whole page: the first date that stands there is a teaser's, or today's.
"""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import datetime
from typing import Any, Final

from htmldate import find_date
from lxml import html

from actors.trades.reading.markup import Markup

_SAID: Final = (
    "//meta[@property='article:published_time' or @property='og:article:published_time']/@content",
    "//meta[@itemprop='datePublished']/@content",
    "//*[@itemprop='datePublished']/@datetime",
    "//meta[@name='date' or @name='pubdate' or @name='dc.date' or @name='DC.date.issued' or @name='dcterms.created']"
    "/@content",
    "//article//time[@pubdate]/@datetime",
    "//article//time/@datetime",
    "//time[@pubdate]/@datetime",
)
_BYLINES: Final = " or ".join(
    f"contains(@class, '{word}') or contains(@id, '{word}')"
    for word in (
        "byline",
        "dateline",
        "publish",
        "posted",
        "pubdate",
        "entry-date",
        "post-date",
        "article-date",
        "date",
    )
)
_BYLINE: Final = (
    f"//body//*[({_BYLINES}) and not(ancestor-or-self::aside or ancestor::footer) and string-length() < 200]"
)
_FRAGMENT: Final = "<html><body><p></p></body></html>"
_IN_ADDRESS: Final = re.compile(r"/((?:19|20)\d\d)[/-](0[1-9]|1[0-2])[/-](0[1-9]|[12]\d|3[01])(?=[/_.-])").search


def published(markup: Markup, said: Any) -> str | None:
    """ISO 8601, with the time where there is one; `said` is what its JSON-LD says."""
    return moment(said) or _said(markup) or _at_byline(markup) or _in_address(markup)


def moment(said: Any) -> str | None:
    """A date or a time as ISO 8601 writes it."""
    if not isinstance(said, str) or not 8 <= len(said.strip()) <= 40:
        return None
    text = said.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1900 <= found.year <= 2200:
        return None
    return found.date().isoformat() if len(text) <= 10 else found.isoformat()


def _said(markup: Markup) -> str | None:
    return next(filter(None, (moment(str(said)) for path in _SAID for said in markup.tree.xpath(path)[:5])), None)


def _at_byline(markup: Markup) -> str | None:
    """In whatever way it is written there."""
    fragment = html.document_fromstring(_FRAGMENT)
    for element in markup.tree.xpath(_BYLINE)[:3]:
        fragment.body.append(deepcopy(element))
    if not any(map(str.isdigit, fragment.text_content())):
        return None
    found = find_date(fragment, extensive_search=True, original_date=True, outputformat="%Y-%m-%d")
    return str(found) if found else None


def _in_address(markup: Markup) -> str | None:
    match = _IN_ADDRESS(markup.url)
    return moment("-".join(match.groups())) if match else None
