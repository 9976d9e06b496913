"""The jobs of the benchmarks of the workers: what they cost is the engine's, not theirs."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.bench.peers import work
from warren import job

IO_SECONDS = 0.05


@job("noop")
async def noop(payload: dict[str, Any]) -> None:
    """Nothing, on the loop; the same that all peers do."""
    work.begin(payload)


@job("noop_sync")
def noop_sync(payload: dict[str, Any]) -> None:
    """Nothing, on a thread."""
    work.begin(payload)


@job("noop_apart", isolation="process")
def noop_apart(payload: dict[str, Any]) -> None:
    """Nothing, in a child process."""


@job("io")
async def io() -> None:
    """Wait as long as a good database or a bad cache takes."""
    await asyncio.sleep(IO_SECONDS)
