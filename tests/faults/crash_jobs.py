"""Job types of the crash table, and the saboteur's way into a worker: named last among the job modules."""

from __future__ import annotations

import journey_jobs

from tests.faults.saboteur import install
from warren import PermanentError, context, job


@job("stumbles", max_retries=1, retry_base_seconds=0.5)
async def stumbles() -> None:
    """Fail the first attempt."""
    journey_jobs.witness("started")
    if context().attempt == 1:
        raise ConnectionError("the first attempt")


@job("begets")
async def begets() -> None:
    """Submit a child with the outcome."""
    journey_jobs.witness("started")
    journey_jobs.nap.send(seconds=0.0)


@job("mended")
async def mended() -> None:
    """Fail for good, until it is sent again by hand."""
    if journey_jobs.witness("started") == 1:
        raise PermanentError("not yet")


install("worker")
