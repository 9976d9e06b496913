"""`crawl_url`: the document at an address, and those that it links to, as deep as is asked for.

One job is one crawl: it sleeps between two documents, and what it has found and seen is kept with it, so that neither
a retry nor the death of its worker loses or repeats a document.
"""

from __future__ import annotations

from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field

from actors.context import context
from actors.ends import PermanentError
from actors.job import job, missing
from actors.trades.crawling.scope import Scope
from actors.trades.crawling.step import CUSTOMARY
from actors.trades.crawling.walk import Walk
from actors.trades.reading.addresses import Address
from persistence.frontiers.frontier import Found, Frontier, Seen


class Start(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://boats.example.org/", "depth": 2, "pages": 100}]},
    )

    url: Address
    depth: int = Field(0, ge=0, le=20, description="How many links away from there; 0: this document alone")
    pages: int = Field(100, ge=1, le=5_000, description="Most documents")
    same_host: bool = Field(True, description="Follow only links to the same scheme, name and port")
    path: str = Field("/", max_length=1_000, pattern="^/", description="Follow only paths that begin like this")
    sitemap: bool = Field(
        False,
        description="Begin with what the site's sitemaps list, too: those that its robots.txt names, else /sitemap.xml",
    )
    archive: bool = Field(True, description="Keep each raw document as an artifact of the job")


class CrawledPage(BaseModel):
    url: str = Field(description="Where it is")
    depth: int = Field(description="How many links away from the first")
    status: int = Field(description="Of the answer")
    content_type: str | None = Field(description="As its server says")
    bytes: int = Field(description="Its size")
    final_url: str | None = Field(None, exclude_if=missing, description="Where it was after redirects, if elsewhere")
    canonical_url: str | None = Field(
        None, exclude_if=missing, description="What it says its one address is, if elsewhere"
    )
    title: str | None = Field(None, exclude_if=missing, description="Of a page in HTML")
    preview: str | None = Field(None, exclude_if=missing, description="A few of its words, of a page in HTML")
    artifact: str | None = Field(None, exclude_if=missing, description="The name of the raw document")


class MissedPage(BaseModel):
    url: str = Field(description="Where it should have been")
    depth: int = Field(description="How many links away from the first")
    error: str | None = Field(description="Why it could not be had")


class Crawled(BaseModel):
    url: str = Field(description="Where it began")
    title: str | None = Field(description="Of the first document")
    preview: str | None = Field(description="A few words of the first document")
    read: int = Field(description="How many documents were read")
    failed: list[MissedPage] = Field(description="Those that could not be had")
    capped: bool = Field(description="There were more than `pages` documents")
    pages: list[CrawledPage] = Field(description="Those that were read, in the order in which they were found")


@job("crawl_url", timeout=600)
async def crawl_url(payload: Start) -> Crawled:
    """Visit a document and what it links to: titles, previews, and the raw documents as artifacts."""
    here = context()
    frontier = Frontier(here.inner_door.database, here.job_id, here.lease)
    scope = Scope(payload.url, payload.depth, payload.same_host, payload.path)
    walk = Walk(here, frontier, scope, most=payload.pages, archive=payload.archive)
    await walk.begin(_seeds(payload))
    await walk.on()
    seen, size = await frontier.all(), await frontier.size()
    if not any(one.state == "read" and one.kind == "document" for one in seen):
        await frontier.close()  # whoever tries the job again means the site, not what is known of it
        raise PermanentError(next((str(one.told["error"]) for one in seen if "error" in one.told), "nothing was found"))
    return _result(payload, seen, capped=size.capped)


def _seeds(payload: Start) -> list[Found]:
    first = Found(payload.url, 0)
    return [first, Found(urljoin(payload.url, CUSTOMARY), 0, "sitemap")] if payload.sitemap else [first]


def _result(payload: Start, seen: list[Seen], *, capped: bool) -> Crawled:
    documents = [one for one in seen if one.kind == "document"]
    pages = [CrawledPage(url=one.url, depth=one.depth, **one.told) for one in documents if one.state == "read"]
    failed = [
        MissedPage(url=one.url, depth=one.depth, error=one.told.get("error")) for one in seen if one.state == "failed"
    ]
    return Crawled(
        url=payload.url,
        title=pages[0].title,
        preview=pages[0].preview,
        read=len(pages),
        failed=failed,
        capped=capped,
        pages=pages,
    )
