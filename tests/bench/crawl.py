"""How fast articles are read: `python -m tests.bench.crawl [--articles 2000] [--accepted 10000] [--processes 2]`.

A site of its own on loopback serves them under many hosts, and shares the machine with everything else; each is
fetched, extracted and stored.  Light ones have six kilobytes, heavy ones fifty, as in the world.  First a crawl of many
is only accepted, with no worker there, and called off.  What share of the workers' time is extraction is told by
extracting the same documents alone.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actors.trades.reading.reader import answered
from tests.bench.backlog import LOOK_SECONDS
from tests.bench.computed import computed, micros_a_job
from tests.bench.crawled import ask, forget, reading
from tests.bench.extraction import BASE, asked
from tests.bench.figure import Figure, tell
from tests.journey.api import sql
from tests.journey.stack import Stack
from tests.site.articles import Article, article
from tests.site.layouts import document, weighty
from tests.site.served import Site

PER_SECOND = 100
ACCEPTED_SECONDS = 2.0
HOSTS = 40
PATIENCE_SECONDS = 300.0
WARM_UP = 80
ALONE = 100  # documents that are extracted alone
DONE = """
SELECT count(*) FILTER (WHERE state = 'completed') AS done, count(*) FILTER (WHERE state = 'failed') AS failed,
       extract(epoch FROM max(finished_at) - min(started_at)) AS took
  FROM warren.jobs WHERE type = 'scrape_article' AND created_at >= $1
"""


def measure(articles: int = 2_000, accepted: int = 10_000, processes: int = 2) -> list[Figure]:
    """Accepted first, then read: light ones, and a third as many heavy ones."""
    with reading() as (stack, site):
        many = ask(stack, site.article_urls(accepted, HOSTS, first=100_000))
        forget(stack, many)
        stack.workers("actors", processes=processes)
        _crawled(stack, site, "articles", WARM_UP, first=200_000)  # what reads is loaded with the first of them
        light = _crawled(stack, site, "articles", articles)
        heavy = _crawled(stack, site, "stories", articles // 3)
        stack.stop("actors")
    return [
        Figure("light articles read", light.per_second, "/s", at_least=PER_SECOND, beside=light.told),
        Figure("light: of the workers' time, extraction", light.extraction(document) * 100, "%"),
        Figure("heavy articles read", heavy.per_second, "/s", beside=heavy.told),
        Figure("heavy: of the workers' time, extraction", heavy.extraction(weighty) * 100, "%"),
        Figure(f"a crawl of {accepted:,} accepted", many.seconds, "s", at_most=ACCEPTED_SECONDS),
    ]


@dataclass(frozen=True, slots=True)
class Crawled:
    """One crawl that has ended."""

    per_second: float
    micros: dict[str, float]  # an article, by role

    @property
    def told(self) -> str:
        return "ms an article: " + ", ".join(f"{role} {cost / 1000:.1f}" for role, cost in self.micros.items())

    def extraction(self, how: Callable[[Article, str], str]) -> float:
        """The share of it in what the workers have computed."""
        return _extraction_seconds(how) * 1e6 / self.micros["workers"]


def _crawled(stack: Stack, site: Site, kind: str, articles: int, first: int = 0) -> Crawled:
    begun, before = asyncio.run(_now(stack)), computed(stack)
    crawl = ask(stack, site.article_urls(articles, HOSTS, first, kind))
    assert (crawl.new, crawl.cached) == (articles, 0)
    took = asyncio.run(_until_read(stack, begun, articles))
    return Crawled(articles / took, micros_a_job(before, computed(stack), articles))


async def _now(stack: Stack) -> datetime:
    now: datetime = (await sql(stack.database_url, "SELECT clock_timestamp()"))[0][0]
    return now


async def _until_read(stack: Stack, begun: datetime, articles: int) -> float:
    """The seconds from the first start to the last outcome."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            row: Any = (await sql(stack.database_url, DONE, begun))[0]
            if row["done"] + row["failed"] >= articles:
                assert not row["failed"], f"{row['failed']} articles could not be read"
                return float(row["took"])
            await asyncio.sleep(LOOK_SECONDS)


def _extraction_seconds(how: Callable[[Article, str], str]) -> float:
    """The processor's seconds for one document, from bytes to what is stored; the first ones load what is needed."""
    questions = [asked(number, how(article(number), BASE).encode()) for number in range(2 * ALONE)]
    for question in questions[:ALONE]:
        answered(question)
    began = time.process_time()
    for question in questions[ALONE:]:
        answered(question)
    return (time.process_time() - began) / ALONE


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crawl", description=__doc__)
    parser.add_argument("--articles", type=int, default=2_000)
    parser.add_argument("--accepted", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    tell(measure(given.articles, given.accepted, given.processes))


if __name__ == "__main__":
    main()
