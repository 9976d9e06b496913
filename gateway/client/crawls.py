"""What a client does with crawls: ask for articles, wait until all have been read, look at them, delete.

A crawl gets its id here, before the first try, and is sent again byte for byte: an answer that was lost never makes a
second crawl.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.client.batches import LONGER, LONGEST_LOOK_SECONDS, SHORTEST_LOOK_SECONDS
from gateway.client.crawl_replies import Crawl, CrawlPage, CrawlStatus
from gateway.client.failures import CrawlFailed, CrawlStillOpen, NotConfirmed
from gateway.client.link import Link, PerhapsGone, path_of
from wire.errors import Unavailable
from wire.identity import fresh_id

CRAWLS: Final = "/api/v1/crawls"


class CrawlCalls:
    """The calls of a client that are about crawls."""

    _link: Link

    async def crawl(
        self,
        articles: Iterable[str | Mapping[str, Any]],
        *,
        max_age: float | timedelta | None = None,
        id: UUID | str | None = None,
    ) -> Crawl:
        """Read these articles: addresses, or dicts with `url`, `source`, `category` and `priority`; all or none.

        What was read at most `max_age` seconds ago (a day, unless it is said) is not read again.
        """
        crawl_id = fresh_id() if id is None else UUID(str(id))
        age = max_age.total_seconds() if isinstance(max_age, timedelta) else max_age
        said: dict[str, object] = {"id": crawl_id, "articles": [_article(one) for one in articles]}
        body = msgspec.json.encode(said if age is None else {**said, "max_age": age})
        try:
            return msgspec.json.decode((await self._link.ask("POST", CRAWLS, body))[0], type=Crawl)
        except Unavailable as e:
            raise NotConfirmed(crawl_id, None, str(e), what="crawl") from e

    async def crawl_status(self, crawl_id: UUID | str) -> CrawlStatus:
        """How far it is, or NotFound."""
        return await self._status(crawl_id)

    async def crawl_results(
        self, crawl_id: UUID | str, *, limit: int | None = None, cursor: str | None = None
    ) -> CrawlPage:
        """A page of what has been read so far."""
        path = f"{path_of(CRAWLS, crawl_id)}/results"
        body, _ = await self._link.ask("GET", path, None, {"limit": limit, "cursor": cursor})
        return msgspec.json.decode(body, type=CrawlPage)

    async def wait_for_crawl(self, crawl_id: UUID | str, *, within: float = 60.0) -> CrawlStatus:
        """How it stands once no article is pending; CrawlFailed if all have failed, else CrawlStillOpen."""
        deadline, pause = time.monotonic() + within, SHORTEST_LOOK_SECONDS
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            status = await self._status(crawl_id, patience_seconds=max(left, 1.0))
            if status.state == "FAILED":
                raise CrawlFailed(status)
            if status.finished:
                return status
            if not left:
                raise CrawlStillOpen(status, within)
            await asyncio.sleep(min(pause, left))
            pause = min(pause * LONGER, LONGEST_LOOK_SECONDS)

    async def delete_crawl(self, crawl_id: UUID | str) -> None:
        """Delete it: what waits is cancelled, what runs is asked to end.  What was read stays known."""
        try:
            await self._link.ask("DELETE", path_of(CRAWLS, crawl_id))
        except PerhapsGone:
            return

    async def _status(self, crawl_id: UUID | str, patience_seconds: float | None = None) -> CrawlStatus:
        path = f"{path_of(CRAWLS, crawl_id)}/status"
        body, _ = await self._link.ask("GET", path, patience_seconds=patience_seconds)
        return msgspec.json.decode(body, type=CrawlStatus)


def _article(said: str | Mapping[str, Any]) -> Mapping[str, Any]:
    return {"url": said} if isinstance(said, str) else said
