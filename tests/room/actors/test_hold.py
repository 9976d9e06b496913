"""Paused queues: nothing of them starts, what waits here goes back, and all of it comes again."""

from __future__ import annotations

import asyncio
import json
import uuid

import dramatiq
import pika

from actors.broker import JobBroker
from actors.declared.roster import job_types
from actors.job import job
from actors.process.assemble import assemble
from actors.process.lane_thread import describe
from persistence.declared import pauses
from persistence.declared.pauses import Kind
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import Running, publish, ready, settings_for

WORK = "work.default"


async def test_what_waits_here_goes_back_and_what_runs_is_finished(running: Running, places: Places) -> None:
    """
    Of the highest priority: nothing else would send these back.
    """
    for name in "abcde":
        await _send_first(running, name)
    await eventually(lambda: len(running.started) == 2)
    await eventually(lambda: running.lane.pulse().waiting == 3)
    running.lane.hold.heed(["default", "another"])
    await eventually(lambda: _holds(places, 3))
    for name in "abcde":
        running.release(name)
    await eventually(lambda: not running.lane.upkeep.held())
    held = running.lane.pulse()
    started = list(running.started)
    running.lane.hold.heed(["another"])
    await eventually(lambda: len(running.started) == 5)

    assert (("default",), True, 0) == (held.paused, held.consuming, held.waiting)
    assert 2 == len(started)
    await eventually(lambda: _holds(places, 0))


async def test_a_connection_that_is_made_anew_does_not_consume_what_is_held(running: Running, places: Places) -> None:
    running.lane.hold.heed(["default"])
    await eventually(lambda: running.lane.hold.now)
    lives, connection = running.lives, running.consumer._connection
    assert connection is not None
    connection.close()  # lost, as far as the consumer knows
    await running.send("a")
    await eventually(lambda: running.again_since(lives))
    await eventually(lambda: _holds(places, 1))
    started = list(running.started)
    running.release("a")
    running.lane.hold.heed([])
    await eventually(lambda: running.started)

    assert [] == started


async def test_an_order_that_says_nothing_new_costs_nothing(running: Running, database: Database) -> None:
    changes: list[object] = []
    running.lane.hold.changed = lambda: changes.append(running.lane.hold.now)
    for paused in (["default"], ["default", "another"], ["another"], []):
        running.lane.hold.heed(paused)
        await eventually(lambda: running.lane.hold.now == tuple(sorted({"default"} & set(paused))))  # noqa: B023

    assert [("default",), ()] == changes


async def test_a_worker_that_boots_asks_before_it_consumes(places: Places, database: Database) -> None:
    """
    Without the help of a heartbeat, which comes later or sooner.
    """
    await pauses.pause(database, Kind.QUEUE, "default", by="ada", note=None)
    mine = settings_for(places)
    broker = JobBroker(places.amqp_url, mine.limits, "test sender")
    dramatiq.set_broker(broker)

    @job("gate")
    async def gate() -> None:
        """Never runs."""

    types = job_types(broker.actors, mine.limits)
    parts = assemble(broker, database, describe(mine, types), mine, types)
    await parts.start()
    await eventually(lambda: parts.consumer.consuming)
    consumers = await asyncio.to_thread(_consumers, places)
    await parts.stop()

    assert (0, ("default",)) == (consumers, parts.lane.hold.now)


async def _send_first(running: Running, name: str) -> None:
    body = json.dumps({"type": "gate", "payload": {"name": name}, "priority": 10}).encode()
    said = {"type": "gate", "message_id": str(uuid.uuid4()), "priority": 10}
    await publish(running.amqp_url, "jobs.in", "job.gate.p10", body, **said)


def _consumers(places: Places) -> int:
    with pika.BlockingConnection(pika.URLParameters(places.amqp_url)) as connection:
        return int(connection.channel().queue_declare(WORK, passive=True).method.consumer_count)


async def _holds(places: Places, messages: int) -> bool:
    return messages == await ready(places.amqp_url, WORK)
