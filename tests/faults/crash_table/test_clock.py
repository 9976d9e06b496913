"""The clock dies as it fires: a due time has one run and one job, wherever between the two it was.

Its run, its job and the job's outbox row are one commit.  Before it there is nothing, and the next clock fires; after
it there is all of it, and the sweep sends what was not sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, Account, Scene

SCHEDULES: Final = "/api/v1/schedules"
RUNS: Final = "SELECT due_at, fate, job_id::text AS job_id FROM schedule_runs WHERE schedule_id = $1"


@pytest.mark.parametrize("point", ["fire, before its commit", "fire, committed", "fire, published"])
async def test_the_scheduler_dies_as_it_fires(scene: Scene, point: str) -> None:
    due = datetime.now(UTC) + timedelta(seconds=5)
    made = await scene.kill_at(point, _make(scene, due))
    at_death = await _runs(scene, made)
    await scene.revive("scheduler")
    await scene.hurry()
    await eventually(lambda: _runs(scene, made), within=WITHIN)
    ((when, fate, job_id),) = await _runs(scene, made)

    assert (0 if point == "fire, before its commit" else 1) == len(at_death)
    assert (due, "fired", Account()) == (when, fate, await scene.account(job_id))
    assert 1 == await scene.count("jobs WHERE id = $1", job_id)


async def _make(scene: Scene, due: datetime) -> str:
    """A schedule that is due once; its id."""
    said = {"name": "once", "job_type": "nap", "payload": {}, "once_at": due.isoformat()}
    response = await scene.api.client.post(SCHEDULES, json=said)

    assert 201 == response.status_code, response.text
    return str(response.json()["id"])


async def _runs(scene: Scene, schedule_id: str | None) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await scene.api.sql(RUNS, schedule_id)]
