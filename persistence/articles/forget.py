"""Forget articles that nobody has asked for in a long time, and texts that nobody refers to.

Each text is looked at once a day, and goes when nobody referred to it on two of these days: between the looks a crawl
may be on its way that has read of it and is not committed yet.  A text that is read anew begins from the start.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from persistence.store.database import Database

EVERY: Final = timedelta(days=1)

_ARTICLES = """
DELETE FROM articles
 WHERE id IN (SELECT id FROM articles
               WHERE coalesce(fetched_at, created_at) < (SELECT clock_timestamp() - $1::interval)
                 AND (fetching_until IS NULL OR fetching_until < clock_timestamp())
               ORDER BY coalesce(fetched_at, created_at) LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id
"""

_TEXTS = """
WITH looked AS MATERIALIZED (
  SELECT t.content_hash,
         EXISTS (SELECT FROM articles a WHERE a.content_hash = t.content_hash)
           OR EXISTS (SELECT FROM crawl_articles c WHERE c.content_hash = t.content_hash) AS wanted
    FROM article_texts t WHERE t.looked_at < (SELECT clock_timestamp() - $1::interval)
   ORDER BY t.looked_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM article_texts t USING looked
   WHERE t.content_hash = looked.content_hash AND NOT looked.wanted AND t.idle_since IS NOT NULL
  RETURNING t.content_hash
), noted AS (
  UPDATE article_texts t
     SET looked_at = clock_timestamp(), idle_since = CASE WHEN NOT looked.wanted THEN clock_timestamp() END
    FROM looked
   WHERE t.content_hash = looked.content_hash AND (looked.wanted OR t.idle_since IS NULL)
)
SELECT content_hash FROM gone
"""


async def forget_articles(database: Database, ttl: timedelta, limit: int) -> int:
    """Some that were last read so long ago; how many."""
    return len(await database.fetch(_ARTICLES, ttl, limit))


async def forget_texts(database: Database, limit: int, every: timedelta = EVERY) -> int:
    """Some that nobody refers to; how many."""
    return len(await database.fetch(_TEXTS, every, limit))
