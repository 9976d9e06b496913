"""Whichever way a page of jobs is found, it is the same page: among thousands of jobs, by every filter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from persistence.questions import reads
from persistence.questions.pages import FEW, Asked, Filter, Place
from persistence.questions.walks import Walk
from persistence.store.database import Database, Row
from tests.bench import lifelike
from tests.conftest import Places
from tests.room.persistence.everything import filters
from wire.states import FILTERS

JOBS = FEW + 1_000  # or a rare tag would always be among the newest
PAGE = 20
EVER = datetime(2000, 1, 1, tzinfo=UTC)
PLAINLY = """
SELECT id, created_at FROM jobs
 WHERE ($1::text[] IS NULL OR state = ANY($1)) AND ($2::text IS NULL OR type = $2) AND ($3::text IS NULL OR queue = $3)
   AND ($4::text IS NULL OR $4 = ANY(tags)) AND ($5::uuid IS NULL OR batch_id = $5)
   AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::uuid IS NULL OR schedule_id = $7)
 ORDER BY created_at DESC, id DESC
"""


@pytest.fixture(scope="module")
def lived_in(places: Places) -> str:
    asyncio.run(lifelike.fill(places.database_url, JOBS))
    return places.database_url


async def test_a_page_is_the_same_whichever_way_it_is_found(lived_in: str) -> None:
    database, differing, met = Database(lived_in, "test", connections=1, timeout_seconds=10), [], 0
    for wanted in filters(await database.now() - timedelta(hours=20)):
        plainly = await _plainly(database, wanted)
        place = Place(plainly[PAGE - 1]["created_at"], plainly[PAGE - 1]["id"]) if len(plainly) >= PAGE else None
        ids = [row["id"] for row in plainly]
        found = [job.id for job in await reads.page_of_jobs(database, wanted, PAGE)]
        behind = [job.id for job in await reads.page_of_jobs(database, wanted, PAGE, place)] if place else []
        numbered, total = await reads.numbered_page(database, wanted, PAGE, PAGE)
        met += len(found)
        if (ids[:PAGE], ids[PAGE : 2 * PAGE]) != (found, behind):
            differing.append(wanted)
        if (ids[PAGE : 2 * PAGE], len(ids)) != ([job.id for job in numbered], total):
            differing.append(wanted)
    await database.stop()

    assert [] == differing
    assert met > 10 * PAGE


async def test_what_only_an_old_job_has_is_found_behind_thousands_of_newer_ones(lived_in: str) -> None:
    database = Database(lived_in, "test", connections=1, timeout_seconds=10)
    (row,) = await database.fetch("SELECT id FROM jobs WHERE tags @> ARRAY[$1::text]", lifelike.RARE_TAG)
    (found,) = await reads.page_of_jobs(database, Filter(tag=lifelike.RARE_TAG), PAGE)
    newer = await database.fetch("SELECT count(*) AS jobs FROM jobs WHERE created_at > $1", found.created_at)
    await database.stop()

    assert row["id"] == found.id
    assert newer[0]["jobs"] > FEW


async def test_a_page_of_a_tag_in_a_batch_is_the_same_in_a_small_one_a_large_one_and_one_that_nobody_knows(
    lived_in: str,
) -> None:
    database = Database(lived_in, "test", connections=1, timeout_seconds=10)
    wanted = Filter(tag=lifelike.COMMON_TAG, batch_id=lifelike.BATCH)
    plainly = [row["id"] for row in await _plainly(database, wanted)]
    pages = [await reads.page_of_jobs(database, wanted, PAGE)]
    for change in ("UPDATE batches SET total = 1000000 WHERE id = $1", "DELETE FROM batches WHERE id = $1"):
        await database.fetch(change, lifelike.BATCH)
        pages.append(await reads.page_of_jobs(database, wanted, PAGE))
    await database.stop()

    assert [plainly] * 3 == [[job.id for job in page] for page in pages]
    assert 0 < len(plainly) < PAGE


@pytest.mark.parametrize(
    ("wanted", "walk"),
    [
        (Filter(type=lifelike.COMMON_TYPE), Walk("type", (lifelike.COMMON_TYPE,))),
        (Filter(state="completed"), Walk("state", ("completed",))),
        (Filter(batch_id=lifelike.BATCH), Walk("batch_id", (lifelike.BATCH,))),
        (Filter(schedule_id=lifelike.SCHEDULE), Walk("schedule_id", (lifelike.SCHEDULE,))),
    ],
    ids=["type", "state", "batch", "schedule"],
)
async def test_what_is_asked_by_one_kind_is_not_sought_among_the_newest_of_others(
    lived_in: str, wanted: Filter, walk: Walk
) -> None:
    """
    Of a common kind Postgres would rather walk through all jobs; behind a crowd of others that is the whole crowd.
    """
    database = Database(lived_in, "test", connections=1, timeout_seconds=10)
    newest = await reads.page_of_jobs(database, wanted, 1)
    place = Place(newest[0].created_at, newest[0].id)
    walked = [
        (asked, asked.page(walk, "*", PAGE))
        for asked in (Asked(wanted), Asked(wanted, place), Asked(replace(wanted, since=EVER), place))
    ]
    plans = [await database.fetch(f"EXPLAIN (ANALYZE) {page}", *asked.arguments) for asked, page in walked]
    chosen = await reads._walk(database, wanted, PAGE)
    await database.stop()

    assert walk == chosen
    assert [] == [row["QUERY PLAN"] for plan in plans for row in plan if "Rows Removed by Filter" in row["QUERY PLAN"]]


async def _plainly(database: Database, wanted: Filter) -> Sequence[Row]:
    states = sorted(FILTERS[wanted.state]) if wanted.state else None
    rest = (wanted.type, wanted.queue, wanted.tag, wanted.batch_id, wanted.since, wanted.schedule_id)
    return await database.fetch(PLAINLY, states, *rest)
