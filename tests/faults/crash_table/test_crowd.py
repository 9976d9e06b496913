"""The same points, struck while a worker has its hands full: batches, neighbours, suspects beside suspects."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, Scene
from tests.journey.api import FINAL

POINTS: Final = (
    "claim, committed",
    "run, begun",
    "record, before it",
    "record, children inserted",
    "record, committed",
    "record, next message published",
    "record, before the ack",
)
CROWD: Final = [("nap", {"seconds": 0.03}), ("sync_nap", {"seconds": 0.03}), ("stumbles", {}), ("begets", {})]
TIMES = 40  # each of the crowd, at each point
COMPLETED: Final = "SELECT job_id FROM attempts WHERE outcome = 'completed'"


@pytest.mark.long
async def test_every_job_of_a_crowd_completes_once_although_its_workers_die(scene: Scene) -> None:
    job_ids: list[str] = []
    for point in POINTS:
        job_ids += await scene.kill_at(point, _submit_a_crowd(scene)) or []
        await scene.hurry()
        await scene.crew(2)
    await eventually(lambda: _all_over(scene), within=WITHIN)
    became = await scene.api.sql("SELECT state, count(*) FROM jobs WHERE id = ANY($1) GROUP BY state", job_ids)
    completed = [row["job_id"] for row in await scene.api.sql(COMPLETED + " AND job_id = ANY($1)", job_ids)]

    assert {"completed": len(job_ids)} == {row["state"]: row["count"] for row in became}
    assert sorted(job_ids) == sorted(map(str, completed))
    assert [] == [job_id for job_id in job_ids if not scene.starts(job_id)]


async def _all_over(scene: Scene) -> bool:
    return not await scene.count("jobs WHERE state <> ALL($1)", FINAL)


async def _submit_a_crowd(scene: Scene) -> list[str]:
    crowd: list[tuple[str, dict[str, Any]]] = CROWD * TIMES
    return list(await asyncio.gather(*(scene.api.submit(job_type, payload) for job_type, payload in crowd)))
