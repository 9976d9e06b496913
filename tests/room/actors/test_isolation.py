"""What cannot be stored fails alone: its neighbours of the same batch do not notice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import Running, running_lane

ODD = {"nan": float("nan"), "nul": "a\x00b", "surrogate": "\ud800", "huge": 10**200_000}
BATCH = 500


async def test_four_results_of_five_hundred_cannot_be_stored_and_only_they_fail(
    places: Places, database: Database
) -> None:
    """
    All end in the same turn of the loop, so they are recorded together; each was tried once.
    """
    names = [*ODD, *(f"good {number}" for number in range(BATCH - len(ODD)))]
    async with running_lane(places, database, concurrency=BATCH, prefetch=BATCH) as running:
        running.returns |= ODD
        ids = dict(zip(await running.send_all(names), names, strict=True))
        await eventually(lambda: len(running.started) == BATCH)
        for name in names:
            running.release(name)
        await eventually(lambda: _recorded(database))
        rows = await database.fetch("SELECT id::text, state, reason, result, attempt, finished_at FROM jobs")
        outcomes = await database.fetch("SELECT outcome, count(*) AS n FROM attempts GROUP BY outcome ORDER BY 1")

    failed = {ids[row["id"]]: row["reason"] for row in rows if row["state"] == "failed"}
    times = [row["finished_at"] for row in rows]
    assert dict.fromkeys(ODD, "unstorable_result") == failed
    assert {f'"{ids[row["id"]]}"' for row in rows if row["state"] == "completed"} == {
        f'"{name}"' for name in names if name not in ODD
    }
    assert [("completed", BATCH - len(ODD)), ("failed", len(ODD))] == [(r["outcome"], r["n"]) for r in outcomes]
    assert max(times) - min(times) < timedelta(seconds=20)


async def test_what_only_postgres_refuses_is_found_by_halves_and_fails_alone(
    running: Running, database: Database
) -> None:
    """
    A rule of the table that no encoder of ours knows: the batch is halved until the culprit stands alone.
    """
    await database.fetch("ALTER TABLE jobs ADD CONSTRAINT odd CHECK (result IS NULL OR result::text::date IS NOT NULL)")
    running.returns |= {"a": "2026-11-21", "b": "no date"}
    ids = [await running.send(name) for name in ("a", "b")]
    await eventually(lambda: len(running.started) == 2)
    running.release("a")
    running.release("b")
    await eventually(lambda: _recorded(database))
    rows = await database.fetch("SELECT id, state, reason, error_message FROM jobs")
    by_id = {row["id"]: row for row in rows}
    good, bad = by_id[UUID(ids[0])], by_id[UUID(ids[1])]

    assert ("completed", "failed", "unstorable_result") == (good["state"], bad["state"], bad["reason"])
    assert "Postgres refused the outcome: invalid input syntax for type date" in bad["error_message"]


async def test_a_message_of_another_body_under_a_running_jobs_id_is_a_dead_letter(
    running: Running, database: Database
) -> None:
    """
    Twice the same message is one job; the same id with another body is nobody's copy, in whatever order they come.
    """
    job_id = await running.send("a")
    await eventually(lambda: running.started)
    await running.send("a", job_id)
    await running.send("other", job_id)
    running.release("a")
    await eventually(lambda: _recorded(database))
    await eventually(lambda: _letters(database))
    await running.send("marker")
    running.release("marker")
    await eventually(lambda: "marker" in running.started)

    assert ["a", "marker"] == running.started
    assert ["id_reused"] == [row["reason"] for row in await _letters(database)]


async def test_two_bodies_under_one_id_in_one_batch_are_one_job_and_one_letter(
    places: Places, database: Database
) -> None:
    """
    Both wait in the queue when the worker comes, and are claimed together.
    """
    async with running_lane(places, database, concurrency=4, prefetch=20) as running:
        await running.consumer.stop_consuming()
        job_id = await running.send("a")
        await asyncio.gather(*(running.send("b", job_id) for _ in range(2)))
        await running.lane.drain()
    async with running_lane(places, database, concurrency=4, prefetch=20) as running:
        running.release("a")
        running.release("b")
        await eventually(lambda: _recorded(database))
        found = await eventually(lambda: _letters(database))
        started = running.started

    assert (1, ["id_reused"]) == (len(started), [row["reason"] for row in found])


async def _recorded(database: Database) -> bool:
    rows = await database.fetch("SELECT count(*) AS n, count(finished_at) AS ended FROM jobs")
    return bool(rows[0]["n"] == rows[0]["ended"] > 0)


async def _letters(database: Database) -> list[dict[str, str]]:
    return [dict(row) for row in await database.fetch("SELECT reason FROM dead_letters")]
