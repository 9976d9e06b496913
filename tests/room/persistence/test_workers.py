"""The heartbeat and its answer: what to cancel, what is lost, and how far the queues have come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from persistence.crew import workers
from persistence.crew.workers import Held, Orders, Pulse
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, silent, submission, working

PULSE = Pulse(free_slots=3, consuming=True, idle_seconds=None)
NONE: frozenset[object] = frozenset()


async def test_who_holds_nothing_has_no_orders(database: Database) -> None:
    session = await working(database)

    assert Orders(frozenset(), frozenset(), alive=True) == await workers.beat(database, session, PULSE)
    assert (1, 1) == await workers.count_alive(database, 15)


async def test_a_beat_says_what_to_cancel_and_what_is_lost(database: Database) -> None:
    session, other = await working(database), await working(database)
    fine, cancelled, taken, deleted, done = jobs = [submission() for _ in range(5)]
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
    await database.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", cancelled.id)
    await database.fetch("UPDATE jobs SET lease = 2, holder = $2 WHERE id = $1", taken.id, other)
    await database.fetch("DELETE FROM jobs WHERE id = $1", deleted.id)
    await recorded(database, ended(done, 1))

    orders = await workers.beat(database, session, PULSE, [Held(job.id, 1) for job in jobs])

    assert Orders(frozenset({cancelled.id}), frozenset({taken.id, deleted.id, done.id}), alive=True) == orders
    assert "running" == await field(database, fine, "state")


async def test_who_was_judged_dead_learns_it_keeps_what_nobody_took_over_and_works_on(database: Database) -> None:
    session, other = await working(database), await working(database)
    kept, taken = submission(), submission()
    await accepted(database, kept, taken)
    await ask(database, session, kept)
    await ask(database, session, taken)
    await workers.end(database, session)
    await ask(database, other, taken)

    held = [Held(kept.id, 1), Held(taken.id, 1)]
    first, second = [await workers.beat(database, session, PULSE, held) for _ in range(2)]

    assert Orders(frozenset(), frozenset({taken.id}), alive=False) == first
    assert Orders(frozenset(), frozenset({taken.id}), alive=True) == second
    assert (None, "running") == (await field(database, kept, "orphaned_at"), await field(database, kept, "state"))
    assert (2, 2) == ((await workers.count_alive(database, 15))[0], await field(database, taken, "lease"))


async def test_arriving_again_does_not_hide_that_one_was_judged_dead(database: Database) -> None:
    session = await working(database)
    await workers.end(database, session)
    await workers.arrive(database, workers.Worker(session, "w:1", "w", 1, ["default"], ["echo"], 10))

    assert not (await workers.beat(database, session, PULSE)).alive


async def test_a_gap_between_beats_ends_what_counts_as_steady(database: Database) -> None:
    session = await working(database)
    await database.fetch("UPDATE workers SET steady_since = now() - interval '1 hour'")
    await workers.beat(database, session, PULSE)
    (before,) = await database.fetch("SELECT steady_since < now() - interval '59 min' AS steady FROM workers")
    await silent(database, session, 11)
    await workers.beat(database, session, PULSE)
    (after,) = await database.fetch("SELECT steady_since < now() - interval '1 s' AS steady FROM workers")

    assert (True, False) == (before["steady"], after["steady"])


async def test_a_beat_says_what_is_held_and_since_when_the_process_drains(database: Database) -> None:
    """
    However it came to that: by a request, or by a signal.
    """
    session = await working(database)
    seen = []
    for pulse in (PULSE, replace(PULSE, paused=["default"], draining=True), replace(PULSE, draining=True)):
        await workers.beat(database, session, pulse)
        (row,) = await database.fetch("SELECT paused, drain_requested_at FROM workers")
        seen.append((row["paused"], row["drain_requested_at"]))

    assert [[], ["default"], []] == [paused for paused, _ in seen]
    assert (None, True) == (seen[0][1], seen[1][1] == seen[2][1] is not None)


async def test_the_mark_of_a_queue_only_rises(database: Database) -> None:
    session, now = await working(database), datetime.now(UTC)
    for seconds in (10, 5, 20):
        marks = {("default", 5): now + timedelta(seconds=seconds), ("other", 1): now}
        await workers.beat(database, session, replace(PULSE, marks=marks))

    rows = await database.fetch("SELECT queue, priority, due_at FROM queue_marks ORDER BY queue")
    assert [("default", 5, now + timedelta(seconds=20)), ("other", 1, now)] == [tuple(row.values()) for row in rows]


async def test_beats_that_mark_the_same_queues_in_any_order_do_not_deadlock(database: Database) -> None:
    sessions, start = [await working(database) for _ in range(4)], datetime.now(UTC)
    levels = [(f"queue{n}", p) for n in range(5) for p in range(1, 11)]

    async def beats(session: object, order: list[tuple[str, int]]) -> None:
        for seconds in range(20):
            marks = dict.fromkeys(order, start + timedelta(seconds=seconds))
            await workers.beat(database, session, replace(PULSE, marks=marks))  # type: ignore[arg-type]

    await asyncio.gather(*[beats(s, levels if i % 2 else levels[::-1]) for i, s in enumerate(sessions)])

    assert 50 == (await database.fetch("SELECT count(*) AS n FROM queue_marks"))[0]["n"]
