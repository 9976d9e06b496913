"""Make a crawl of what a client sent: all of it is taken, or nothing.

What is known and young enough needs no job.  Each other address has one, however often it was asked for, and the jobs
are put into an order in which hosts take turns: ten thousand pages of one site in front would keep the workers at that
one site's pace, while the hundred pages of another wait behind them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final
from uuid import UUID

import msgspec

from gateway.crawls.request import Asked, AskedArticle, articles_of
from gateway.entrance.turn import Turn
from gateway.submitting.again import id_of, the_same
from gateway.submitting.batches import MOST_JOBS
from gateway.submitting.passing_on import PassingOn
from gateway.submitting.submit import Submitter
from persistence.accepting.submission import Submission
from persistence.articles.article import DEFAULT_MAX_AGE, article_id
from persistence.articles.fresh import Fresh, fresh
from persistence.batches.batches import NewBatch
from persistence.crawls import make, read
from persistence.crawls.crawl import Crawl, NewCrawl, Wanted
from persistence.store.database import Database
from wire.envelope import Envelope
from wire.errors import Refused
from wire.identity import body_hash, fresh_id
from wire.tracing import Trace

ARTICLE: Final = "scrape_article"  # the job type that reads one
NAME: Final = "crawl"  # of its batch


class Crawls:
    """Makes crawls."""

    def __init__(self, submitter: Submitter, database: Database, passing_on: PassingOn, most: int) -> None:
        self._submitter, self._database, self._passing_on = submitter, database, passing_on
        self._most = min(most, MOST_JOBS)

    async def make(
        self, asked: Asked, body: bytes, *, scope: str, key: str | None, trace: Trace, traces: Callable[[], Trace]
    ) -> tuple[Crawl, bool]:
        """The crawl, and whether it was there already; Refused or Refusal."""
        crawl_id = id_of("crawl", asked.id, scope, key)
        request_hash = await asyncio.to_thread(body_hash, body)  # of megabytes: others need the loop
        known = await read.one_crawl(self._database, crawl_id)
        if known is not None:
            return the_same("crawl", known, request_hash), True
        articles = await articles_of(asked.articles, self._most)
        age = DEFAULT_MAX_AGE if asked.max_age is None else asked.max_age
        found = await fresh(self._database, [one.address for one in articles], age)
        children = await self._children(articles, found, age.total_seconds(), crawl_id, traces)
        new = NewCrawl(crawl_id, _wanted(articles, found, children), age)
        batch = NewBatch(crawl_id, request_hash, NAME, (), None, None, open=False, trace=trace)
        posts = await make.create(self._database, batch, list(children.values()), new)
        self._passing_on.give(posts or ())
        made = await read.one_crawl(self._database, crawl_id)
        if made is None:
            problem = f"{crawl_id} is a batch, or a crawl that was just deleted"
            raise Refused("id", problem, "use a fresh id", code="id_reused")
        return the_same("crawl", made, request_hash), posts is None

    async def _children(
        self,
        articles: Sequence[AskedArticle],
        found: dict[str, Fresh],
        max_age: float,
        crawl_id: UUID,
        traces: Callable[[], Trace],
    ) -> dict[str, Submission]:
        """A job for each address of which too little is known."""
        said = _said_of([one for one in articles if one.address not in found])
        turn, made = Turn(), dict[str, Submission]()
        ids = iter(sorted(fresh_id() for _ in said))  # rows and messages go by them, so they are given out in turns
        for article in _in_turns(said.values()):
            await turn.pass_on()
            payload: dict[str, object] = {
                "url": article.address, "source": article.source, "category": article.category, "max_age": max_age,
                "content": False,  # it is kept with the address, and told by the crawl
            }  # fmt: skip
            made[article.address] = await self._submitter.of_ours(
                _envelope(payload, article.priority, crawl_id, next(ids)), traces()
            )
        return made


def _said_of(articles: Sequence[AskedArticle]) -> dict[str, AskedArticle]:
    """Each address once, in the words of its first time; where it was asked for most urgently, that counts."""
    said: dict[str, AskedArticle] = {}
    for one in articles:
        before = said.setdefault(one.address, one)
        if (one.priority or 0) > (before.priority or 0):
            said[one.address] = AskedArticle(before.url, one.address, before.source, before.category, one.priority)
    return said


def _in_turns(articles: Collection[AskedArticle]) -> list[AskedArticle]:
    """The first of each host, then the second of each, and so on."""
    before: Counter[str] = Counter()
    place: dict[str, int] = {}
    for one in articles:
        host = one.address[: one.address.index("/", 8)]
        place[one.address] = before[host]
        before[host] += 1
    return sorted(articles, key=lambda one: place[one.address])


def _wanted(articles: Sequence[AskedArticle], found: dict[str, Fresh], children: dict[str, Submission]) -> list[Wanted]:
    wanted, seen = list[Wanted](), set[str]()
    for one in articles:
        known, child = found.get(one.address), children.get(one.address)
        wanted.append(
            Wanted(
                url=one.url,
                source=one.source,
                category=one.category,
                article_id=known.id if known else article_id(one.address),
                job_id=child.id if child else None,
                repeated=child is not None and one.address in seen,
                fresh=known,
            )
        )
        seen.add(one.address)
    return wanted


def _envelope(payload: dict[str, object], priority: int | None, crawl_id: UUID, job_id: UUID) -> Envelope:
    said = {name: value for name, value in payload.items() if value is not None}
    return Envelope(ARTICLE, said, msgspec.json.encode(said), id=job_id, priority=priority, batch_id=crawl_id)
