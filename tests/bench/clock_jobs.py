"""A job that says when it began, for tests.bench.latency: nobody but the actor itself knows that."""

from __future__ import annotations

import time

from warren import job


@job("clock")
async def clock() -> dict[str, float]:
    """The moment at which this ran, in seconds of the epoch."""
    return {"began": time.time()}
