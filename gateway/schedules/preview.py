"""When a schedule will be due: the next due times by the very function that fires them, and what the clocks do to them.

A saved schedule knows its spread, and how many runs it has left; one that is not saved has no id, and so neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from gateway.schedules import orders
from gateway.schedules.orders import MOST_SHOWN
from gateway.schedules.request import when_in, when_of
from persistence.schedules.schedule import Schedule
from wire.errors import Refused
from wire.times import words
from wire.times.fires import dues, offset
from wire.times.when import When

SHOWN: Final = 10
FAR: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Preview:
    """Due times to come, each with its delay where that is known."""

    when: When
    dues: list[datetime]
    delays: list[timedelta | None]
    more: bool

    @property
    def sentence(self) -> str:
        return words.sentence(self.when)

    @property
    def warnings(self) -> list[str]:
        return words.warnings(self.when, self.dues)


def saved_preview(schedule: Schedule, n: int = SHOWN, after: datetime | None = None) -> Preview:
    """Of a schedule that is there; what is paused is shown as if it were not."""
    plan, when = schedule.plan, when_in(schedule.plan)
    left = MOST_SHOWN if plan.max_runs is None else max(plan.max_runs - schedule.fired, 0)
    found, more = _dues(when, after or datetime.now(UTC), min(n, left))
    delays: list[timedelta | None] = [offset(when, schedule.id, due) for due in found]
    return Preview(when, found, delays, more and len(found) < left)


def asked_preview(body: bytes, asked: Mapping[str, Any]) -> Preview:
    """Of a schedule that is being thought about; `n` and `after` stand in the body or in the query."""
    when, fields = when_of(body)
    for name in asked:
        if fields.get(name) is not None:
            raise Refused(name, "is sent twice", "send it in the body or in the query")
    now = datetime.now(UTC)
    n = asked.get("n") or orders.shown("n", SHOWN if fields.get("n") is None else fields["n"])
    after = asked.get("after") or orders.instant(
        "after", now.isoformat() if not fields.get("after") else fields["after"]
    )
    left = fields.get("max_runs") or MOST_SHOWN
    counted = replace(when, anchor=now)  # as if it were saved now
    found, more = _dues(counted, after, min(n, left))
    return Preview(when, found, [None] * len(found), more and len(found) < left)


def _dues(when: When, after: datetime, n: int) -> tuple[list[datetime], bool]:
    """The next so many, and whether there are more."""
    found = dues(when, after, FAR, n + 1)
    return found[:n], len(found) > n
