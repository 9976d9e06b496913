"""Which of many addresses have been read lately enough: no job needs to read them again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from persistence.articles.article import article_id
from persistence.store.database import Database

AT_ONCE: Final = 2_000

_FRESH = """
SELECT id, url, content_hash, fetched_at FROM articles
 WHERE id = ANY($1) AND content_hash IS NOT NULL AND fetched_at >= clock_timestamp() - $2::interval
"""


class Fresh(NamedTuple):
    """What is known of an address, and since when."""

    id: UUID
    content_hash: bytes
    fetched_at: datetime


async def fresh(database: Database, urls: Sequence[str], max_age: timedelta) -> dict[str, Fresh]:
    """Those of them that are, by their one spelling."""
    found: dict[str, Fresh] = {}
    for first in range(0, len(urls) if max_age else 0, AT_ONCE):
        ids = [article_id(url) for url in urls[first : first + AT_ONCE]]
        for row in await database.read(_FRESH, ids, max_age):
            found[row["url"]] = Fresh(row["id"], row["content_hash"], row["fetched_at"])
    return found
