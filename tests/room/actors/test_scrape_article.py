"""An article is fetched once for everybody, and asked for again with its site's own conditions."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from persistence.store.database import Database
from tests.conftest import Places
from tests.room.actors.reading_lane import Reading, reading_lane
from tests.site.articles import article
from tests.site.served import Site


@pytest_asyncio.fixture
async def reading(places: Places, database: Database, site: Site) -> AsyncIterator[Reading]:
    async with reading_lane(places, database, site) as one:
        yield one


async def test_what_is_read(reading: Reading, site: Site) -> None:
    truth = article(101)
    result = await reading.result("scrape_article", url=site.url("/articles/101"), source="gazette", category="news")

    assert (truth.title, truth.author, truth.language.code) == (result["title"], result["author"], result["language"])
    assert truth.text == result["content"]
    assert ("gazette", "news", False) == (result["source"], result["category"], result["cached"])


async def test_several_at_once_fetch_once(reading: Reading, site: Site) -> None:
    url = site.url("/articles/102?ms=300", 21)
    jobs = await reading.ended(*[await reading.send("scrape_article", url=url) for _ in range(4)])

    assert 1 == len(site.asked(host=21, path="/articles/102"))
    assert ["completed"] * 4 == [job.state for job in jobs]


async def test_what_is_fresh_is_not_fetched_and_what_is_stale_is_asked_for_politely(
    reading: Reading, site: Site
) -> None:
    url = site.url("/articles/103", 22)
    first, fresh, stale = [
        await reading.result("scrape_article", url=url, max_age=max_age) for max_age in (3_600, 3_600, 0)
    ]
    site.change(103, 22)
    changed = await reading.result("scrape_article", url=url, max_age=0)

    assert [200, 304, 200] == [each.status for each in site.asked(host=22, path="/articles/103")]
    assert [False, True, False, False] == [each["cached"] for each in (first, fresh, stale, changed)]
    assert first["content"] == fresh["content"] == stale["content"] != changed["content"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/kinds/pdf", "permanent: the document is application/pdf, not HTML"),
        ("/kinds/blank", "permanent: the document has no text"),
        ("/status/404", "permanent: .* answered 404: there is nothing to read"),
        ("/status/500", "exhausted: .* answered 500"),
    ],
)
async def test_what_cannot_be_read_is_told_and_let_go(reading: Reading, site: Site, path: str, words: str) -> None:
    url = site.url(path, 23)
    told = [await reading.error("scrape_article", url=url) for _ in range(2)]  # the second does not wait for a lease

    assert [True, True] == [re.match(words, each) is not None for each in told], told


async def test_parts_of_a_page(reading: Reading, site: Site) -> None:
    links = {"select": "//p/a", "many": True, "fields": {"to": {"select": "self::a", "attribute": "href"}}}
    url = site.url("/graph/tree/7", 24)
    result = await reading.result("scrape_website", url=url, selector="title", selectors={"links": links})
    refused = await reading.error("scrape_website", url=url, selector="p[")

    assert ("tree 7", site.url("/graph/tree/7.0", 24)) == (result["value"], result["values"]["links"][0]["to"])
    assert "'p[' is not a CSS selector" in refused
