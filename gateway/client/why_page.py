"""`warren why ID`: what the gateway says of a job, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Generator

from gateway.client.blocking import SyncClient
from gateway.client.replies import Event, Timeline, Why
from gateway.client.terminal import told


def tell(job_id: str, url: str | None, *, timeline: bool) -> int:
    """Print why, and what has happened if asked; the exit code."""

    def say(warren: SyncClient) -> Generator[str, None, None]:
        yield why_page(warren.why(job_id)) + (timeline_page(warren.timeline(job_id)) if timeline else "")

    return told("why", url, say)


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
