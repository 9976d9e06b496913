"""RabbitMQ and Postgres go away under running jobs, and come back: nothing is lost, each outcome is recorded once.

The short form; the witness file counts what really ran.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

WORK = "work.default"
JOBS = 20
WORKERS = 2


async def test_nothing_is_acked_before_its_outcome_is_committed(
    api: Api, stack: Stack, rabbit: Rabbit, postgres: Postgres, tmp_path: Path
) -> None:
    """
    Postgres is gone when the jobs end.  All their messages are still the broker's: it hands them out again when the
    connections are cut, and the rows answer them once there is a Postgres to ask.
    """
    ids = await _held(api, stack, tmp_path / "door")
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread((tmp_path / "door").touch)
    await eventually(lambda: _count(stack, "ended", ids) == JOBS, within=60)
    lost = len(stack.logged("actors", "consumer_lost"))
    await eventually(lambda: _cut(rabbit, stack, lost + WORKERS), within=60)
    still_there = await eventually(lambda: _holds(rabbit, JOBS), within=60)
    await asyncio.to_thread(postgres.start)
    jobs = await api.all_finished(*ids, within=60)
    await eventually(lambda: _settled(stack, rabbit), within=60)

    assert still_there
    assert {"completed"} == {job["state"] for job in jobs}
    assert JOBS == _count(stack, "started", ids)
    assert await _one_outcome_each(api, ids)


async def test_a_frozen_postgres_delays_and_loses_nothing(
    api: Api, stack: Stack, postgres: Postgres, tmp_path: Path
) -> None:
    """
    It closes no connection and answers nothing, longer than a call may take.
    """
    ids = await _held(api, stack, tmp_path / "door")
    waited = len(stack.logged("actors", "record_waits_for_database"))
    postgres.pause()
    await asyncio.to_thread((tmp_path / "door").touch)
    await eventually(lambda: len(stack.logged("actors", "record_waits_for_database")) > waited, within=60)
    postgres.resume()
    jobs = await api.all_finished(*ids, within=60)

    assert {"completed"} == {job["state"] for job in jobs}
    assert JOBS == _count(stack, "started", ids)
    assert await _one_outcome_each(api, ids)


async def test_jobs_outlive_the_broker(
    api: Api, stack: Stack, rabbit: Rabbit, rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    """
    They end and are recorded while there is no broker; their redeliveries are answered from the row.  What is submitted
    meanwhile waits in the outbox.
    """
    ids = await _held(api, stack, tmp_path / "door")
    await asyncio.to_thread(rabbitmq.kill)
    await asyncio.to_thread((tmp_path / "door").touch)
    jobs = await api.all_finished(*ids, within=60)
    meanwhile = await api.submit("echo")
    await asyncio.to_thread(rabbitmq.start)
    after = await api.finished(meanwhile, within=60)
    await eventually(lambda: _settled(stack, rabbit), within=60)

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
        await eventually(lambda: _cut(rabbit, stack, lost + cut * WORKERS), within=60)  # noqa: B023 - in this turn
        await eventually(lambda: stack.consuming(WORKERS), within=60)
    still_there = 0 == _count(stack, "ended", [job_id])
    job = await api.finished(job_id, within=60)
    await eventually(lambda: _settled(stack, rabbit), within=60)
    tell(f"all connections cut {cuts} times under a job of {seconds:.0f} s: started {job['result']['starts']} time")

    assert still_there or not long
    assert ("completed", 1, 1) == (job["state"], job["attempt"], job["result"]["starts"])
    assert [0] == [row["crashes"] for row in await api.sql("SELECT crashes FROM jobs WHERE id = $1", job_id)]


async def test_with_postgres_away_a_submission_is_kept_by_rabbitmq_and_done_later(
    api: Api, stack: Stack, rabbit: Rabbit, postgres: Postgres
) -> None:
    """
    One by HTTP and one straight to RabbitMQ, whose sender is told in a queue of its own.
    """
    told, foreign = f"answers.{uuid.uuid4()}", str(uuid.uuid4())
    await rabbit.declare(told)
    await api.finished(await api.submit("echo"))  # a gateway has to have seen a type once
    await asyncio.to_thread(postgres.stop)
    job_id = await api.submit("echo", {"message": "early"})
    said = {"message_id": foreign, "reply_to": told, "delivery_mode": 2}
    await rabbit.publish("jobs.in", "job.echo.p5", b'{"type": "echo", "payload": {"message": "early"}}', **said)
    waiting = await rabbit.ready(told)
    await asyncio.to_thread(postgres.start)
    jobs = [await api.finished(await api.born(one), within=60) for one in (job_id, foreign)]
    await eventually(lambda: _holds(rabbit, 1, told), within=60)
    await rabbit.delete_queue(told)

    assert [("completed", {"message": "early"})] * 2 == [(job["state"], job["result"]) for job in jobs]
    assert 0 == waiting


async def test_with_postgres_away_another_body_under_a_known_key_ends_as_one_dead_letter(
    api: Api, stack: Stack, rabbit: Rabbit, postgres: Postgres
) -> None:
    """
    Nobody can know by then that the key is taken: the answer is 202, with the first job's id.  A worker and the
    recorder both meet the message; the first job stands as it was.
    """
    key = f"order {uuid.uuid4()}"
    first = await api.submit("echo", {"message": "first"}, idempotency_key=key)
    await api.finished(first)
    await asyncio.to_thread(postgres.stop)
    answered = await api.client.post(
        "/api/v1/jobs", json={"type": "echo", "payload": {"message": "other"}, "idempotency_key": key}
    )
    behind = await api.submit("echo", {"message": "behind it"})
    await asyncio.to_thread(postgres.start)
    await api.finished(await api.born(behind), within=60)
    letters = "SELECT reason, body FROM dead_letters WHERE message_id = $1"
    await eventually(lambda: api.sql(letters, first))
    await eventually(lambda: _settled(stack, rabbit))
    await eventually(lambda: _is_empty(rabbit, "births"))
    found, job = await api.sql(letters, first), await api.job(first)

    assert (202, first) == (answered.status_code, answered.json()["id"])
    assert ["id_reused"] == [letter["reason"] for letter in found]
    assert b'"other"' in found[0]["body"]
    assert ("completed", {"message": "first"}, 1) == (job["state"], job["result"], job["attempt"])


async def _held(api: Api, stack: Stack, door: Path) -> list[str]:
    """Jobs that have begun, and that do not end before the door is there, however long it takes until then."""
    ids = list(await asyncio.gather(*(api.submit("hold", {"opens": str(door)}) for _ in range(JOBS))))
    await eventually(lambda: _count(stack, "started", ids) == JOBS)
    return ids


def _count(stack: Stack, event: str, ids: Sequence[str]) -> int:
    return sum(line in {f"{job_id} {event}" for job_id in ids} for line in stack.witness.read_text().splitlines())


async def _holds(rabbit: Rabbit, messages: int, queue: str = WORK) -> bool:
    return messages == await rabbit.ready(queue)


async def _is_empty(rabbit: Rabbit, queue: str) -> bool:
    return 0 == await rabbit.ready(queue) + await rabbit.unacked(queue)


async def _settled(stack: Stack, rabbit: Rabbit) -> bool:
    """Both workers consume, and no message of theirs is left, ready or unacked."""
    return (
        await asyncio.to_thread(stack.consuming, WORKERS)
        and 0 == await rabbit.ready(WORK)
        and 0 == await rabbit.unacked(WORK)
    )


async def _cut(rabbit: Rabbit, stack: Stack, times: int) -> bool:
    """Cut what the console knows of, which are new connections only after seconds, until the workers have noticed."""
    await rabbit.cut_connections()
    return len(stack.logged("actors", "consumer_lost")) >= times


async def _one_outcome_each(api: Api, ids: list[str]) -> bool:
    rows = await api.sql("SELECT outcome, count(*) AS times FROM attempts WHERE job_id = ANY($1) GROUP BY outcome", ids)
    return [("completed", len(ids))] == [(row["outcome"], row["times"]) for row in rows]
