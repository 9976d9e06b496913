"""A crawl in words: what the rest of this package takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from persistence.articles.fresh import Fresh

CrawlState = Literal["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One article as it was asked for, and who answers for it."""

    url: str
    source: str | None
    category: str | None
    article_id: UUID
    job_id: UUID | None = None
    repeated: bool = False  # one before it has the same job
    fresh: Fresh | None = None  # what is known of it already; then it has no job


@dataclass(frozen=True, slots=True)
class NewCrawl:
    """A crawl to be made, under the id of its batch."""

    id: UUID
    articles: list[Wanted]
    max_age: timedelta

    @property
    def cached(self) -> int:
        return sum(one.fresh is not None for one in self.articles)


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl as it stands; what is neither completed nor failed is pending, whether it waits or runs."""

    id: UUID
    articles: int
    cached: int  # answered when it was made
    completed: int
    failed: int
    begun: bool
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    request_hash: bytes

    @property
    def pending(self) -> int:
        return max(0, self.articles - self.completed - self.failed)  # a stranger's job may name this batch

    @property
    def state(self) -> CrawlState:
        if not self.pending:
            return "FAILED" if self.failed == self.articles else "COMPLETED"
        return "IN_PROGRESS" if self.begun else "PENDING"


@dataclass(frozen=True, slots=True)
class Found:
    """An article of a crawl that has ended: it was read, or `error` says why not."""

    ordinal: int
    url: str
    source: str | None
    category: str | None
    article_id: UUID
    job_id: UUID | None
    cached: bool
    at: datetime | None  # when it was read there, or last tried
    error: str | None
    title: str | None = None
    author: str | None = None
    published_at: str | None = None
    language: str | None = None
    text: str | None = None
    word_count: int | None = None
    images: str = "[]"  # this and the next two as JSON
    links: str = "[]"
    quality: str = "{}"
