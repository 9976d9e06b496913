"""Forget crawls: one that somebody deletes, and those whose batch has had its day.

The articles themselves stay: the next crawl may ask for them.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from persistence.store.database import Database

# Deleted the list, nobody can ask for it; the batch is ended by whoever deletes
_DELETE = """
WITH listed AS (DELETE FROM crawl_articles WHERE crawl_id = $1) DELETE FROM crawls WHERE id = $1 RETURNING id
"""

# As many crawls as have so many articles together; the first however long it is
_FORGET = """
WITH old AS MATERIALIZED (
  SELECT id, articles, sum(articles) OVER (ORDER BY created_at, id) AS articles_so_far FROM (
    SELECT c.id, c.articles, c.created_at FROM crawls c
     WHERE c.created_at < (SELECT clock_timestamp() - interval '14 days')
       AND NOT EXISTS (SELECT FROM batches b WHERE b.id = c.id)
     ORDER BY c.created_at, c.id LIMIT $1) oldest
), gone AS (
  DELETE FROM crawls c USING old WHERE c.id = old.id AND old.articles_so_far - old.articles < $1 RETURNING c.id
), listed AS (
  DELETE FROM crawl_articles WHERE crawl_id IN (SELECT id FROM gone)
)
SELECT id FROM gone
"""

MOST_ARTICLES: Final = 20_000  # a statement, well within the deadline of a database call


async def delete(database: Database, crawl_id: UUID) -> bool:
    """Delete its list; False if there was none."""
    return await database.fetch_one(_DELETE, crawl_id) is not None


async def forget(database: Database, most_articles: int = MOST_ARTICLES) -> int:
    """Some of those whose batch is gone; how many."""
    return len(await database.fetch(_FORGET, most_articles))
