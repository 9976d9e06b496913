"""A job type that no worker has served before, on a queue that nobody has declared."""

from __future__ import annotations

import os

import journey_jobs

from tests.faults.saboteur import install
from warren import job


@job(os.environ["NEWCOMER"], queue="newcomers", max_retries=0)
async def newcomer() -> None:
    journey_jobs.witness("started")


install("worker")
