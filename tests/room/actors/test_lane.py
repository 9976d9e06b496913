"""The lane: what arrives twice runs once, what is not its own goes to the recorder."""

from __future__ import annotations

import asyncio
import signal
import uuid

from deploy.servers.rabbitmq import manage
from persistence.crew.workers import Held, Orders
from persistence.questions import reads
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.rabbit import Rabbit
from tests.room.actors.running import Running, publish, ready, running_lane
from wire.states import State

WORK = "work.default"


async def test_a_copy_of_a_running_job_is_attached_to_it_and_acked_with_it(
    running: Running, places: Places, database: Database
) -> None:
    job_id = await running.send("a")
    await eventually(lambda: running.started)
    await running.send("a", job_id)
    await running.send("a", job_id)
    other = await running.send("b")  # comes after the copies: they have been seen when it runs
    await eventually(lambda: "b" in running.started)
    running.release("a")
    running.release("b")
    for each in (job_id, other):
        await eventually(lambda: _state(database, each))  # noqa: B023 - called in this turn

    assert ["a", "b"] == running.started
    await running.consumer.stop()
    assert 0 == await ready(places.amqp_url, WORK)


async def test_a_lease_that_is_gone_interrupts_its_job_and_a_start_since_then_is_not_meant(
    running: Running, database: Database
) -> None:
    """
    A process that wakes after minutes learns it from its heartbeat's answer: who has the job now runs it alone.
    """
    job_id = uuid.UUID(await running.send("a"))
    await eventually(lambda: running.started)
    (held,) = running.lane.upkeep.held()
    await database.fetch("UPDATE jobs SET lease = lease + 1, holder = $2 WHERE id = $1", job_id, uuid.uuid4())
    gone = Orders(cancel=frozenset(), lost=frozenset({job_id}), alive=True)
    running.lane.upkeep.obey(gone, [Held(job_id, held.lease + 1)])
    still_held = running.lane.upkeep.held()
    running.lane.upkeep.obey(gone, [held])
    await eventually(lambda: not running.lane.upkeep.held())
    attempts = await reads.attempts_of(database, job_id)

    assert [held] == still_held
    assert [(1, "superseded")] == [(attempt.lease, attempt.outcome) for attempt in attempts]
    assert State.RUNNING is await _known_state(database, str(job_id))


async def test_an_order_to_drain_is_the_signal_of_every_end_and_is_given_once(running: Running) -> None:
    """
    Each heartbeat's answer repeats it, also to a process that drains already: a second signal could cut that short.
    """
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        order = Orders(frozenset(), frozenset(), alive=True, drain=True)
        running.lane.obey(order, [])
        running.lane.obey(order, [])
        first = list(heard)
        running.lane._asked_to_end = False
        await running.lane.drain()
        running.lane.obey(order, [])
    finally:
        signal.signal(signal.SIGTERM, before)

    assert [signal.SIGTERM] == first == heard


async def test_copies_do_not_hold_up_the_jobs_behind_them(running: Running, places: Places) -> None:
    """
    With one place left, copies of what runs are not taken for work.
    """
    job_id = await running.send("long")
    await eventually(lambda: running.started)
    for _ in range(5):
        await running.send("long", job_id)
    await running.send("short")
    await eventually(lambda: "short" in running.started)
    running.release("long")
    running.release("short")

    assert ["long", "short"] == running.started


async def test_no_more_runs_than_there_are_places(running: Running, database: Database) -> None:
    """
    What waits in the buffer is nobody's: its rows are not claimed.
    """
    ids = [await running.send(str(number)) for number in range(5)]
    await eventually(lambda: len(running.started) == 2)
    states = [await _known_state(database, job_id) for job_id in ids]
    for number in range(5):
        running.release(str(number))
    await eventually(lambda: len(running.started) == 5)

    assert 2 == sum(state is State.RUNNING for state in states)


async def test_a_type_that_is_unknown_here_goes_to_the_recorder(running: Running, places: Places) -> None:
    """
    By way of the dead queue: it may be known elsewhere, and only the recorder can tell.
    """
    await publish(places.amqp_url, "", WORK, b"{}", type="of_another", message_id=str(uuid.uuid4()))

    await eventually(lambda: _holds(places, "dead", 1))


async def test_a_connection_that_is_cut_costs_nothing(running: Running, places: Places, database: Database) -> None:
    """
    The job goes on; its message comes again and is attached; its outcome is recorded once and acked.
    """
    job_id = await running.send("a")
    await eventually(lambda: running.started)
    rabbit = Rabbit(places.amqp_url, places.management_url, places.vhost)
    await _cut(rabbit, running)
    await running.send("b")
    await eventually(lambda: "b" in running.started)
    running.release("a")
    running.release("b")
    await eventually(lambda: _state(database, job_id))
    await running.consumer.stop()

    assert ["a", "b"] == running.started
    assert 1 == len(await reads.attempts_of(database, uuid.UUID(job_id)))
    await eventually(lambda: _holds(places, WORK, 0))


async def test_a_drain_gives_back_what_waits_and_interrupts_what_lasts(places: Places, database: Database) -> None:
    async with running_lane(places, database, concurrency=1, prefetch=20, drain_seconds=0.2) as running:
        job_id = await running.send("a")
        await eventually(lambda: running.started)
        waiting = await running.send("b")
        await running.send("c", job_type="gate")
        await running.lane.drain()
        attempts = await reads.attempts_of(database, uuid.UUID(job_id))
        await running.consumer.stop()

    assert ["interrupted"] == [attempt.outcome for attempt in attempts]
    assert State.RUNNING is not await _known_state(database, waiting)
    await eventually(lambda: _holds(places, WORK, 3))
    await asyncio.to_thread(manage, places.management_url, "DELETE", f"queues/{places.vhost}/{WORK}/contents")


async def test_a_claim_that_is_granted_while_the_lane_drains_is_not_abandoned(
    places: Places, database: Database
) -> None:
    """
    Or the job would seem to have crashed, when nobody had begun it.
    """
    async with running_lane(places, database, concurrency=1, drain_seconds=1.0) as running:
        async with database.transaction() as locked:
            await locked.execute("LOCK TABLE jobs IN SHARE MODE")
            job_id = await running.send("a")
            await eventually(lambda: _waits_for_a_lock(database))
            drained = asyncio.create_task(running.lane.drain())
            await eventually(lambda: not running.consumer.consuming)
        await drained
        attempts = await reads.attempts_of(database, uuid.UUID(job_id))

    assert (State.QUEUED, ["interrupted"]) == (await _known_state(database, job_id), [a.outcome for a in attempts])


async def _waits_for_a_lock(database: Database) -> bool:
    return bool(await database.fetch("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass"))


async def _state(database: Database, job_id: str) -> bool:
    return await _known_state(database, job_id) is State.COMPLETED


async def _known_state(database: Database, job_id: str) -> State | None:
    job = await reads.one_job(database, uuid.UUID(job_id))
    return job.state if job else None


async def _holds(places: Places, queue: str, messages: int) -> bool:
    return messages == await ready(places.amqp_url, queue)


async def _cut(rabbit: Rabbit, running: Running) -> None:
    """Until the consumer has lost its connection, which the broker's list may show later than the publisher's."""
    lives = running.lives

    async def lost() -> bool:
        await rabbit.cut_connections()
        return running.lives > lives

    await eventually(lost)
    await eventually(lambda: running.again_since(lives))
