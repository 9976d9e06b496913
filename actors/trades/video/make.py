"""Make a film for a job: say how far it is, and give way to what wants to end it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from actors.context import progress
from actors.trades.video.look import Look, look
from actors.trades.video.probe import Probe, probe
from actors.trades.video.transcode import Transcoding, Wanted

TELL_SECONDS: Final = 0.2
BROUGHT: Final = 0.05  # of the progress, when the film is here
DONE: Final = 0.95  # when it only has to be kept


@dataclass(frozen=True, slots=True)
class Made:
    """A film, and what it was made of."""

    seen: Look
    found: Probe
    damaged: int  # packets


async def make(film: Path, target: Path, wanted: Wanted) -> Made:
    """The new film is at the target; Unfit if there can be none."""
    seen = look(film)
    making = Transcoding(film, seen, target, wanted)
    whole, told_at = making.seconds, 0.0
    for done in making.steps():
        if time.monotonic() - told_at > TELL_SECONDS:
            told_at = time.monotonic()
            _tell(done, whole)
            await asyncio.sleep(0)  # where a cancellation comes
    progress(DONE, "keeping it")
    return Made(seen, probe(target), making.damaged)


def _tell(done: float, whole: float | None) -> None:
    if whole:
        progress(BROUGHT + min(1.0, done / whole) * (DONE - BROUGHT), f"{done:.1f} of {whole:.1f} s")
    else:
        progress(None, f"{done:.1f} s")
