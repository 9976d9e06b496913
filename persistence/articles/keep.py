"""End what begin.py began: new content, the same as before, or nothing.

Each is one statement, and says so to the crawls that wait for the job in the same commit: a crawl shows what was read
for it, however the address changes afterwards.  Whoever has lost the right to fetch (it took longer than its lease) may
still tell the crawls what it read, which is true, but writes over nobody's newer content.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from persistence.articles.article import Article, Content, article_id, article_of, content_hash, storable
from persistence.store.database import Database

MOST_VALIDATOR: Final = 1_000  # characters of an ETag or a date; a longer one is not worth sending back

# Whoever finds that somebody else fetches by now leaves the row alone
_OURS: Final = "(a.fetching_job = $3 OR a.fetching_job IS NULL)"
_TELL: Final = """
  UPDATE crawl_articles c SET content_hash = $4, read_at = clock_timestamp(), cached = false WHERE c.job_id = $3
"""

_KEEP = f"""
WITH kept AS (
  INSERT INTO article_texts AS t (content_hash, title, author, published_at, language, text, images, links, word_count,
                                  quality)
  VALUES ($4, $8, $9, $10, $11, $12, $13::json, $14::json, $15, $16::json)
      ON CONFLICT (content_hash) DO UPDATE SET idle_since = NULL WHERE t.idle_since IS NOT NULL
), told AS ({_TELL}), written AS (
  INSERT INTO articles AS a (id, url, etag, last_modified, body_hash, content_hash, fetched_at)
  VALUES ($1, $2, $5, $6, $7, $4, clock_timestamp())
      ON CONFLICT (id) DO UPDATE
     SET etag = $5, last_modified = $6, body_hash = $7, content_hash = $4, fetched_at = clock_timestamp(),
         fetching_job = NULL, fetching_until = NULL
   WHERE {_OURS}
)
SELECT clock_timestamp() AS fetched_at
"""  # noqa: S608 - made of constants

_KNOWN = """
SELECT a.id, a.url, a.fetched_at, t.* FROM articles a JOIN article_texts t USING (content_hash)
 WHERE a.id = $1 AND a.url = $2
"""

_UNCHANGED = f"""
WITH told AS ({_TELL})
UPDATE articles a
   SET fetched_at = clock_timestamp(), fetching_job = NULL, fetching_until = NULL,
       etag = coalesce($5, a.etag), last_modified = coalesce($6, a.last_modified)
 WHERE a.id = $1 AND a.url = $2 AND a.content_hash = $4 AND {_OURS}
"""  # noqa: S608 - made of constants

_LET_GO = "UPDATE articles SET fetching_job = NULL, fetching_until = NULL WHERE id = $1 AND fetching_job = $2"


async def keep(
    database: Database,
    url: str,
    job_id: UUID,
    content: Content,
    *,
    body_hash: bytes,
    etag: str | None = None,
    last_modified: str | None = None,
) -> Article:
    """What stands there now."""
    said = storable(content)
    hashed = content_hash(url, said)
    row = await database.fetch_one(
        _KEEP, article_id(url), url, job_id, hashed, _validator(etag), _validator(last_modified), body_hash,
        said.title, said.author, said.published_at, said.language, said.text, _json(said.images), _json(said.links),
        said.word_count, _json(said.quality),
    )  # fmt: skip
    assert row is not None
    return Article(article_id(url), url, hashed, row["fetched_at"], said)


async def unchanged(
    database: Database, url: str, job_id: UUID, *, etag: str | None = None, last_modified: str | None = None
) -> Article | None:
    """It is as before ("not modified", or the same body); None if what it was is gone: fetch it without conditions."""
    row = await database.fetch_one(_KNOWN, article_id(url), url)
    if row is None:
        return None
    known = article_of(row)
    await database.fetch(
        _UNCHANGED, known.id, url, job_id, known.content_hash, _validator(etag), _validator(last_modified)
    )
    return known


async def let_go(database: Database, url: str, job_id: UUID) -> None:
    """It could not be read: somebody else may try at once, and what was known stays known, as old as it is."""
    await database.fetch(_LET_GO, article_id(url), job_id)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _validator(said: str | None) -> str | None:
    return said if said and len(said) <= MOST_VALIDATOR and said.isprintable() else None
