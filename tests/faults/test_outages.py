"""RabbitMQ and Postgres go away under running jobs, and come back: nothing is lost, each outcome is recorded once.

The short form; the witness file counts what really ran.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from deploy.postgres import Postgres
from deploy.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

WORK = "work.default"
JOBS = 20


async def test_nothing_is_acked_before_its_outcome_is_committed(
    api: Api, stack: Stack, rabbit: Rabbit, postgres: Postgres
) -> None:
    """
    Postgres is gone when the jobs end.  All their messages are still the broker's: it hands them out again when the
    connections are cut, and the rows answer them once there is a Postgres to ask.
    """
    ids = await _naps(api, seconds=2.0)
    await eventually(lambda: _count(stack, "started", ids) == JOBS)
    await asyncio.to_thread(postgres.stop)
    await eventually(lambda: _count(stack, "ended", ids) == JOBS, within=20)
    await rabbit.cut_connections()
    still_there = await eventually(lambda: _holds(rabbit, JOBS))
    await asyncio.to_thread(postgres.start)
    jobs = await api.all_finished(*ids, within=30)
    await eventually(lambda: _settled(stack, rabbit), within=30)

    assert still_there
    assert {"completed"} == {job["state"] for job in jobs}
    assert JOBS == _count(stack, "started", ids)
    assert await _one_outcome_each(api, ids)


async def test_a_frozen_postgres_delays_and_loses_nothing(api: Api, stack: Stack, postgres: Postgres) -> None:
    """
    It closes no connection and answers nothing, longer than a call may take.
    """
    ids = await _naps(api, seconds=1.0)
    await eventually(lambda: _count(stack, "started", ids) == JOBS)
    waited = len(stack.logged("actors", "record_waits_for_database"))
    postgres.pause()
    await eventually(lambda: len(stack.logged("actors", "record_waits_for_database")) > waited, within=20)
    postgres.resume()
    jobs = await api.all_finished(*ids, within=30)

    assert {"completed"} == {job["state"] for job in jobs}
    assert JOBS == _count(stack, "started", ids)
    assert await _one_outcome_each(api, ids)


async def test_jobs_outlive_the_broker(api: Api, stack: Stack, rabbit: Rabbit, rabbitmq: RabbitMQ) -> None:
    """
    They end and are recorded while there is no broker; their redeliveries are answered from the row.  What is submitted
    meanwhile waits in the outbox.
    """
    ids = await _naps(api, seconds=1.0)
    await eventually(lambda: _count(stack, "started", ids) == JOBS)
    await asyncio.to_thread(rabbitmq.kill)
    jobs = await api.all_finished(*ids, within=20)
    meanwhile = await api.submit("echo")
    await asyncio.to_thread(rabbitmq.start)
    after = await api.finished(meanwhile, within=40)
    await eventually(lambda: _settled(stack, rabbit), within=30)

    assert ({"completed"}, "completed") == ({job["state"] for job in jobs}, after["state"])
    assert JOBS == _count(stack, "started", ids)
    assert await _one_outcome_each(api, ids)


async def test_a_long_job_runs_once_while_its_connections_are_cut(
    api: Api, stack: Stack, rabbit: Rabbit, tell: Callable[[str], None], long: bool
) -> None:
    """
    Its message comes again each time, to its own process or to another; neither starts it a second time.
    """
    seconds, cuts = (60.0, 5) if long else (5.0, 2)
    job_id = await api.submit("nap", {"seconds": seconds})
    await eventually(lambda: _count(stack, "started", [job_id]))
    lost = len(stack.logged("actors", "consumer_lost"))
    for cut in range(1, cuts + 1):
        await eventually(lambda: _cut(rabbit), within=20)
        await eventually(lambda: _consuming_again(stack, lost + cut * 2), within=20)  # noqa: B023 - called in this turn
    still_there = 0 == _count(stack, "ended", [job_id])
    job = await api.finished(job_id, within=60)
    await eventually(lambda: _settled(stack, rabbit), within=30)
    tell(f"all connections cut {cuts} times under a job of {seconds:.0f} s: started {job['result']['starts']} time")

    assert still_there or not long
    assert ("completed", 1, 1) == (job["state"], job["attempt"], job["result"]["starts"])
    assert [0] == [row["crashes"] for row in await api.sql("SELECT crashes FROM jobs WHERE id = $1", job_id)]


async def test_with_postgres_away_a_submission_is_kept_by_rabbitmq_and_done_later(
    api: Api, stack: Stack, postgres: Postgres
) -> None:
    await asyncio.to_thread(postgres.stop)
    job_id = await api.submit("echo", {"message": "early"})
    await asyncio.to_thread(postgres.start)
    job = await api.finished(await api.born(job_id), within=20)

    assert ("completed", {"message": "early"}) == (job["state"], job["result"])


async def _naps(api: Api, seconds: float) -> list[str]:
    return list(await asyncio.gather(*(api.submit("nap", {"seconds": seconds}) for _ in range(JOBS))))


def _count(stack: Stack, event: str, ids: Sequence[str]) -> int:
    return sum(line in {f"{job_id} {event}" for job_id in ids} for line in stack.witness.read_text().splitlines())


async def _holds(rabbit: Rabbit, messages: int) -> bool:
    return messages == await rabbit.ready(WORK)


async def _settled(stack: Stack, rabbit: Rabbit) -> bool:
    """Both workers consume, and no message of theirs is left, ready or unacked."""
    return (
        await asyncio.to_thread(stack.consuming, 2)
        and 0 == await rabbit.ready(WORK)
        and 0 == await rabbit.unacked(WORK)
    )


async def _cut(rabbit: Rabbit) -> bool:
    return bool(await rabbit.cut_connections())


def _consuming_again(stack: Stack, times: int) -> bool:
    return len(stack.logged("actors", "consumer_lost")) >= times and stack.consuming(2)


async def _one_outcome_each(api: Api, ids: list[str]) -> bool:
    rows = await api.sql("SELECT outcome, count(*) AS times FROM attempts WHERE job_id = ANY($1) GROUP BY outcome", ids)
    return [("completed", len(ids))] == [(row["outcome"], row["times"]) for row in rows]
