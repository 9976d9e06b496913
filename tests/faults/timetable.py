"""A crowd of schedules, and what became of it: due time by due time, as the rows say and as the witness saw.

Missing: a due time without a run.  Doubled: a job that is no run's, or one that ran twice.  Idle: a run without a job.
The due times are counted here, from the first to the last, and asked of nobody.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from tests.eventually import eventually
from tests.faults.witness import Witness
from tests.journey.api import Api

SCHEDULES: Final = "/api/v1/schedules"
TYPE: Final = "step"
SECOND: Final = timedelta(seconds=1)
LEADS: Final = tuple(timedelta(seconds=lead) for lead in (2, 5, 15, 45))  # to have made all of them

RUNS: Final = """
SELECT r.schedule_id::text AS schedule_id, r.due_at, r.fate, r.job_id::text AS job_id, j.id IS NOT NULL AS born,
       extract(epoch FROM coalesce(j.created_at, r.created_at) - r.due_at)::float8 AS late
  FROM schedule_runs r LEFT JOIN jobs j ON j.id = r.job_id
 WHERE r.schedule_id = ANY($1::uuid[]) ORDER BY r.schedule_id, r.due_at
"""
STRAYS: Final = """
SELECT id::text FROM jobs WHERE type = $1 AND created_at >= $2
   AND NOT EXISTS (SELECT FROM schedule_runs r WHERE r.job_id = jobs.id)
"""
OPEN: Final = """
SELECT count(*) AS jobs FROM schedule_runs r JOIN jobs j ON j.id = r.job_id
 WHERE r.schedule_id = ANY($1::uuid[]) AND j.finished_at IS NULL
"""


class Run(NamedTuple):
    schedule_id: str
    due_at: datetime
    fate: str
    job_id: str | None
    born: bool
    late: float  # seconds from the due time to the job's row, by Postgres' clock


@dataclass(frozen=True, slots=True)
class Timetable:
    """So many schedules, each due once a second, so many times."""

    schedule_ids: tuple[str, ...]
    times: int
    begun: datetime
    first: datetime

    @property
    def last(self) -> datetime:
        return self.first + (self.times - 1) * SECOND

    @property
    def runs(self) -> int:
        return len(self.schedule_ids) * self.times


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a timetable."""

    runs: Sequence[Run]
    missing: Collection[tuple[str, datetime]] = ()
    too_many: Collection[tuple[str, datetime]] = ()
    idle: Collection[Run] = ()
    strays: Collection[str] = ()
    never_ran: Collection[str] = ()
    ran_twice: Collection[str] = ()
    lateness: list[float] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, int]:
        """What must be empty."""
        names = ("missing", "too_many", "idle", "strays", "never_ran", "ran_twice")
        told = {name: len(getattr(self, name)) for name in names}
        return {name: count for name, count in told.items() if count}

    def line(self) -> str:
        ordered = sorted(run.late for run in self.runs) or [0.0]
        middle, worst = ordered[len(ordered) // 2], ordered[-1]
        return f"{len(self.runs):,} runs, faults {self.faults or 'none'}; late p50 {middle:.3f} s, worst {worst:.2f} s"


async def wind(api: Api, schedules: int, times: int) -> Timetable:
    """Make so many schedules, before the first is due; half of them end by their number of runs, half by their end."""
    for lead in LEADS:
        begun = await _now(api)
        table = await _made(api, schedules, times, begun, begun.replace(microsecond=0) + lead)
        if await _now(api) < table.first:
            return table
        await asyncio.gather(*(api.client.delete(f"{SCHEDULES}/{one}") for one in table.schedule_ids))
    raise TimeoutError(f"{schedules} schedules were not made within {LEADS[-1]}")


async def ended(api: Api, table: Timetable, within: float) -> None:
    """Return when none of them has anything before it, and no job of theirs is open."""
    await eventually(lambda: _is_over(api, table), within=within)


async def account(api: Api, table: Timetable, witness: Witness) -> Account:
    """What became of it; `witness` was made before it began."""
    rows = await api.sql(RUNS, list(table.schedule_ids))
    runs = [Run(*(row[name] for name in Run._fields)) for row in rows]
    due = Counter((run.schedule_id, run.due_at) for run in runs)
    planned = {(one, table.first + n * SECOND) for one in table.schedule_ids for n in range(table.times)}
    job_ids = {run.job_id for run in runs if run.job_id}
    starts = witness.look().starts()
    return Account(
        runs=runs,
        missing=planned - due.keys(),
        too_many=due.keys() - planned,
        idle=[run for run in runs if not run.born or run.fate != "fired"],
        strays=[row["id"] for row in await api.sql(STRAYS, TYPE, table.begun)],
        never_ran=job_ids - witness.ended(),
        ran_twice={job_id for job_id in job_ids if starts[job_id] > 1},
    )


async def _made(api: Api, schedules: int, times: int, begun: datetime, first: datetime) -> Timetable:
    said = {"job_type": TYPE, "payload": {}, "interval_seconds": 1, "starts_at": first.isoformat(), "overlap": "allow"}
    ends = [{"max_runs": times}, {"ends_at": (first + (times - 1) * SECOND).isoformat()}]
    made = [_make(api, {"name": f"each second {n}"} | said | ends[n % 2]) for n in range(schedules)]
    return Timetable(tuple(await asyncio.gather(*made)), times, begun, first)


async def _now(api: Api) -> datetime:
    (row,) = await api.sql("SELECT clock_timestamp() AS now")
    now: datetime = row["now"].astimezone(UTC)
    return now


async def _make(api: Api, fields: dict[str, Any]) -> str:
    response = await api.client.post(SCHEDULES, json=fields)

    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def _is_over(api: Api, table: Timetable) -> bool:
    (row,) = await api.sql(
        "SELECT count(*) AS going FROM schedules WHERE id = ANY($1::uuid[]) AND next_fire_at IS NOT NULL",
        list(table.schedule_ids),
    )
    (open_,) = await api.sql(OPEN, list(table.schedule_ids))
    return not row["going"] and not open_["jobs"]
