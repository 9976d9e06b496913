"""One address of a crawl: visit it, read it, say what it told.

What cannot be had is a value here: a crawl goes on.  Only what is about the job as a whole is raised (it sleeps until
its host's turn, it is cancelled, Postgres is away).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from actors.ends import PermanentError, RetryAfter
from actors.trades.crawling.scope import same_document
from actors.trades.outbound.failures import TooSlow, Unreachable
from actors.trades.politeness.visit import sitemaps_of, visit
from actors.trades.reading import readers
from actors.trades.reading.answers import BadAnswer, readable
from actors.trades.reading.archive import archive as keep
from actors.trades.reading.asking import Question
from actors.trades.reading.markup import is_html
from actors.trades.reading.readers import ReaderDied
from persistence.frontiers.frontier import Next
from wire.web_address import canonical

LATER: Final = (Unreachable, TooSlow, BadAnswer, ReaderDied)
CUSTOMARY: Final = "/sitemap.xml"
MOST_SITEMAP_BYTES: Final = 50 * 1024 * 1024  # the protocol's own limit


@dataclass(frozen=True, slots=True)
class Read:
    """A document, as it is told in the crawl's result."""

    told: dict[str, Any]
    led_to: str  # its one address: after redirects, and as it says itself
    links: tuple[str, ...]
    sitemaps: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # other addresses of it


@dataclass(frozen=True, slots=True)
class Missed:
    """None, and why; `again` says after how many seconds it may be there."""

    error: str
    again: float | None = None


async def step(address: Next, *, archive: bool) -> Read | Missed:
    """What this address tells."""
    try:
        return await (_sitemap(address) if address.kind == "sitemap" else _document(address, archive=archive))
    except PermanentError as e:
        return Missed(str(e))
    except RetryAfter as e:
        return Missed(str(e), e.after.total_seconds())
    except LATER as e:
        return Missed(str(e), 0.0)


async def _document(address: Next, *, archive: bool) -> Read:
    document = readable(await visit(address.url))
    kind = document.headers.get("content-type")
    told: dict[str, Any] = {"status": document.status, "content_type": kind, "bytes": len(document.body)}
    saving = (
        keep(document, f"{address.ordinal:05d}") if archive else None
    )  # it is on its way while the document is read
    led_to, links, also = canonical(document.final_url), tuple[str, ...](), tuple[str, ...]()
    if led_to != address.url:
        told["final_url"] = led_to
    if is_html(kind, document.body):
        found = await readers.read(Question("survey", document.final_url, kind, document.body))
        told |= {"title": found["title"], "preview": found["preview"]}
        links = tuple(found["links"])
        if same_document(found["own_address"], led_to):
            told["canonical_url"], also, led_to = found["own_address"], (led_to,), found["own_address"]
    if saving is not None:
        told["artifact"] = (await saving).name
    return Read(told, led_to, links, also=also)


async def _sitemap(address: Next) -> Read:
    """What it lists; of the place where a site's sitemap lies by custom also what the site's robots.txt names.

    Where that names others nobody is asked for the customary one.  What it says is known by now: the crawl's first
    document has been visited.
    """
    named = await sitemaps_of(address.url) if urlsplit(address.url).path == CUSTOMARY else ()
    if named and address.url not in named:
        return Read({}, address.url, (), named)
    document = readable(await visit(address.url, most_bytes=MOST_SITEMAP_BYTES))
    found = await readers.read(Question("sitemap", document.final_url, None, document.body))
    return Read({}, canonical(document.final_url), tuple(found["documents"]), (*named, *found["sitemaps"]))
