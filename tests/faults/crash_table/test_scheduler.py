"""The scheduler dies: what it had begun is finished by the next one, and nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from persistence.accepting.accept import insert
from persistence.accepting.submission import fill
from persistence.declared.job_types import JobType
from persistence.store.database import Database
from tests.eventually import eventually
from tests.faults.crash_table.scene import LADDER, WITHIN, Account, Scene
from wire.envelope import Envelope, encode
from wire.identity import fresh_id
from wire.topology import EPOCH
from wire.tracing import Trace

NAP: Final = JobType("nap", "default", "", '{"type": "object"}', 5, 0, 30.0, 2.0, 300.0)
BATCH: Final = 2  # WARREN_RESCUE_BATCH
KEEN: Final = {"WARREN_RESCUE_SECONDS": "0.3", "WARREN_RESCUE_GRACE_SECONDS": "0.3"}


@pytest.mark.parametrize("point", ["sweep, leased", "sweep, some published"])
async def test_the_scheduler_dies_while_it_sweeps(scene: Scene, point: str) -> None:
    """
    No row is deleted before its message is confirmed, so all of them are there; a second copy runs nothing.
    """
    job_ids = await _left_in_the_outbox(scene, 20)
    await scene.kill_at(point, scene.hurry())
    at_death = await scene.count("outbox")
    await scene.revive("scheduler")
    await scene.hurry()

    assert (20, [Account()] * 20) == (at_death, await scene.accounts(job_ids))


async def test_the_scheduler_dies_between_two_batches_of_a_rescue(scene: Scene) -> None:
    """
    Those of the first batch have their message and are not sent again; the next scheduler sees the others by itself.
    """
    job_ids = await _with_their_messages_gone(scene, 5)
    await _are_due(scene)
    await scene.kill_at("rescue, between two batches", _new_scheduler(scene, **KEEN))
    rescued = await scene.count("jobs WHERE id = ANY($1) AND run = 2", job_ids)
    await scene.revive("scheduler", **KEEN)
    became = await scene.accounts(job_ids)
    await _new_scheduler(scene)

    assert (BATCH, [Account(run=2)] * 5) == (rescued, became)


async def test_the_scheduler_dies_between_two_batches_of_orphans(scene: Scene) -> None:
    """
    All workers and their supervisor are killed at once, and none comes back before every job has a fresh message.
    """
    job_ids = [await scene.running("long_once") for _ in range(3)]
    await _kill_all_workers(scene)
    await scene.kill_at("reap, between two batches", _silence_is_long_enough(scene))
    sent = await scene.count("jobs WHERE id = ANY($1) AND state = 'queued'", job_ids)
    await scene.revive("scheduler")
    await eventually(lambda: _all_queued(scene, job_ids), within=WITHIN)
    scene.hire()

    became = [_but_for_its_turn(one) for one in await scene.accounts(job_ids)]

    assert (BATCH, [Account(starts=2, outcomes=("crashed", "completed"), run=2, crashes=1)] * 3) == (sent, became)


async def test_the_scheduler_dies_before_a_broker_that_lost_its_disk_has_the_epoch(scene: Scene) -> None:
    """
    The next one sends all waiting jobs once more, which costs messages and no second run.
    """
    job_ids = await _with_their_messages_gone(scene, 5)
    await _are_due(scene)
    await scene.purge(EPOCH)
    await scene.kill_at("epoch, before the broker has it", _new_scheduler(scene))
    sent = await scene.count("jobs WHERE id = ANY($1) AND run = 2", job_ids)
    await scene.revive("scheduler")
    became = await scene.accounts(job_ids)

    assert 5 == sent
    assert {Account()} == {replace(one, run=1) for one in became}
    assert {2, 3} >= {one.run for one in became}


async def _left_in_the_outbox(scene: Scene, count: int) -> list[str]:
    """Jobs as another service inserts them, or as a gateway leaves them that died after its commit."""
    now, database = datetime.now(UTC), Database(scene.stack.database_url, "test", connections=1, timeout_seconds=10)
    envelopes = [Envelope("nap", {}, b'{"seconds":0.1}', id=fresh_id()) for _ in range(count)]
    async with database.transaction() as transaction:
        await insert(transaction, [fill(one, NAP, encode(one), Trace.begin(), now) for one in envelopes])
    await database.stop()
    return [str(one.id) for one in envelopes]


async def _with_their_messages_gone(scene: Scene, count: int) -> list[str]:
    """Delayed jobs whose ladder an operator has purged."""
    job_ids = await asyncio.gather(*(scene.api.submit("nap", delay=60, max_retries=0) for _ in range(count)))
    await eventually(lambda: _none_in_the_outbox(scene), within=WITHIN)
    purged = await scene.purge(*LADDER)

    assert count == purged
    return list(job_ids)


async def _new_scheduler(scene: Scene, **settings: str) -> None:
    await asyncio.to_thread(scene.stack.kill, "scheduler")
    scene.stack.start("scheduler", **settings)


async def _none_in_the_outbox(scene: Scene) -> bool:
    return not await scene.count("outbox")


async def _are_due(scene: Scene) -> None:
    """The time of the delayed jobs has come."""
    await scene.api.sql(
        "UPDATE jobs SET scheduled_for = clock_timestamp() - interval '1 second' WHERE state = 'scheduled'"
    )


async def _kill_all_workers(scene: Scene) -> None:
    os.kill(scene.stack.processes["actors"].pid, signal.SIGSTOP)  # or it would start others, or tell these to drain
    for pid in [*scene.stack.masters(), *scene.stack.worker_pids()]:
        os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(scene.stack.kill, "actors")


async def _silence_is_long_enough(scene: Scene) -> None:
    """For the reaper's bound, and then for the grace in which the broker's own redelivery comes first."""
    await scene.api.sql("UPDATE workers SET heartbeat_at = heartbeat_at - interval '10 s' WHERE ended_at IS NULL")
    await eventually(lambda: scene.count("jobs WHERE orphaned_at IS NOT NULL"), within=WITHIN)
    await scene.api.sql("UPDATE jobs SET orphaned_at = orphaned_at - interval '10 s' WHERE orphaned_at IS NOT NULL")


async def _all_queued(scene: Scene, job_ids: list[str]) -> bool:
    return len(job_ids) == await scene.count("jobs WHERE id = ANY($1) AND state = 'queued'", job_ids)


def _but_for_its_turn(account: Account) -> Account:
    """A suspect does not begin beside another one: it is put off, uncounted, as often as it takes."""
    begun = tuple(outcome for outcome in account.outcomes if outcome != "snoozed")
    return replace(account, outcomes=begun, run=min(account.run, 2))
