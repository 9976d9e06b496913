"""A crawl follows what it was asked to follow, each document once, whatever becomes of those who do it."""

from __future__ import annotations

import asyncio

from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.reading_lane import reading_lane
from tests.site.served import Site


def paths(result: dict[str, list[dict[str, str]]], key: str = "pages") -> list[str]:
    return ["/" + page["url"].split("/", 3)[3] for page in result[key]]


async def test_it_follows_links_to_its_depth_and_keeps_what_it_read(
    places: Places, database: Database, site: Site
) -> None:
    async with reading_lane(places, database, site) as reading:
        job_id = await reading.send("crawl_url", url=site.url("/graph/tree/0", 24), depth=2)
        result = await reading.result_of(job_id)
        kept = await database.fetch("SELECT name FROM artifacts WHERE job_id = $1 ORDER BY name", job_id)

    below = [f"/graph/tree/0.{number}" for number in range(3)]
    expected = ["/graph/tree/0", *below, *(f"{path}.{number}" for path in below for number in range(3))]
    assert (expected, [], False) == (paths(result), result["failed"], result["capped"])
    assert ("tree 0", "A node.") == (result["title"], result["preview"])
    assert [page["artifact"] for page in result["pages"]] == [row["name"] for row in kept]


async def test_a_circle_is_walked_once_and_a_trap_ends_at_the_cap(
    places: Places, database: Database, site: Site
) -> None:
    async with reading_lane(places, database, site) as reading:
        ring, trap = await asyncio.gather(
            reading.result("crawl_url", url=site.url("/graph/ring/0/of/5", 25), depth=20, archive=False),
            reading.result("crawl_url", url=site.url("/graph/trap/0", 26), depth=20, pages=7, archive=False),
        )

    assert ([f"/graph/ring/{n}/of/5" for n in range(5)], False) == (paths(ring), ring["capped"])
    assert ([f"/graph/trap/{n}" for n in range(7)], True) == (paths(trap), trap["capped"])
    assert 5 == len(site.asked(host=25, path="/graph"))


async def test_what_cannot_be_had_is_told_and_the_rest_is_read(places: Places, database: Database, site: Site) -> None:
    async with reading_lane(places, database, site) as reading:
        private = await reading.error("crawl_url", url=site.url("/private/", 2))
        listed = await reading.result(
            "crawl_url", url=site.url("/articles/0", 29), pages=5, sitemap=True, archive=False
        )
        missing = await reading.error("crawl_url", url=site.url("/status/404", 27))

    assert private.startswith("permanent: the robots.txt of ")
    assert ([f"/articles/{number}" for number in range(5)], True) == (paths(listed), listed["capped"])
    assert missing.endswith("/status/404 answered 404: there is nothing to read")


async def test_sitemaps_are_where_robots_txt_says_that_they_are(places: Places, database: Database, site: Site) -> None:
    async with reading_lane(places, database, site) as reading:
        listed = await reading.result(
            "crawl_url", url=site.url("/graph/shelf/0", 12), pages=6, sitemap=True, archive=False
        )

    articles = [path for path in paths(listed) if path.startswith("/articles/")]
    assert ([f"/articles/{number}" for number in range(3)], [], True) == (
        articles[:3], listed["failed"], listed["capped"]
    )  # fmt: skip
    assert 5 == len(articles)
    assert [] == site.asked(host=12, path="/sitemap.xml")


async def test_a_document_that_names_its_one_address_is_read_once(
    places: Places, database: Database, site: Site
) -> None:
    """
    Its other orders are nobody's errand; but a template that calls every page the front page is not believed.
    """
    async with reading_lane(places, database, site) as reading:
        shelf, lies = await asyncio.gather(
            reading.result("crawl_url", url=site.url("/graph/shelf/0?sort=up", 30), depth=5, archive=False),
            reading.result("crawl_url", url=site.url("/graph/lies/0", 31), depth=5, archive=False),
        )

    assert ["/graph/shelf/0?sort=up", "/graph/shelf/1"] == paths(shelf)
    assert site.url("/graph/shelf/0", 30) == shelf["pages"][0]["canonical_url"]
    assert "canonical_url" not in shelf["pages"][1]
    assert [] == [one.path for one in site.asked(host=30, path="/graph/shelf/0") if not one.query]
    assert [f"/graph/lies/{number}" for number in range(3)] == paths(lies)


async def test_a_crawl_that_is_interrupted_goes_on_where_it_was(places: Places, database: Database, site: Site) -> None:
    async with reading_lane(places, database, site, delay_seconds=0.6) as reading:
        job_id = await reading.send("crawl_url", url=site.url("/graph/tree/0", 28), depth=2, pages=6)
        await eventually(lambda: len(site.asked(host=28, path="/graph")) >= 2)
    first = len(site.asked(host=28, path="/graph"))
    async with reading_lane(places, database, site, delay_seconds=0.6) as reading:
        result = await reading.result_of(job_id)

    asked = [one.path for one in site.asked(host=28, path="/graph")]
    assert 2 <= first < 6
    assert sorted(set(asked)) == sorted(paths(result)) == sorted(asked[:first] + paths(result)[first:])
    assert 6 == result["read"]
