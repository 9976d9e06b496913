"""All that is asked about articles and crawls, once; see everything.py."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from persistence.articles.article import Content
from persistence.articles.begin import begin, hold
from persistence.articles.forget import forget_articles, forget_texts
from persistence.articles.fresh import Fresh, fresh
from persistence.articles.keep import keep, let_go, unchanged
from persistence.crawls import forget, make, read
from persistence.crawls.crawl import NewCrawl, Wanted
from persistence.store.database import Database
from tests.room.persistence.batch_rows import new
from tests.room.persistence.rows import submission

AT_ONCE, DAY = timedelta(0), timedelta(days=1)


async def articles_are_asked_about(database: Database) -> None:
    url, job, other = f"https://news.example/{uuid4()}", uuid4(), uuid4()
    await begin(database, url, job)
    await hold(database, url, job, DAY)
    await begin(database, url, other)
    await keep(database, url, job, Content(title="Rain"), body_hash=b"body")
    await begin(database, url, other)
    await begin(database, url, other, max_age=AT_ONCE)
    await unchanged(database, url, other)
    await let_go(database, url, other)
    found = await fresh(database, [url], DAY)
    await _crawls_are_asked_about(database, url, found[url])
    await forget_articles(database, DAY, 10)
    await forget_texts(database, 10)


async def _crawls_are_asked_about(database: Database, url: str, known: Fresh) -> None:
    batch = new()
    jobs = [submission(batch_id=batch.id) for _ in range(100)]
    wanted = [Wanted(url, None, None, known.id, job_id=job.id) for job in jobs]
    crawl = NewCrawl(batch.id, [Wanted(url, None, None, known.id, fresh=known), *wanted], DAY)
    await make.create(database, batch, jobs, crawl)
    await read.one_crawl(database, batch.id)
    await read.results(database, batch.id, 20)
    await forget.delete(database, batch.id)
    await forget.forget(database)
