"""Begin with an address: it is known, it is yours to fetch, or somebody is fetching it.

One row holds both what is known and the right to fetch, so of two that ask at once one fetches and the other waits for
what it finds.  The right is a lease: who dies with it loses it by time, and the same job may begin again at once.  Who
sleeps before it fetches, because its host's turn comes later, keeps it for as long; a job that has ended holds nothing.

Fresh enough is judged as of when the job was born, by the database's clock: a job that waited for another's fetch takes
what that found, even if it will have nothing older than a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from persistence.articles.article import DEFAULT_MAX_AGE, Article, article_id, article_of
from persistence.store.database import Database
from wire.states import FINAL

LEASE_SECONDS: Final = 150.0  # longer than the attempt of a job that reads an article may take
TRIES: Final = 5  # between two looks a lease may end


@dataclass(frozen=True, slots=True)
class Known:
    """It was read lately enough."""

    article: Article


@dataclass(frozen=True, slots=True)
class Fetch:
    """It is yours to fetch: end with keep, unchanged or let_go.  What is known may save the way, or most of it."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody fetches it, and holds the right to at the longest until then; once begun it usually takes a second."""

    until: datetime
    wait: timedelta
    sleeps: timedelta  # so long, or less, it has not even begun to


_FRESH: Final = """
a.content_hash IS NOT NULL
AND a.fetched_at >= coalesce((SELECT created_at FROM jobs WHERE id = $3), clock_timestamp()) - $4::interval
"""

_HAS_TEXT: Final = "EXISTS (SELECT FROM article_texts t WHERE t.content_hash = a.content_hash)"

_ENDED: Final = ", ".join(f"'{state.value}'" for state in sorted(FINAL))
_HOLDER_ENDED: Final = f"EXISTS (SELECT FROM jobs j WHERE j.id = a.fetching_job AND j.state IN ({_ENDED}))"

# With its text gone an address is unknown: "not modified" would be an answer that nobody can use
_BEGIN = f"""
INSERT INTO articles AS a (id, url, fetching_job, fetching_until)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $5))
    ON CONFLICT (id) DO UPDATE SET fetching_job = excluded.fetching_job, fetching_until = excluded.fetching_until
 WHERE (a.fetching_job = excluded.fetching_job OR a.fetching_until IS NULL OR a.fetching_until <= clock_timestamp()
        OR {_HOLDER_ENDED})
   AND NOT ({_FRESH} AND {_HAS_TEXT})
RETURNING CASE WHEN {_HAS_TEXT} THEN etag END AS etag, CASE WHEN {_HAS_TEXT} THEN last_modified END AS last_modified,
          CASE WHEN {_HAS_TEXT} THEN body_hash END AS body_hash
"""  # noqa: S608 - made of constants

_KNOWN = f"""
WITH known AS (
  SELECT a.id, a.url, a.fetched_at, t.* FROM articles a JOIN article_texts t USING (content_hash)
   WHERE a.id = $1 AND a.url = $2 AND {_FRESH}
), told AS (
  UPDATE crawl_articles c SET content_hash = known.content_hash, read_at = known.fetched_at, cached = true
    FROM known WHERE c.job_id = $3
)
SELECT * FROM known
"""  # noqa: S608 - made of constants

_BUSY = """
SELECT fetching_until AS until, fetching_until - clock_timestamp() AS wait FROM articles
 WHERE id = $1 AND fetching_until > clock_timestamp()
"""

_HOLD = """
UPDATE articles SET fetching_until = greatest(fetching_until, clock_timestamp() + make_interval(secs => $3))
 WHERE id = $1 AND fetching_job = $2
"""


async def begin(
    database: Database,
    url: str,
    job_id: UUID,
    *,
    max_age: timedelta | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> Known | Fetch | Busy:
    """What this job is to do about this address; the crawls that wait for the job are told what is known."""
    age = DEFAULT_MAX_AGE if max_age is None else max_age
    this = (article_id(url), url, job_id, age)
    for _ in range(TRIES):
        row = await database.fetch_one(_BEGIN, *this, lease_seconds)
        if row is not None:
            return Fetch(row["etag"], row["last_modified"], row["body_hash"])
        row = await database.fetch_one(_KNOWN, *this)
        if row is not None:
            return Known(article_of(row))
        row = await database.fetch_one(_BUSY, this[0])
        if row is not None:
            asleep = row["wait"] - timedelta(seconds=lease_seconds)
            return Busy(row["until"], row["wait"], max(asleep, timedelta(0)))
    raise AssertionError(f"{url} is neither known nor busy nor free")


async def hold(
    database: Database, url: str, job_id: UUID, asleep: timedelta, *, lease_seconds: float = LEASE_SECONDS
) -> None:
    """This job sleeps for so long before it fetches: its right to is kept until then, and a lease beyond."""
    seconds = asleep.total_seconds() + lease_seconds
    await database.fetch(_HOLD, article_id(url), job_id, seconds)
