"""`warren why ID`: what the gateway says of a job, as a person reads it in a terminal.

Asks over HTTP like every client; an API key comes from WARREN_API_KEY.  Ends with 0 when there is an answer, with 1
when there is none (no such job, no gateway), and says so in one line.
"""

from __future__ import annotations

import sys
from typing import Final

from gateway.client.blocking import SyncClient
from gateway.client.replies import Event, Timeline, Why
from wire.errors import Refused, Unavailable

PATIENCE_SECONDS: Final = 5.0  # somebody sits in front of it


def tell(job_id: str, url: str | None, *, timeline: bool) -> int:
    """Print why, and what has happened if asked; the exit code."""
    try:
        with SyncClient(url, patience_seconds=PATIENCE_SECONDS) as warren:
            said = why_page(warren.why(job_id)) + (timeline_page(warren.timeline(job_id)) if timeline else "")
    except (Refused, Unavailable) as e:
        sys.stderr.write(f"warren why: {e}\n")
        return 1
    sys.stdout.write(said)
    return 0


def why_page(why: Why) -> str:
    """The sentence first, what else would keep it, and then which job it is."""
    more = [f"  and then: {one.sentence}" for one in why.also]
    which = f"  ({why.cause}: job {why.id} of the type {why.type}, queue {why.queue}, {why.state})"
    return "\n".join([why.sentence, *more, which]) + "\n"


def timeline_page(timeline: Timeline) -> str:
    """A line an event, and where the time went."""
    spent = ", ".join(f"{phase} {seconds:g} s" for phase, seconds in timeline.spent_seconds.items() if seconds)
    return "\n".join(["", *map(_line, timeline.events), f"spent: {spent or 'nothing yet'}"]) + "\n"


def _line(event: Event) -> str:
    after = f"+{event.after_seconds:.3f} s"
    return f"{event.at:%Y-%m-%d %H:%M:%S}.{event.at.microsecond // 1000:03} {after:>14}  {event.sentence}"
