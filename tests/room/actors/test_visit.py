"""Visits: the host's own log says whether we were polite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from actors.trades.outbound.guard import Guard
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.polite_site import Site, site, visits
from tests.room.actors.running import running_lane
from wire.settings import Outbound, Politeness


@pytest_asyncio.fixture
async def host() -> AsyncIterator[Site]:
    async with Guard(Outbound(allow=("127.0.0.1",), ports="any")), site() as one:
        yield one


async def test_requests_are_the_delay_apart_and_each_job_sleeps_once(
    places: Places, database: Database, host: Site
) -> None:
    seen = list[tuple[str, int]]()
    pace = Politeness(delay_seconds=0.6)
    async with running_lane(places, database, declares=visits(seen), politeness=pace, concurrency=10) as lane:
        for number in range(5):
            await lane.send(f"{host.url}/{number}", job_type="visit")
        await eventually(lambda: len(seen) == 5)
    rows = await database.fetch("SELECT count(*) AS n FROM attempts WHERE outcome = 'snoozed'")

    assert "/robots.txt" == host.paths[0]
    assert 0.6 <= min(host.gaps)
    assert (
        1 <= rows[0]["n"] <= 15
    )  # each once, but whose turn has come; again only where a laden machine lets one go by
