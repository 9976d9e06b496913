"""The rescue, on a real broker: what a purge, a deleted queue and a drained ladder take, it sends again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest_asyncio

from persistence.accepting.submission import Submission
from persistence.attempts.claim import claim
from persistence.crew import workers
from persistence.crew.workers import Pulse
from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import register
from persistence.store.database import Database
from scheduler.rescue import Rescue
from scheduler.sweep import Sweep
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO, LEASE_SECONDS, accepted, delivered, field, submission, working
from wire import ladder, topology
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import Profile, Queue

WORK = "work.default"
SETTINGS = Scheduler(rescue_grace_seconds=0, overtaken_seconds=60)
PULSE = Pulse(free_slots=1, consuming=True, idle_seconds=None)


@dataclass(frozen=True, slots=True)
class House:
    """A broker with a type, a database, and the loops whose rounds a test calls."""

    database: Database
    broker: Broker
    sweep: Sweep
    rescue: Rescue

    async def published(self, *jobs: Submission, minutes: float = 0) -> None:
        """Accepted so long ago, and on the broker."""
        await accepted(self.database, *jobs)
        await self.database.fetch("UPDATE outbox SET publish_after = clock_timestamp()")
        while await self.sweep.once():
            pass
        await self.database.fetch(
            "UPDATE jobs SET created_at = created_at - $1::interval, sent_at = NULL WHERE id = ANY($2)",
            timedelta(minutes=minutes),
            [job.id for job in jobs],
        )

    async def rescued(self, *beating: UUID) -> int:
        """What is found at the second look; these workers beat between them."""
        total = await self.rescue.once()
        for session in beating:
            await workers.beat(self.database, session, PULSE)
        return total + await self.rescue.once()

    async def depth(self) -> int | None:
        return await self.broker.depth(WORK)


@pytest_asyncio.fixture
async def house(database: Database, places: Places) -> AsyncIterator[House]:
    broker = Broker(places.amqp_url, "test", timeout_seconds=10)
    await broker.start()
    await declare(broker, database, "classic")
    await register(database, [ECHO])
    await open_ways(broker, Profile.CLASSIC, [ECHO])
    await broker.wait_connected()
    await purge(broker, WORK)
    sweep = Sweep(database, broker, Scheduler(sweep_batch=10_000))
    rescue = Rescue(database, broker, SETTINGS, LEASE_SECONDS)
    await rescue.once()  # the first look over a connection
    yield House(database, broker, sweep, rescue)
    await broker.stop()


async def purge(broker: Broker, *queues: str) -> None:
    """As an operator does it in the console."""
    async with broker._scratch() as channel:
        for queue in queues:
            await channel.queue_purge(queue)


async def test_what_was_purged_is_sent_again_once(house: House) -> None:
    jobs, session = [submission() for _ in range(2_500)], await working(house.database)
    await house.published(*jobs, minutes=1)
    await purge(house.broker, WORK)

    assert 2_500 == await house.rescued(session)
    assert 0 == await house.rescued(session)
    while (await house.database.fetch("SELECT count(*) AS n FROM outbox"))[0]["n"]:
        await house.sweep.once()
    assert 2_500 == await house.depth()
    assert 0 == await house.rescued(session)


async def test_a_long_honest_backlog_is_left_alone(house: House) -> None:
    """Ten thousand jobs that have waited for hours, of which the workers have started the first few."""
    jobs, session = [submission() for _ in range(10_000)], await working(house.database)
    await house.published(*jobs, minutes=300)
    await house.database.fetch(
        "UPDATE jobs SET created_at = now() - interval '5 hours' + n * interval '1 s' "
        "  FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM jobs) o WHERE o.id = jobs.id"
    )
    order = sorted(jobs, key=lambda job: job.id)
    marks = {}
    for job in order[:50]:
        answer = (await claim(house.database, session, [delivered(job)], LEASE_SECONDS))[job.id]
        assert answer.first
        assert answer.due_at
        marks[("default", job.priority)] = answer.due_at
    await workers.beat(house.database, session, Pulse(1, True, None, marks=marks))

    assert [0, 0, 0] == [await house.rescued(session) for _ in range(3)]


async def test_one_that_was_overtaken_is_found_in_a_queue_that_is_never_empty(house: House) -> None:
    lost, session = submission(), await working(house.database)
    await house.published(lost, minutes=10)
    await purge(house.broker, WORK)
    waiting, started = submission(), submission()
    await house.published(waiting, started, minutes=5)
    answer = (await claim(house.database, session, [delivered(started)], LEASE_SECONDS))[started.id]
    assert answer.due_at
    marks = {("default", started.priority): answer.due_at}
    await workers.beat(house.database, session, Pulse(1, True, None, marks=marks))

    assert 1 == await house.rescued(session)
    assert [2, 1] == [await field(house.database, job, "run") for job in (lost, waiting)]


async def test_a_job_that_a_worker_still_keeps_is_not_lost(house: House) -> None:
    job, session = submission(), await working(house.database)
    await house.published(job, minutes=10)
    await purge(house.broker, WORK)  # as if it had been delivered
    await house.rescue.once()
    await workers.beat(house.database, session, Pulse(0, True, None, waiting=1, waiting_seconds=60))

    assert 0 == await house.rescue.once()
    assert 1 == await house.rescued(session)


async def test_jobs_of_a_deleted_queue_are_sent_again_when_it_stands_again(house: House) -> None:
    await house.published(job := submission(), minutes=10)
    async with house.broker._scratch() as channel:
        await channel.queue_delete(WORK)
    gone = await house.depth(), await house.rescued()
    await open_ways(house.broker, Profile.CLASSIC, [ECHO])

    assert (None, 0) == gone
    assert 1 == await house.rescued()
    assert 2 == await field(house.database, job, "run")


async def test_jobs_whose_ladder_copy_is_gone_are_sent_when_they_are_due(house: House) -> None:
    jobs = [submission(starts_in=timedelta(seconds=seconds)) for seconds in (2, 3_600)]
    await house.published(*jobs)
    await purge(house.broker, *[ladder.level_name(level) for level in range(ladder.LEVELS)])
    early = await house.rescued()
    await house.database.fetch("UPDATE jobs SET scheduled_for = now() WHERE id = $1", jobs[0].id)

    assert (0, 1) == (early, await house.rescued())
    assert [2, 1] == [await field(house.database, job, "run") for job in jobs]


async def test_what_came_to_nowhere_is_sent_to_the_queue_its_type_has_now(house: House) -> None:
    """A queue that its type has left and nobody serves: its messages wait there for ever."""
    await house.broker.declare([Queue("work.left", topology.serve("left", Profile.CLASSIC).arguments)])
    await house.published(job := submission(), minutes=10)
    await house.database.fetch("UPDATE jobs SET queue = 'left' WHERE id = $1", job.id)

    assert 1 == await house.rescued()
    assert "default" == await field(house.database, job, "queue")


async def test_a_new_connection_needs_looks_of_its_own(house: House) -> None:
    """A broker that came back still lets out what its ladder has kept."""
    await house.published(submission(), minutes=10)
    await purge(house.broker, WORK)
    await house.rescue.once()
    before = house.broker.connections
    house.broker._lost.set()
    await eventually(lambda: house.broker.connections > before)

    assert [0, 0, 1] == [await house.rescue.once() for _ in range(3)]
