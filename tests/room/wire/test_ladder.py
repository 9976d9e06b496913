"""The delay ladder as it stands on a real broker: hundreds of messages on it at once, none early, none lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from tests.conftest import Places
from wire import ladder, topology
from wire.message import Header, Outgoing, job_message
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile

TYPE, QUEUE = "walker", "work.walkers"
SLACK = 20.0  # seconds for the hops and for us, on a busy machine with two cores that stands still at times


@pytest_asyncio.fixture
async def door(broker: Broker) -> AsyncIterator[Broker]:
    """A ladder that leads to one queue."""
    await broker.declare(topology.fixed(Profile.CLASSIC))
    await broker.declare([topology.serve("walkers", Profile.CLASSIC), *topology.bind_type(TYPE, "walkers")])
    yield broker


def walker(units: int, job_id: UUID | None = None) -> Outgoing:
    return job_message(
        job_id=job_id or uuid4(), job_type=TYPE, priority=5, body=b"{}", run=1, wait_units=units, trace={}
    )


@contextlib.asynccontextmanager
async def arrivals(places: Places) -> AsyncIterator[asyncio.Queue[tuple[str, float, Mapping[str, object]]]]:
    """What comes out of the work queue: whose it is, when it came, its headers."""
    link = Broker(places.amqp_url, "arrivals", timeout_seconds=10)
    came: asyncio.Queue[tuple[str, float, Mapping[str, object]]] = asyncio.Queue()

    async def listen() -> None:
        async for batch in link.batches(QUEUE, 500):
            for message in batch.messages:
                came.put_nowait((message.message_id or "", time.monotonic(), message.headers))
            await batch.ack()

    await link.start()
    listening = asyncio.create_task(listen())
    yield came
    listening.cancel()
    await asyncio.wait({listening})
    await link.stop()


async def test_hundreds_of_waits_end_in_their_own_time(door: Broker, places: Places, long: bool) -> None:
    """
    Each comes once, never early, and late by no more than its hops take; by the clock of whoever published.
    """
    dice = random.Random(20261121)
    most = 60.0 if long else 3.2
    waits = {uuid4(): ladder.exact(timedelta(seconds=dice.uniform(0.05, most))) for _ in range(300)}
    sent, late = dict[str, tuple[float, float]](), dict[str, float]()

    async def send(job_id: UUID, units: int) -> None:
        began = time.monotonic()
        await door.publish(walker(units, job_id))
        sent[str(job_id)] = (began, time.monotonic())

    async with arrivals(places) as came:
        await asyncio.gather(*(send(job_id, units) for job_id, units in waits.items()))
        for _ in waits:
            async with asyncio.timeout(most + 60):
                job_id, at, _ = await came.get()
            seconds = waits[UUID(job_id)] * ladder.UNIT_MS / 1000
            assert at - sent[job_id][0] >= seconds, "early"
            late[job_id] = at - sent[job_id][1] - seconds
        again = came.empty()

    assert (set(map(str, waits)), True) == (set(late), again)
    assert max(late.values()) < SLACK, sorted(late.values())[-5:]


async def test_one_job_goes_through_the_ladder_five_times(door: Broker, places: Places) -> None:
    """
    As its fifth retry does: each trip is a new message with our headers and none of the broker's.
    """
    job_id = uuid4()
    trips = []
    async with arrivals(places) as came:
        for _ in range(5):
            await door.publish(walker(3, job_id))
            async with asyncio.timeout(60):
                trips.append((await came.get())[0])

    assert [str(job_id)] * 5 == trips


async def test_headers_that_are_carried_on_cost_the_second_trip(door: Broker, places: Places) -> None:
    """
    Why `x-death` is never republished: RabbitMQ 3.10 takes the second trip for a cycle and drops the message silently,
    as soon as it would pass from one level to another that it has passed before.
    """
    if not door.version.startswith("3.10."):
        pytest.skip(f"RabbitMQ {door.version} may do it otherwise")
    async with arrivals(places) as came:
        async with asyncio.timeout(60):
            await door.publish(first := walker(3))
            _, _, headers = await came.get()
            await door.publish(with_headers(first, headers))
            await door.publish(marker := walker(6))
            second, _, _ = await came.get()

    assert "x-death" in headers
    assert marker.message_id == second


def with_headers(message: Outgoing, headers: Mapping[str, object]) -> Outgoing:
    """The mistake of a client that copies what it has received."""
    copied: dict[str, Header] = {name: said for name, said in headers.items() if isinstance(said, str | int | list)}
    return Outgoing(
        message.exchange, message.routing_key, message.body, message.message_id, message.type, 5,
        copied,  # type: ignore[arg-type]  # ours have no lists
    )  # fmt: skip
