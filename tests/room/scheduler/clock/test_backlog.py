"""With more open runs than the clock looks at in one go it rests all the same, and what else there is has its turn."""

from __future__ import annotations

import pytest

from persistence.schedules.schedule import Overlap, Schedule
from persistence.schedules.segments import Session
from persistence.store.database import Database
from scheduler.clock import upkeep
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.hold import hold
from scheduler.clock.runs import Runs
from scheduler.clock.upkeep import Upkeep
from tests.room.scheduler.clock.plans import HOURLY, made
from wire.rabbitmq.amqp import Broker
from wire.segments import EVERY, stretches

OPEN, PAGE = 1_000, 100
PIECES = 4  # of a round: close, start what waits, backfills, zones

# Runs of due times long ago, whose jobs wait; only the last one's has ended
_FILL = """
WITH due AS (SELECT n, $1::uuid AS schedule_id, gen_random_uuid() AS job_id, now() - interval '9 h' + n * interval '1 s'
                      AS due_at FROM generate_series(1, $3::int) n), born AS (
  INSERT INTO jobs (id, type, queue, state, priority, body, body_hash, max_retries, timeout_seconds, traceparent)
  SELECT job_id, 'echo', 'default', CASE WHEN n = $3 THEN 'completed' ELSE 'queued' END, 5, '', '', 0, 9, '' FROM due)
INSERT INTO schedule_runs (schedule_id, due_at, segment, kind, fate, job_id, fires_at)
SELECT schedule_id, due_at, $2::int2, 'due', 'fired', job_id, due_at FROM due
"""


@pytest.mark.usefixtures("ready")
async def test_a_backlog_of_open_runs_is_walked_with_rests(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A page a round here, and each round looks at the rest too; the walk goes on where it was until it has seen the last.
    """
    monkeypatch.setattr(upkeep, "CLOSED", PAGE)
    monkeypatch.setattr(upkeep, "CLOSING_SECONDS", 0.0)
    schedule = await made(database, HOURLY, overlap=Overlap.ALLOW)
    await database.fetch(_FILL, schedule.id, schedule.segment, OPEN)
    session, database_time = Session(database, stretches(EVERY), "test clock"), DatabaseTime()
    await hold(session, database_time)
    keeper = Upkeep(session, Runs(session, database, broker, database_time))
    pieces = [await _round(keeper) for _ in range(OPEN // PAGE)]
    closed = await _closed(database, schedule)
    await session.stop()

    assert {PIECES} == set(pieces)
    assert 1 == closed


async def _round(keeper: Upkeep) -> int:
    """How many pieces it takes until there is a rest."""
    keeper._due_at, pieces = 0.0, 0
    while keeper.waits <= 0 and pieces < OPEN:
        await keeper.piece()
        pieces += 1
    return pieces


async def _closed(database: Database, schedule: Schedule) -> int:
    sql = "SELECT count(*) AS n FROM schedule_runs WHERE schedule_id = $1 AND ended_at IS NOT NULL"
    return int((await database.fetch(sql, schedule.id))[0]["n"])
