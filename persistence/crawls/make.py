"""Make a crawl: its batch, its jobs and its list in one transaction, so that there is all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.batches.batches import NewBatch, create_in
from persistence.crawls.crawl import NewCrawl, Wanted
from persistence.store.database import Database

AT_ONCE: Final = 1_000  # rows a statement: ten thousand at once would hold the loop

_CRAWL = "INSERT INTO crawls (id, articles, cached, max_age_seconds) VALUES ($1, $2, $3, $4)"

_ARTICLES = """
INSERT INTO crawl_articles (crawl_id, ordinal, url, source, category, article_id, job_id, repeated, cached,
                            content_hash, read_at)
SELECT $1, g.ordinal, g.url, g.source, g.category, g.article_id, g.job_id, g.repeated, g.content_hash IS NOT NULL,
       g.content_hash, g.read_at
  FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::bool[], $9::bytea[],
              $10::timestamptz[])
    AS g(ordinal, url, source, category, article_id, job_id, repeated, content_hash, read_at)
"""


async def create(
    database: Database, batch: NewBatch, children: Sequence[Submission], crawl: NewCrawl
) -> list[Post] | None:
    """The messages of its jobs, to publish; None if its id is taken."""
    async with database.transaction() as transaction:
        posts = await create_in(transaction, batch, children)
        if posts is None:
            return None
        await transaction.execute(_CRAWL, crawl.id, len(crawl.articles), crawl.cached, crawl.max_age.total_seconds())
        for first in range(0, len(crawl.articles), AT_ONCE):
            await _list(transaction, crawl, first, crawl.articles[first : first + AT_ONCE])
    return posts


async def _list(transaction: asyncpg.Connection, crawl: NewCrawl, first: int, some: Sequence[Wanted]) -> None:
    await transaction.execute(
        _ARTICLES,
        crawl.id,
        list(range(first + 1, first + 1 + len(some))),
        [one.url for one in some],
        [one.source for one in some],
        [one.category for one in some],
        [one.article_id for one in some],
        [one.job_id for one in some],
        [one.repeated for one in some],
        [one.fresh.content_hash if one.fresh else None for one in some],
        [one.fresh.fetched_at if one.fresh else None for one in some],
    )
