"""Sync jobs that were claimed ahead of their threads: what comes to none in time is nobody's again."""

from __future__ import annotations

import pytest

from actors.lane import pace
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import running_lane

THREADS, AHEAD = 2, 20
NAMES = """
SELECT count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'completed' AND attempt = 1) AS completed,
       (SELECT count(*) FROM attempts WHERE outcome = 'interrupted') AS handed_back
  FROM jobs
"""


async def test_what_stands_behind_slow_jobs_goes_back_to_its_queue(
    places: Places, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    All were quick so far, and then all threads are held: another worker may have what was claimed, and no try of it is
    counted.
    """
    with monkeypatch.context() as patched:
        patched.setattr(pace, "UNKNOWN", 0.000_1)  # this lane believes from the beginning that its jobs are quick
        lane = running_lane(places, database, concurrency=40, threads=THREADS, prefetch=40)
        running = await lane.__aenter__()
    try:
        for number in range(THREADS):
            await running.send(f"slow {number}", job_type="hold")
        await eventually(lambda: len(running.started) == THREADS)
        for number in range(AHEAD):
            await running.send(str(number), job_type="hold")
        handed_back = await eventually(lambda: _counts(database, running=THREADS))
        started = list(running.started)
        running.threads_may_end.set()
        await eventually(lambda: _counts(database, completed=THREADS + AHEAD))
    finally:
        running.threads_may_end.set()
        await lane.__aexit__(None, None, None)

    assert handed_back["handed_back"] > 0
    assert THREADS == len(started)
    assert THREADS + AHEAD == len(running.started)


async def _counts(database: Database, **expected: int) -> dict[str, int] | None:
    (row,) = await database.fetch(NAMES)
    found = dict(row)
    return found if all(found[name] == count for name, count in expected.items()) and found["handed_back"] else None
