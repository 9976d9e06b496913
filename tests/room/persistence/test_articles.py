"""Articles: each address is fetched once, whoever asks; and what was read is kept once, whoever says it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from persistence.articles.article import LEAST_WORDS, Content
from persistence.articles.begin import Busy, Fetch, Known, begin
from persistence.articles.fresh import fresh
from persistence.articles.keep import keep, let_go, unchanged
from persistence.store.database import Database
from tests.conftest import Places
from tests.room.persistence.rows import accepted, submission

URL = "https://news.example/a"
LONG = Content(title="Rain", text="rain " * LEAST_WORDS, word_count=LEAST_WORDS, links=("https://news.example/b",))
DAY = timedelta(days=1)


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    """One for the file, empty of articles: a copy for each test would take longer than they do."""
    pool = Database(places.database_url, "test", connections=4, timeout_seconds=10)
    await pool.fetch("WITH texts AS (DELETE FROM article_texts) DELETE FROM articles")
    yield pool
    await pool.stop()


async def _read(database: Database, url: str, content: Content = LONG, **said: Any) -> UUID:
    job = uuid4()
    assert isinstance(await begin(database, url, job, max_age=timedelta(0)), Fetch)
    await keep(database, url, job, content, body_hash=b"body", **said)
    return job


async def _texts(database: Database) -> int:
    (row,) = await database.fetch("SELECT count(*) AS n FROM article_texts")
    return int(row["n"])


async def test_of_many_that_ask_for_an_address_one_fetches_and_all_get_what_it_found(database: Database) -> None:
    jobs = [submission() for _ in range(8)]
    await accepted(database, *jobs)

    async def ask() -> dict[UUID, Known | Fetch | Busy]:
        words = await asyncio.gather(*(begin(database, URL, job.id, max_age=timedelta(0)) for job in jobs))
        return dict(zip((job.id for job in jobs), words, strict=True))

    first = await ask()
    (fetcher,) = [job for job, word in first.items() if isinstance(word, Fetch)]
    await keep(database, URL, fetcher, LONG, body_hash=b"body")
    second = await ask()

    assert 7 == sum(isinstance(word, Busy) and word.wait > timedelta(0) for word in first.values())
    assert [LONG] * 8 == [word.article.content for word in second.values() if isinstance(word, Known)]


async def test_who_asks_later_than_what_is_known_may_age_fetches_with_its_conditions(database: Database) -> None:
    await _read(database, URL, etag='"1"', last_modified="Sat, 21 Nov 2026 15:00:00 GMT")

    late = await begin(database, URL, uuid4(), max_age=timedelta(0))

    assert Fetch('"1"', "Sat, 21 Nov 2026 15:00:00 GMT", b"body") == late


async def test_a_fetcher_that_died_is_followed_when_its_lease_ends_and_may_itself_begin_again(
    database: Database,
) -> None:
    dead, next_one = uuid4(), uuid4()
    await begin(database, URL, dead, lease_seconds=0)
    followed = await begin(database, URL, next_one)
    again = await begin(database, URL, next_one)
    waits = await begin(database, URL, dead)

    assert (Fetch(), Fetch()) == (followed, again)
    assert isinstance(waits, Busy)


async def test_what_could_not_be_read_is_free_for_the_next_and_what_was_known_stays(database: Database) -> None:
    await _read(database, URL)
    failed, next_one = uuid4(), uuid4()
    await begin(database, URL, failed, max_age=timedelta(0))
    await let_go(database, URL, failed)
    await let_go(database, URL, next_one)

    known = await begin(database, URL, next_one, max_age=DAY)

    assert isinstance(known, Known)


async def test_what_has_not_changed_is_fresh_again(database: Database) -> None:
    await _read(database, URL, etag='"1"')
    await database.fetch("UPDATE articles SET fetched_at = fetched_at - interval '2 days'")
    stale = await fresh(database, [URL], DAY)
    job = uuid4()
    asked = await begin(database, URL, job, max_age=DAY)
    article = await unchanged(database, URL, job, etag='"2"')
    found = await fresh(database, [URL], DAY)

    assert ({}, Fetch('"1"', None, b"body")) == (stale, asked)
    assert article
    assert {URL: article.content_hash} == {url: one.content_hash for url, one in found.items()}
    assert Fetch('"2"', None, b"body") == await begin(database, URL, uuid4(), max_age=timedelta(0))


async def test_a_text_that_is_gone_makes_its_address_unknown(database: Database) -> None:
    """
    "Not modified" would be an answer with which nobody could do anything.
    """
    await _read(database, URL, etag='"1"')
    await database.fetch("DELETE FROM article_texts")
    job = uuid4()

    assert Fetch() == await begin(database, URL, job, max_age=DAY)
    assert await unchanged(database, URL, job) is None


async def test_two_addresses_that_say_the_same_have_one_text_but_short_ones_do_not(database: Database) -> None:
    await _read(database, URL)
    await _read(database, "https://copy.example/a")
    same = await _texts(database)
    for url in (URL, "https://copy.example/a"):
        await _read(database, url, Content(title="Not found", word_count=2))

    assert (1, 3) == (same, await _texts(database))


async def test_whoever_lost_the_right_to_fetch_writes_over_nobody(database: Database) -> None:
    late, next_one = uuid4(), uuid4()
    newer = Content(title="Sun", text="sun " * LEAST_WORDS, word_count=LEAST_WORDS)
    await begin(database, URL, late, lease_seconds=0)
    await begin(database, URL, next_one)
    told = await keep(database, URL, late, LONG, body_hash=b"old")
    await keep(database, URL, next_one, newer, body_hash=b"new")
    known = await begin(database, URL, uuid4(), max_age=DAY)

    assert LONG == told.content
    assert isinstance(known, Known)
    assert "Sun" == known.article.content.title


@pytest.mark.parametrize(
    "content", [Content(title="a\x00b", text="\ud800"), Content(links=("https://a.example/\udfff\x00",))]
)
async def test_what_postgres_cannot_store_of_a_page_is_replaced(database: Database, content: Content) -> None:
    await _read(database, URL, content, etag="\x00", last_modified="x" * 10_000)
    known = await begin(database, URL, uuid4(), max_age=DAY)

    assert isinstance(known, Known)
    assert Fetch(None, None, b"body") == await begin(database, URL, uuid4(), max_age=timedelta(0))


async def test_ten_thousand_addresses_are_looked_up_by_their_ids(database: Database) -> None:
    await _read(database, URL)
    urls: Sequence[str] = [f"https://news.example/{number}" for number in range(5_000)]

    found = await fresh(database, [*urls, URL, *urls], DAY)

    assert [URL] == list(found)
    assert {} == await fresh(database, [URL], timedelta(0))
