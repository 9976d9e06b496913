"""What the routes of crawls answer, as structs, in the words that their requests were printed with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gateway.answers.batches import BATCHES
from gateway.answers.jobs import JOBS
from gateway.entrance.cursor import Cursor
from persistence.crawls import crawl
from persistence.crawls.crawl import CrawlState, Found

CRAWLS = "/api/v1/crawls"

State = Annotated[
    CrawlState,
    Meta(description="`COMPLETED`: nothing is pending, though some may have failed; `FAILED`: all have"),
]


class CrawlLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    results: str
    batch: Annotated[str, Meta(description="The crawl's jobs as a batch")]
    jobs: str


class CrawlReceipt(Struct, frozen=True):
    """A crawl that was taken."""

    job_id: Annotated[UUID, Meta(description="The crawl's id")]
    status: State
    total_articles: int
    new_articles: Annotated[int, Meta(description="Articles that a job will read")]
    cached_articles: Annotated[int, Meta(description="Articles that were read before, lately enough")]
    message: str
    links: CrawlLinks
    duplicate: Annotated[bool | UnsetType, Meta(description="true if this crawl had been made before")] = UNSET


class CrawlStatus(Struct, frozen=True):
    """How far a crawl is; the sum of `completed`, `failed` and `pending` is `total_articles`."""

    job_id: UUID
    status: State
    total_articles: int
    completed: Annotated[int, Meta(description="Articles that were read, now or before")]
    failed: int
    pending: Annotated[int, Meta(description="Articles that wait for their job or are being read")]
    cached_articles: int
    created_at: datetime
    updated_at: Annotated[datetime, Meta(description="When the last article was read for it")]
    completed_at: datetime | None
    links: CrawlLinks


class CrawledArticle(Struct, frozen=True):
    """An article that was read."""

    article_id: Annotated[UUID, Meta(description="Of the address; the same in every crawl")]
    job_id: Annotated[UUID | None, Meta(description="The job that read it, if one had to")]
    url: Annotated[str, Meta(description="As it was asked for")]
    source: str | None
    category: str | None
    title: str | None
    content: Annotated[str | None, Meta(description="Its main text")]
    author: str | None
    published_at: Annotated[str | None, Meta(description="ISO 8601, as far as the article says: a date, or an instant")]
    language: str | None
    word_count: int | None
    images: Annotated[Raw, Meta(description="Addresses")]
    links: Annotated[Raw, Meta(description="Addresses that it leads to")]
    quality: Annotated[Raw, Meta(description="What speaks for and against the text being an article")]
    scraped_at: Annotated[datetime | None, Meta(description="When it was found as it is here")]
    cached: Annotated[bool, Meta(description="Whether it had been read before, for somebody else")]


class FailedArticle(Struct, frozen=True):
    """An article that could not be read."""

    article_id: UUID
    job_id: UUID | None
    url: str
    source: str | None
    category: str | None
    error: str
    attempted_at: datetime | None


class CrawlResults(Struct, frozen=True):
    """A page of what has been read so far, in the order in which it was asked for."""

    job_id: UUID
    status: State
    total_articles: int
    articles: list[CrawledArticle]
    failed_articles: list[FailedArticle]
    next_cursor: Cursor


class CrawledLine(CrawledArticle, frozen=True, tag_field="status", tag="completed"):
    """An article as a line of NDJSON."""


class FailedLine(FailedArticle, frozen=True, tag_field="status", tag="failed"):
    """The same of one that could not be read."""


def receipt(found: crawl.Crawl, *, duplicate: bool = False) -> CrawlReceipt:
    new = found.articles - found.cached
    return CrawlReceipt(
        job_id=found.id,
        status=found.state,
        total_articles=found.articles,
        new_articles=new,
        cached_articles=found.cached,
        message=_message(new, found.cached),
        links=_links(found.id),
        duplicate=True if duplicate else UNSET,
    )


def status(found: crawl.Crawl) -> CrawlStatus:
    return CrawlStatus(
        job_id=found.id,
        status=found.state,
        total_articles=found.articles,
        completed=found.completed,
        failed=found.failed,
        pending=found.pending,
        cached_articles=found.cached,
        created_at=found.created_at,
        updated_at=max(found.updated_at, found.completed_at or found.updated_at),
        completed_at=found.completed_at,
        links=_links(found.id),
    )


def results(of: crawl.Crawl, page: list[Found], next_cursor: str | None) -> CrawlResults:
    return CrawlResults(
        job_id=of.id,
        status=of.state,
        total_articles=of.articles,
        articles=[CrawledArticle(**_read(one)) for one in page if one.error is None],
        failed_articles=[FailedArticle(**_failed(one)) for one in page if one.error is not None],
        next_cursor=next_cursor,
    )


def line(one: Found) -> CrawledLine | FailedLine:
    return CrawledLine(**_read(one)) if one.error is None else FailedLine(**_failed(one))


def _read(one: Found) -> dict[str, Any]:
    return {
        **_said(one),
        **{name: getattr(one, name) for name in ("title", "author", "published_at", "language", "word_count")},
        **{name: Raw(getattr(one, name).encode()) for name in ("images", "links", "quality")},
        "content": one.text,
        "scraped_at": one.at,
        "cached": one.cached,
    }


def _failed(one: Found) -> dict[str, Any]:
    return {**_said(one), "error": one.error, "attempted_at": one.at}


def _said(one: Found) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("article_id", "job_id", "url", "source", "category")}


def _message(new: int, cached: int) -> str:
    known = f"{cached} {'was' if cached == 1 else 'were'} read before"
    if not new:
        return f"all articles known: {known}" if cached > 1 else "the article is known: it was read before"
    what = f"{new} article{'' if new == 1 else 's'} to read"
    return f"{what}, {known}" if cached else what


def _links(crawl_id: UUID) -> CrawlLinks:
    one = f"{CRAWLS}/{crawl_id}"
    return CrawlLinks(f"{one}/status", f"{one}/results", f"{BATCHES}/{crawl_id}", f"{JOBS}?batch_id={crawl_id}")
