"""A crawl's list, and what retention takes of it: nothing that anybody may still ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from persistence.articles.article import Content, article_id
from persistence.articles.begin import Fetch, Known, begin
from persistence.articles.forget import forget_articles, forget_texts
from persistence.articles.fresh import fresh
from persistence.articles.keep import keep, unchanged
from persistence.crawls import forget, make, read
from persistence.crawls.crawl import NewCrawl, Wanted
from persistence.store.database import Database
from tests.conftest import Places
from tests.room.persistence.batch_rows import new
from tests.room.persistence.rows import submission

DAY, ALWAYS = timedelta(days=1), timedelta(0)
URL = "https://news.example/a"
AGED = "UPDATE {} SET created_at = created_at - interval '15 days'"


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    """One for the file, empty of articles and crawls."""
    pool = Database(places.database_url, "test", connections=4, timeout_seconds=10)
    for table in ("article_texts", "articles", "crawl_articles", "crawls", "jobs"):
        await pool.fetch(f"DELETE FROM {table}")
    yield pool
    await pool.stop()


async def _crawl(database: Database, *urls: str, known: bool = False) -> tuple[UUID, list[UUID]]:
    """Its id and those of its jobs."""
    batch = new()
    jobs = [] if known else [submission(batch_id=batch.id) for _ in urls]
    found = await fresh(database, urls, DAY) if known else {}
    wanted = [
        Wanted(url, None, None, article_id(url), job_id=None if known else jobs[n].id, fresh=found.get(url))
        for n, url in enumerate(urls)
    ]
    await make.create(database, batch, jobs, NewCrawl(batch.id, wanted, DAY))
    return batch.id, [job.id for job in jobs]


async def _read(database: Database, title: str, url: str = URL) -> None:
    job = uuid4()
    assert isinstance(await begin(database, url, job, max_age=ALWAYS), Fetch)
    await keep(database, url, job, Content(title), body_hash=b"body")


async def _texts(database: Database) -> list[str]:
    return [row["title"] for row in await database.fetch("SELECT title FROM article_texts ORDER BY title")]


async def test_an_article_that_another_job_has_read_meanwhile_is_told_as_cached(database: Database) -> None:
    crawl, (job,) = await _crawl(database, URL)
    await _read(database, "Rain")
    known = await begin(database, URL, job, max_age=DAY)
    await database.fetch("UPDATE jobs SET state = 'completed' WHERE id = $1", job)
    (found,) = await read.results(database, crawl, 10)

    assert isinstance(known, Known)
    assert ("Rain", True, known.article.fetched_at) == (found.title, found.cached, found.at)


async def test_an_article_that_has_not_changed_is_told_as_read_now(database: Database) -> None:
    await _read(database, "Rain")
    await database.fetch("UPDATE articles SET fetched_at = fetched_at - interval '2 days'")
    crawl, (job,) = await _crawl(database, URL)
    await begin(database, URL, job, max_age=DAY)
    before = await database.now()
    await unchanged(database, URL, job)
    await database.fetch("UPDATE jobs SET state = 'completed' WHERE id = $1", job)
    (found,) = await read.results(database, crawl, 10)

    assert ("Rain", False) == (found.title, found.cached)
    assert found.at
    assert before <= found.at


async def test_a_page_ends_where_it_has_enough_text(database: Database) -> None:
    urls = [f"https://news.example/{n}" for n in range(4)]
    crawl, jobs = await _crawl(database, *urls)
    for url, job in zip(urls, jobs, strict=True):
        await keep(database, url, job, Content(text=url[-1] * 100), body_hash=b"body")
    await database.fetch("UPDATE jobs SET state = 'completed'")
    page = await read.results(database, crawl, 10, 0, most_bytes=150)
    rest = await read.results(database, crawl, 10, page[-1].ordinal, most_bytes=1)

    assert ([1, 2], [3]) == ([one.ordinal for one in page], [one.ordinal for one in rest])


async def test_a_crawl_goes_with_its_batch_and_never_before(database: Database) -> None:
    crawl, _ = await _crawl(database, URL, URL)
    await database.fetch(AGED.format("crawls"))
    kept = await forget.forget(database)
    await database.fetch("DELETE FROM batches")
    gone = await forget.forget(database)

    assert (0, 1, None) == (kept, gone, await read.one_crawl(database, crawl))
    assert [] == await database.fetch("SELECT FROM crawl_articles")


async def test_long_crawls_go_a_few_at_a_time(database: Database) -> None:
    for _ in range(3):
        await _crawl(database, URL, URL)
    await database.fetch(AGED.format("crawls"))
    await database.fetch("DELETE FROM batches")

    assert [2, 1, 0] == [await forget.forget(database, most_articles=3) for _ in range(3)]


async def test_an_article_is_forgotten_when_its_time_has_come_and_a_text_when_nobody_refers_to_it(
    database: Database,
) -> None:
    """
    A text is looked at twice, so that a crawl which is just being made never loses what it has found.
    """
    await _read(database, "Rain")
    await _read(database, "Sun", "https://news.example/b")
    await _crawl(database, "https://news.example/b", known=True)
    await database.fetch("UPDATE articles SET fetched_at = fetched_at - interval '2 days'")
    young = await forget_articles(database, timedelta(days=3), 10)
    old = await forget_articles(database, DAY, 10)
    looks = [await forget_texts(database, 10, ALWAYS) for _ in range(3)]

    assert (0, 2, [0, 1, 0]) == (young, old, looks)
    assert ["Sun"] == await _texts(database)


async def test_a_text_that_is_read_again_begins_from_the_start(database: Database) -> None:
    await _read(database, "Rain")
    await database.fetch("DELETE FROM articles")
    await forget_texts(database, 10, ALWAYS)
    await _read(database, "Rain")
    await database.fetch("DELETE FROM articles")
    looks = [await forget_texts(database, 10, ALWAYS) for _ in range(2)]

    assert [0, 1] == looks


async def test_a_text_is_looked_at_once_a_day(database: Database) -> None:
    await _read(database, "Rain")
    await database.fetch("DELETE FROM articles")

    assert [0, 0, 0] == [await forget_texts(database, 10) for _ in range(3)]
