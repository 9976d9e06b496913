"""`warren schedules`: list, show, preview, pause, resume and trigger, for people at a terminal.

A schedule is named by its id, or by its name where only one has it.  When it will be due is what the gateway says of
it; nothing is computed here but how far off that is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from gateway.client.blocking import SyncClient
from gateway.client.failures import NotFound
from gateway.client.schedule_replies import Preview, Run, Schedule
from gateway.client.terminal import plain, told
from wire.errors import Refused

SHOWN: Final = 5  # due times and runs, where nobody says how many
_Lines = Generator[str, None, None]


def tell(asked: argparse.Namespace) -> int:
    """Do what was asked, and print how it stands then; the exit code."""
    verb = asked.verb or "list"

    def say(warren: SyncClient) -> _Lines:
        for line in _VERBS[verb](warren, asked):
            yield f"{line}\n"

    return told(f"schedules {verb}", getattr(asked, "url", None), say)


def _list(warren: SyncClient, asked: argparse.Namespace) -> _Lines:
    said = {name: getattr(asked, name, None) for name in ("state", "job_type", "name", "tag", "limit", "cursor")}
    page = warren.schedules(**said)
    yield from rows(page.items)
    if page.next_cursor:
        yield f"there are more: --cursor {page.next_cursor}"


def _show(warren: SyncClient, asked: argparse.Namespace) -> _Lines:
    schedule = _named(warren, asked.schedule)
    yield from schedule_page(schedule)
    if schedule.state != "ended":
        yield from preview_page(warren.preview_schedule(schedule.id, n=asked.n), schedule.state)
    runs = warren.schedule_runs(schedule.id, limit=asked.n).items
    yield from ["", "last runs:" if runs else "no run yet", *map(_run, runs)]


def _preview(warren: SyncClient, asked: argparse.Namespace) -> _Lines:
    said = {"cron_expression": asked.cron, "interval_seconds": asked.every, "once_at": asked.once}
    said = {name: value for name, value in (said | {"timezone": asked.timezone}).items() if value is not None}
    if (asked.schedule is None) == (not said):
        raise Refused("schedule", "is named, or --cron, --every or --once says what one would be", "give one of both")
    if asked.schedule is None:
        yield from preview_page(warren.preview_schedule(n=asked.n, **said))
    else:
        yield from preview_page(warren.preview_schedule(_named(warren, asked.schedule).id, n=asked.n))


def _pause(warren: SyncClient, asked: argparse.Namespace) -> _Lines:
    schedule = _named(warren, asked.schedule)
    yield from _stands(warren.pause_schedule(schedule.id, asked.note, by=asked.by))


def _resume(warren: SyncClient, asked: argparse.Namespace) -> _Lines:
    yield from _stands(warren.resume_schedule(_named(warren, asked.schedule).id))


def _trigger(warren: SyncClient, asked: argparse.Namespace) -> _Lines:
    run = warren.trigger_schedule(_named(warren, asked.schedule).id)
    yield f"{run.job_id}"  # alone, so that a script can take it


_VERBS: Final[dict[str, Callable[[SyncClient, argparse.Namespace], _Lines]]] = {
    "list": _list, "show": _show, "preview": _preview, "pause": _pause, "resume": _resume, "trigger": _trigger,
}  # fmt: skip


def rows(schedules: Sequence[Schedule]) -> list[str]:
    """A line a schedule; the id first, because that is what the other commands take."""
    if not schedules:
        return ["no schedule"]
    cells = [[str(s.id), s.state, _when(s.next_run_time), plain(s.name), s.job_type] for s in schedules]
    table = [["id", "state", "next run", "name", "job type"], *cells]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def schedule_page(schedule: Schedule) -> list[str]:
    """What it is, why it fires or does not, and how often it has."""
    counts = f"{schedule.fired_count} fired, {schedule.missed_count} missed, {schedule.skipped_count} skipped"
    return [
        plain(schedule.name),
        *([f"  {plain(schedule.description)}"] if schedule.description else []),
        f"  {plain(schedule.why.sentence)}",
        f"  ({schedule.state}: schedule {schedule.id} of the type {schedule.job_type}; {counts})",
    ]


def preview_page(preview: Preview, state: str = "active", now: datetime | None = None) -> list[str]:
    """The rule in words, its next due times with how far off they are, and what the clocks do to them."""
    now = now or datetime.now(UTC)
    said = "" if state == "active" else f" (if it were not {state})"
    due = [f"  {datetime.fromisoformat(one.local):%a %d %b %Y %H:%M:%S %z}  {far(one.due_at, now)}"
           for one in preview.items]  # fmt: skip
    return [f"{preview.sentence}{said}", *(due or ["  never again"]), *(f"  {plain(w)}" for w in preview.warnings)]


def far(instant: datetime, now: datetime) -> str:
    """How far off, in its two largest units: `in 3 days 4 h`, `in 5 min`, `12 s ago`."""
    seconds = round((instant - now).total_seconds())
    left = abs(seconds)
    words: list[str] = []
    for name, size in (("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count and len(words) < 2:
            words.append(f"{count} {'day' if name == 'days' and count == 1 else name}")
        elif words:
            break
    told_ = " ".join(words) or "0 s"
    return f"in {told_}" if seconds >= 0 else f"{told_} ago"


def _run(run: Run) -> str:
    job = f"job {run.job_id} {run.state or 'forgotten'}" if run.job_id else plain(run.because or "")
    return f"  {_when(run.due_at)}  {run.kind}  {run.fate}  {job}".rstrip()


def _stands(schedule: Schedule) -> _Lines:
    yield from schedule_page(schedule)


def _when(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if instant else "-"


def _named(warren: SyncClient, said: str) -> Schedule:
    """The one of this id, or of this name."""
    try:
        return warren.schedule(UUID(said))
    except ValueError:
        found = warren.schedules(name=said, limit=2).items
    if len(found) > 1:
        raise Refused(
            "schedule", f"several have the name {plain(said)!r}", "take the id of one: `warren schedules list`"
        )
    if not found:
        raise NotFound("schedule", f"none has the name {plain(said)!r}", "`warren schedules list` shows them")
    return found[0]
