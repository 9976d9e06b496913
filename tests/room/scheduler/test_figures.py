"""The figures of the cluster are told within a scrape's time, whatever hangs."""

from __future__ import annotations

import asyncio

import pytest

from persistence.store.database import Database
from scheduler import figures as figures_of_the_cluster
from scheduler.figures import Figures
from tests.black_hole import Line
from tests.eventually import eventually
from wire.metrics import table
from wire.rabbitmq.amqp import Broker

LONG_SECONDS = 120.0


async def test_a_postgres_that_hangs_takes_its_figures_with_it_and_no_more(
    database_url: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its deadline is longer than a scrape's: whoever scrapes would see nothing of this process, as if it had gone.
    """
    monkeypatch.setattr(figures_of_the_cluster, "FRESH_SECONDS", 0.0)  # each look is one
    async with Line(database_url).listening() as line:
        database = Database(line.url, "test", connections=2, timeout_seconds=LONG_SECONDS)
        figures = Figures(database, broker, LONG_SECONDS)

        async def leads() -> bool:
            await figures.gather()
            return table.LEADS.values[()] == 1.0

        await eventually(leads)
        told = bool(table.JOBS.values or table.DATABASE_BYTES.values)
        line.fall_silent()
        async with asyncio.timeout(LONG_SECONDS / 2):
            await eventually(lambda: _told_nothing(figures), within=LONG_SECONDS / 2)
        line.sound_again()
        await eventually(leads, within=LONG_SECONDS / 2)
        await figures.lead.stop()
        await database.stop()

    assert told


async def _told_nothing(figures: Figures) -> bool:
    await figures.gather()
    return not table.LEADS.values[()] and not table.DATABASE_BYTES.values
