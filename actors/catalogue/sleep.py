"""`sleep`: waits, says how far it is, and stops when it is told to."""

from __future__ import annotations

import asyncio
import time

from pydantic import BaseModel, ConfigDict, Field

from actors.context import progress
from actors.job import job

STEP_SECONDS = 0.5


class Sleep(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"duration": 2}]})

    duration: float = Field(ge=0, le=7 * 24 * 3600, description="Seconds to sleep")


class Slept(BaseModel):
    slept_seconds: float = Field(description="By a clock that nobody sets")


@job("sleep", timeout=7 * 24 * 3600)
async def sleep(payload: Sleep) -> Slept:
    """Sleep for so many seconds and report the progress."""
    started = time.monotonic()
    while (slept := time.monotonic() - started) < payload.duration:
        progress(slept / payload.duration, f"{slept:.0f} of {payload.duration:g} s")
        await asyncio.sleep(min(STEP_SECONDS, payload.duration - slept))
    progress(1.0)
    return Slept(slept_seconds=round(time.monotonic() - started, 3))
