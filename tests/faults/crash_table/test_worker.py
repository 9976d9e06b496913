"""A worker dies: what its job does next.

A `starts` above 1 says that the function began again, which nothing can spare a job that was running; everywhere else
it began once.  No attempt is burned (most of these jobs may not be retried at all) and nobody is convicted.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from deploy.machine.processes import children
from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, Account, Scene
from tests.journey.api import JOBS

CRASHED: Final = ("crashed", "completed")
RETRIED: Final = ("retry", "completed")
AGAIN: Final = Account(starts=2, outcomes=CRASHED, crashes=1)
RETRY: Final = Account(starts=2, outcomes=RETRIED, attempt=2, run=2)

TABLE: Final[list[tuple[str, str, Account]]] = [
    # the worker dies at, while it does, and then
    ("run, begun", "nap", AGAIN),
    ("run, begun", "sync_nap", AGAIN),
    ("record, before it", "nap", AGAIN),
    ("record, before it", "stumbles", Account(starts=3, outcomes=("crashed", *RETRIED), attempt=2, run=2, crashes=1)),
    ("record, committed", "nap", Account()),
    ("record, committed", "stumbles", RETRY),
    ("record, next message published", "stumbles", RETRY),
    ("record, before the ack", "nap", Account()),
    ("record, before the ack", "stumbles", RETRY),
]


@pytest.mark.parametrize(("point", "job_type", "expected"), TABLE, ids=[f"{row[0]}: {row[1]}" for row in TABLE])
async def test_a_worker_dies(scene: Scene, point: str, job_type: str, expected: Account) -> None:
    submit = scene.api.submit(job_type, max_retries=int(job_type == "stumbles"))
    job_id = await scene.kill_at(point, submit)
    await scene.hurry()

    assert expected == await scene.taken_over(str(job_id))


async def test_a_job_that_was_claimed_and_had_not_begun_is_no_convict(scene: Scene) -> None:
    """
    It is only a suspect: what dies between its claim and its function may have been killed by its own body.
    """
    job_id = await scene.kill_at("claim, committed", scene.api.submit("nap", max_retries=0))

    assert Account(starts=1, outcomes=CRASHED, crashes=1, convictions=0) == await scene.account(str(job_id))


BEGETS: Final = [("record, children inserted", AGAIN), ("record, committed", Account())]


@pytest.mark.parametrize(("point", "expected"), BEGETS, ids=[row[0] for row in BEGETS])
async def test_a_child_lives_if_and_only_if_the_outcome_of_its_parent_does(
    scene: Scene, point: str, expected: Account
) -> None:
    parent = str(await scene.kill_at(point, scene.api.submit("begets", max_retries=0)))
    await scene.hurry()
    became = await scene.taken_over(parent)
    children_of_it = await scene.children(parent)

    assert (expected, [Account()]) == (became, await scene.accounts(children_of_it))


async def test_a_message_that_came_too_early_is_parked_although_its_worker_dies(scene: Scene) -> None:
    """
    A foreign publisher does not know the ladder; the message that the claim puts there is in the outbox first.
    """
    job_id, due = str(uuid.uuid4()), datetime.now(UTC) + timedelta(seconds=5)  # early for a busy machine, too
    body = {"type": "nap", "payload": {}, "run_at": due.isoformat()}
    await scene.kill_at("claim, committed", scene.publish("nap", job_id, json.dumps(body).encode()))
    await scene.hurry()
    became = await scene.account(job_id)
    (job,) = await scene.api.sql("SELECT started_at FROM jobs WHERE id = $1", job_id)

    assert Account(run=2) == became
    assert job["started_at"] >= due


async def test_a_letter_that_was_kept_before_its_worker_died_is_kept_once(scene: Scene) -> None:
    """
    The message comes again and is refused again; by the recorder, who has its own copy, as well.
    """
    message_id = str(uuid.uuid4())
    await scene.kill_at("letter, kept by a worker", scene.publish("nap", message_id, b'{"type": "nap"}'))
    await scene.calm()
    marker = await scene.api.submit("nap", priority=1)

    assert Account() == await scene.account(marker)
    assert 1 == await scene.count("dead_letters WHERE message_id = $1", message_id)
    assert 0 == await scene.count("jobs WHERE id = $1", message_id)


async def test_a_job_whose_worker_dies_while_it_is_told_to_stop_is_cancelled(scene: Scene) -> None:
    job_id = await scene.running("nap", {"seconds": 60.0})
    await scene.kill_at("run, told to stop", scene.api.client.post(f"{JOBS}/{job_id}/cancel"))

    assert Account("cancelled", outcomes=("crashed",)) == await scene.account(job_id)


async def test_a_worker_dies_while_it_opens_the_ways_of_a_new_type(scene: Scene) -> None:
    """
    What is published meanwhile finds no way to the work queue, and births is bound last: it falls out, and is kept.
    """
    words = ("newcomers", "--queues", "newcomers")
    environment = {"WARREN_ACTORS": "tests.faults.newcomers", "NEWCOMER": "newcomer"}
    point, job_id = "ways of a new type, two of four bound", str(uuid.uuid4())
    await scene.kill_at(point, asyncio.to_thread(scene.stack.workers, *words, processes=1, **environment))
    supervisor = scene.stack.processes["newcomers"].pid
    os.kill(supervisor, signal.SIGSTOP)
    await scene.publish("newcomer", job_id, b'{"type": "newcomer", "payload": {}}')
    await eventually(lambda: scene.count("jobs WHERE id = $1", job_id), within=WITHIN)
    await scene.hurry()
    os.kill(supervisor, signal.SIGCONT)
    became = await scene.account(job_id)
    await asyncio.to_thread(scene.stack.stop, "newcomers")

    assert Account() == became


DRAINS: Final = [
    ("drain, begun", AGAIN),  # killed while it waits for the job
    ("record, committed", Account(starts=2, outcomes=("interrupted", "completed"), run=2)),  # and after it has given up
]


@pytest.mark.parametrize(("point", "expected"), DRAINS, ids=[row[0] for row in DRAINS])
async def test_a_worker_dies_while_it_drains(scene: Scene, point: str, expected: Account) -> None:
    """
    An impatient operator: SIGTERM, then SIGKILL.
    """
    job_id = await scene.running("long_once")
    master = await scene.master_of(job_id)
    await scene.kill_at(point, asyncio.to_thread(os.kill, master, signal.SIGTERM))
    await scene.hurry()

    assert expected == await scene.taken_over(job_id)


async def test_the_supervisor_dies_before_it_has_written_the_end_of_a_child(scene: Scene) -> None:
    """
    Then only silence tells: the lease ends by itself, and the job is taken over or sent again.
    """
    job_id = await scene.running("long_once")
    (worker,) = children(await scene.master_of(job_id))
    await scene.kill_at("end of a child, before it is written", asyncio.to_thread(os.kill, worker, signal.SIGKILL))
    await scene.revive("actors")

    assert AGAIN == await scene.taken_over(job_id)


async def test_the_supervisor_dies_while_a_job_runs(scene: Scene) -> None:
    """
    Its children drain and end: the job is interrupted, uncounted, and runs again under the next supervisor.
    """
    job_id = await scene.running("long_once")
    orphans = scene.stack.worker_pids()
    await asyncio.to_thread(scene.stack.kill, "actors")
    await eventually(lambda: scene.count("attempts WHERE job_id = $1", job_id), within=WITHIN)
    scene.hire()
    await scene.hurry()

    assert Account(starts=2, outcomes=("interrupted", "completed"), run=2) == await scene.account(job_id)
    assert [] == [pid for pid in orphans if pid in scene.stack.worker_pids()]
