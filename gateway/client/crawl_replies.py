"""What the gateway answers about crawls, as a program reads it; see replies.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct


class _OfACrawl(Struct, frozen=True, kw_only=True):
    id: UUID = msgspec.field(name="job_id")
    state: Literal["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"] = msgspec.field(name="status")
    total_articles: int

    @property
    def finished(self) -> bool:
        """Whether no article is pending any more."""
        return self.state in ("COMPLETED", "FAILED")


class Crawl(_OfACrawl, frozen=True, kw_only=True):
    """A crawl that was taken."""

    new_articles: int = 0  # that a job will read
    cached_articles: int = 0  # that were read before, lately enough
    message: str = ""
    duplicate: bool = False  # it had been made before


class CrawlStatus(_OfACrawl, frozen=True, kw_only=True):
    """How far a crawl is; `FAILED` only if all its articles have."""

    completed: int = 0
    failed: int = 0
    pending: int = 0
    cached_articles: int = 0
    created_at: datetime
    updated_at: datetime | None = None
    completed_at: datetime | None = None


class CrawledArticle(Struct, frozen=True, kw_only=True):
    """An article that was read."""

    article_id: UUID
    job_id: UUID | None = None
    url: str
    source: str | None = None
    category: str | None = None
    title: str | None = None
    content: str | None = None
    author: str | None = None
    published_at: str | None = None
    language: str | None = None
    word_count: int | None = None
    images: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    quality: dict[str, Any] = msgspec.field(default_factory=dict)
    scraped_at: datetime | None = None
    cached: bool = False


class FailedArticle(Struct, frozen=True, kw_only=True):
    """An article that could not be read."""

    article_id: UUID
    job_id: UUID | None = None
    url: str
    source: str | None = None
    category: str | None = None
    error: str = ""
    attempted_at: datetime | None = None


class CrawlPage(_OfACrawl, frozen=True, kw_only=True):
    """Some of what has been read, in the order in which it was asked for; `next_cursor` asks for the next ones."""

    articles: tuple[CrawledArticle, ...] = ()
    failed_articles: tuple[FailedArticle, ...] = ()
    next_cursor: str | None = None
