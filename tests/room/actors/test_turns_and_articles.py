"""Two jobs want the same article of a host whose next turn comes much later than the right to fetch lasts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from persistence.articles.begin import LEASE_SECONDS, Fetch, begin
from persistence.store.database import Database, Row
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.reading_lane import reading_lane
from tests.site.served import Site

DELAY_SECONDS = 3_000.0
SLEEPER = "SELECT j.*, j.next_attempt_at - clock_timestamp() AS sleeps FROM jobs j WHERE id = $1 AND state = 'retrying'"
HELD = "SELECT fetching_job, fetching_until - clock_timestamp() AS held FROM articles WHERE url = $1"


async def test_who_sleeps_until_its_turn_keeps_the_right_to_fetch(
    places: Places, database: Database, site: Site
) -> None:
    """
    Else the second would take it, both would come to their turns and find it taken, and the article were fetched twice
    or never.  The second sleeps too, instead of looking every other second; and a job that has ended holds nothing.
    """
    url = site.url("/articles/6000", 45)

    async def asleep(job_id: UUID) -> Row:
        return await eventually(lambda: database.fetch_one(SLEEPER, job_id))

    async with reading_lane(places, database, site, delay_seconds=DELAY_SECONDS) as reading:
        first = await asleep(await reading.send("scrape_article", url=url))
        second = await asleep(await reading.send("scrape_article", url=url))
    (held,) = await database.fetch(HELD, url)
    await database.fetch("UPDATE jobs SET state = 'cancelled' WHERE id = $1", first["id"])
    third = await begin(database, url, uuid4())

    assert ["/robots.txt"] == [one.path for one in site.asked(host=45)]
    assert first["id"] == held["fetching_job"]
    assert held["held"] - first["sleeps"] > timedelta(seconds=LEASE_SECONDS - 60)
    assert timedelta(seconds=DELAY_SECONDS / 10) < second["sleeps"] < first["sleeps"]
    assert Fetch() == third
