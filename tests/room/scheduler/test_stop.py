"""A scheduler stops at once, whatever has become of its stores."""

from __future__ import annotations

import asyncio
import time

from scheduler.__main__ import services
from wire.lifecycle import running
from wire.settings import Artifacts, Limits, Logs, Metrics, Scheduler, Settings, Stores, Worker

AT_MOST_SECONDS = 6.0  # it took 13; the grace of its loops is one, and this machine may be busy
BEST_OF = 3  # it may stand still for some seconds, but not whenever it is looked at


def settings_for(amqp_url: str, database_url: str) -> Settings:
    settings = Settings()
    settings.metrics, settings.artifacts = Metrics(), Artifacts()
    settings.stores = Stores(amqp_url=amqp_url, database_url=database_url)  # type: ignore[arg-type]
    settings.limits, settings.worker, settings.scheduler, settings.logs = Limits(), Worker(), Scheduler(), Logs()
    return settings


async def test_with_both_stores_away_it_stops_at_once() -> None:
    settings = settings_for("amqp://u:p@127.0.0.1:1/", "postgresql://u:p@127.0.0.1:1/d")
    for _ in range(BEST_OF):
        async with running(services(settings)):
            await asyncio.sleep(0)  # every loop is in its first round, and waits for its store
            began = time.monotonic()
        if (took := time.monotonic() - began) < AT_MOST_SECONDS:
            break

    assert took < AT_MOST_SECONDS
