"""Read a crawl: how it stands, and what has been read for it so far.

It stands as its batch does, whose counters are exact in every snapshot; added are the articles that needed no job and
those that were asked for twice and share one.  A job says whether its article has ended; of one whose job retention has
taken, the list itself does.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from persistence.batches.batches import FOLDED, UNFOLDED
from persistence.crawls.crawl import Crawl, Found
from persistence.store.database import Database, Row
from wire.states import FINAL, State

MOST_BYTES: Final = 8 * 1024 * 1024  # of text on a page; one article is always on it

_FINAL: Final = ", ".join(f"'{state.value}'" for state in sorted(FINAL))

_ONE = f"""
SELECT c.id, c.articles, c.cached, c.created_at, b.request_hash, f.completed, f.failed,
       CASE WHEN f.completed + f.failed + b.running > 0 THEN true
            ELSE EXISTS (SELECT FROM jobs j WHERE j.batch_id = c.id AND j.lease > 0) END AS begun,
       greatest(c.created_at, (SELECT max(read_at) FROM crawl_articles a WHERE a.crawl_id = c.id)) AS updated_at,
       CASE WHEN f.completed + f.failed < c.articles THEN NULL
            WHEN b.total = 0 THEN c.created_at
            ELSE coalesce(b.finished_at, (SELECT max(finished_at) FROM jobs j WHERE j.batch_id = c.id), c.created_at)
       END AS completed_at
  FROM crawls c
 CROSS JOIN LATERAL (
       SELECT {FOLDED}, b.request_hash, b.finished_at FROM batches b
        CROSS JOIN LATERAL (SELECT {UNFOLDED} FROM batch_deltas WHERE batch_id = b.id) d
        WHERE b.id = c.id AND b.delete_requested_at IS NULL) b
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE j.state = 'completed' OR j.id IS NULL AND a.content_hash IS NOT NULL) AS completed,
              count(*) FILTER (WHERE j.state IN ('failed', 'cancelled', 'expired')
                                  OR j.id IS NULL AND a.content_hash IS NULL) AS failed
         FROM crawl_articles a LEFT JOIN jobs j ON j.id = a.job_id WHERE a.crawl_id = c.id AND a.repeated) r
 CROSS JOIN LATERAL (
       SELECT c.cached + b.completed + r.completed AS completed,
              b.failed + b.cancelled + b.expired + r.failed AS failed) f
 WHERE c.id = $1
"""  # noqa: S608 - made of constants

_RESULTS = f"""
SELECT * FROM (
  SELECT page.*, t.title, t.author, t.published_at, t.language, t.text, t.word_count, t.images, t.links, t.quality,
         sum(octet_length(t.text)) OVER (ORDER BY page.ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
           AS bytes_before
    FROM (
      SELECT c.ordinal, c.url, c.source, c.category, c.article_id, c.job_id, c.cached, c.read_at, c.content_hash,
             j.state, j.error_message, j.finished_at
        FROM crawl_articles c LEFT JOIN jobs j ON j.id = c.job_id
       WHERE c.crawl_id = $1 AND c.ordinal > $2 AND (j.id IS NULL OR j.state IN ({_FINAL}))
       ORDER BY c.ordinal LIMIT $3) page
    LEFT JOIN article_texts t USING (content_hash)) found
 WHERE coalesce(bytes_before, 0) < $4
 ORDER BY ordinal
"""  # noqa: S608 - made of constants


async def one_crawl(database: Database, crawl_id: UUID) -> Crawl | None:
    rows = await database.read(_ONE, crawl_id)
    return Crawl(**rows[0]) if rows else None


async def results(
    database: Database, crawl_id: UUID, limit: int, after: int = 0, most_bytes: int = MOST_BYTES
) -> list[Found]:
    """At most so many of its articles that have ended, from behind this place in the order they were asked for."""
    return [_found(row) for row in await database.read(_RESULTS, crawl_id, after, limit, most_bytes)]


def _found(row: Row) -> Found:
    said = {name: row[name] for name in ("ordinal", "url", "source", "category", "article_id", "job_id", "cached")}
    error = _error(row)
    if error is not None:
        return Found(**said, at=row["finished_at"], error=error)
    read = {name: row[name] for name in ("title", "author", "published_at", "language", "text", "word_count")}
    lists = {name: row[name] for name in ("images", "links", "quality") if row[name] is not None}
    return Found(**said, **read, **lists, at=row["read_at"] or row["finished_at"], error=None)


def _error(row: Row) -> str | None:
    """Why it was not read, or None."""
    state = row["state"]
    if state is None:  # it never needed a job, or retention has taken that
        return None if row["content_hash"] is not None else "its job was deleted before it was read"
    if state == State.COMPLETED:
        return None
    if state == State.FAILED:
        return row["error_message"] or "it failed without a word"
    return "it was cancelled" if state == State.CANCELLED else "it expired before it was read"
