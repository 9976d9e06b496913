"""How fast a crawl is answered from what was read before: `python -m tests.bench.cached [--articles 10000]`.

The articles stand in Postgres, as the workers leave them; nobody works.  A request names them all, and no job may come
of it.
"""

from __future__ import annotations

import argparse
import asyncio
from uuid import uuid4

from persistence.articles.article import Content
from persistence.articles.keep import keep
from persistence.store.database import Database
from tests.bench.crawled import ask, reading
from tests.bench.figure import Figure, tell
from tests.site.articles import article
from wire.web_address import canonical

PER_SECOND = 1_500
ROUNDS = 3
AT_ONCE = 8


def measure(articles: int = 10_000, rounds: int = ROUNDS) -> list[Figure]:
    """The median of some rounds."""
    with reading() as (stack, site):
        urls = site.article_urls(articles, hosts=40)
        asyncio.run(_store(stack.database_url, urls))
        answers = [ask(stack, urls) for _ in range(rounds)]
    assert {(articles, 0)} == {(each.cached, each.new) for each in answers}, answers
    seconds = sorted(each.seconds for each in answers)[rounds // 2]
    beside = f"{articles:,} in one request, {seconds:.2f} s"
    return [Figure("articles answered from the cache", articles / seconds, "/s", at_least=PER_SECOND, beside=beside)]


async def _store(database_url: str, urls: list[str]) -> None:
    """As if a crawl had read them."""
    database = Database(database_url, "bench", connections=AT_ONCE, timeout_seconds=60)
    try:
        for first in range(0, len(urls), AT_ONCE):
            some = enumerate(urls[first : first + AT_ONCE], first)
            await asyncio.gather(*(_keep(database, number, url) for number, url in some))
    finally:
        await database.stop()


async def _keep(database: Database, number: int, url: str) -> None:
    one = article(number)
    said = Content(
        title=one.title, author=one.author, published_at=one.published and f"{one.published}",
        language=one.language.code, text=one.text, images=one.images, links=one.links,
        word_count=len(one.text.split()), quality={},
    )  # fmt: skip
    await keep(database, canonical(url), uuid4(), said, body_hash=number.to_bytes(16), etag=f'"{number}"')


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cached", description=__doc__)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    tell(measure(given.articles, given.rounds))


if __name__ == "__main__":
    main()
