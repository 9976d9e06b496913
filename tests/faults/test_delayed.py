"""Jobs that wait for an hour or for months: no process holds them, their time is kept, and a cancelled one stays so.

Where such a time would have to pass, the ladder's way is cut short: a message is taken from the queue of its level and
put where the ladder hands it in the end, on the exchange `delay.due`, with the key and the properties that it has.  Its
row is left as it is, so that the worker meets a message that is early; or made due, where the job is to run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pika
import pytest
import pytest_asyncio
from pika.adapters.blocking_connection import BlockingChannel

from deploy.servers.rabbitmq import RabbitMQ, manage
from tests.eventually import eventually
from tests.faults.load import accept_for_later
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack
from wire import ladder

HOUR = "delay.15"  # 36,000 units: the highest bit is the fifteenth
TOP = "delay.24"
UNIT = timedelta(milliseconds=ladder.UNIT_MS)
MOST_MIB = 8.0  # that a process may grow by; the crowd is larger
THROUGH_HTTP, ALL, ALL_LONG = 500, 3_000, 100_000
PADDING = "x" * 32_768  # five hundred jobs of it are 16 MiB


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message as it lies in the ladder."""

    routing_key: str
    body: bytes
    properties: pika.BasicProperties

    @property
    def wait(self) -> timedelta:
        """What its key says, from the moment it was published."""
        bits = self.routing_key.split(".")[: ladder.LEVELS]
        return int("".join(bits), 2) * UNIT


@pytest_asyncio.fixture
async def forgotten(api: Api, rabbitmq: RabbitMQ) -> AsyncIterator[None]:
    """A crowd must not be in the way of other tests."""
    yield
    await api.sql("DELETE FROM jobs WHERE scheduled_for > now()")
    await asyncio.to_thread(manage, rabbitmq.management_url, "DELETE", f"queues/%2F/{HOUR}/contents")


@pytest.mark.usefixtures("forgotten")
async def test_a_crowd_that_waits_costs_no_process_memory(
    api: Api, stack: Stack, rabbit: Rabbit, rabbitmq: RabbitMQ, long: bool, tell: Callable[[str], None]
) -> None:
    """
    They wait in RabbitMQ.  Five hundred came through the HTTP door.
    """
    crowd = ALL_LONG if long else ALL
    await _submit_an_hour_ahead(api, 100)  # what a process needs once, it may take
    before, broker_before = _memory(stack), await _broker_memory(rabbitmq)
    await _submit_an_hour_ahead(api, THROUGH_HTTP)
    await accept_for_later(stack, "step", [3_600.0] * (crowd - THROUGH_HTTP))
    await eventually(lambda: _lie_in(rabbit, HOUR, 100 + crowd), within=120)
    grown = {name: mib - before[name] for name, mib in _memory(stack).items()}
    tell(f"{crowd:,} more jobs wait, and the processes have grown by MiB: {_told(grown)}")
    tell(f"from MiB: {_told(before)}; RabbitMQ has grown by {await _broker_memory(rabbitmq) - broker_before:.0f}")
    states = await api.sql("SELECT state, count(*) FROM jobs WHERE scheduled_for > now() GROUP BY state")

    assert [("scheduled", 100 + crowd)] == [tuple(row) for row in states]
    assert {} == {name: mib for name, mib in grown.items() if mib > MOST_MIB}


async def test_the_key_of_an_hour_says_the_hour_to_the_tenth_of_a_second(api: Api, rabbitmq: RabbitMQ) -> None:
    """
    The ladder adds a few milliseconds a hop (tests/room/wire/test_ladder.py), and an hour has five.
    """
    run_at, began = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC)
    job_id = await api.submit("echo", run_at=run_at.isoformat())
    message = await eventually(lambda: _found(rabbitmq, HOUR, job_id))
    confirmed = datetime.now(UTC)

    assert began + message.wait <= run_at + UNIT + timedelta(milliseconds=1)
    assert confirmed + message.wait >= run_at


@pytest.mark.long
async def test_a_time_is_exact_to_the_second(api: Api) -> None:
    """
    With the clock as it is: 51.1 s are nine hops, four more than an hour.
    """
    job_id = await api.submit("echo", run_at=(datetime.now(UTC) + timedelta(seconds=51.1)).isoformat())
    await api.finished(job_id, within=60)
    (row,) = await api.sql("SELECT started_at - scheduled_for AS late FROM jobs WHERE id = $1", job_id)

    assert timedelta(0) <= row["late"] < timedelta(seconds=1)


@pytest.mark.parametrize("ending", ["cancel", "delete"])
async def test_the_copy_of_an_ended_job_starts_nothing_when_it_arrives(
    api: Api, stack: Stack, rabbit: Rabbit, rabbitmq: RabbitMQ, ending: str
) -> None:
    """
    With the same words a job that was not ended is put off: that one is the marker.
    """
    job_id, marker = [await api.submit("nap", delay=3_600) for _ in range(2)]
    for each in (job_id, marker):
        await eventually(lambda: _found(rabbitmq, HOUR, each))  # noqa: B023 - called in this turn
    path = f"/api/v1/jobs/{job_id}"
    end = api.client.post(f"{path}/cancel") if ending == "cancel" else api.client.delete(f"{path}?purge=true")
    response = await end
    await _arrive(rabbitmq, HOUR, job_id)
    await _arrive(rabbitmq, HOUR, marker)
    await eventually(lambda: _run_is(api, marker, 2))
    await eventually(lambda: _lie_in(rabbit, "work.default", 0))
    states = [row["state"] for row in await api.sql("SELECT state FROM jobs WHERE id = $1", job_id)]

    assert response.is_success
    assert (["cancelled"] if ending == "cancel" else []) == states
    assert not any(line.startswith(job_id) for line in stack.witness.read_text().splitlines())
    assert [] == await api.sql("SELECT FROM dead_letters WHERE job_id = $1", job_id)
    assert [] == await api.sql("SELECT FROM attempts WHERE job_id = $1", job_id)


async def test_who_waits_longer_than_the_ladder_enters_it_again(api: Api, rabbitmq: RabbitMQ) -> None:
    """
    After 38.8 days a message of a hundred comes to a worker, which sends it through once more: another run of the same
    job, and no attempt.
    """
    job_id = await api.submit("echo", run_at=(datetime.now(UTC) + timedelta(days=100)).isoformat())
    seen = []
    for run in (1, 2, 3):
        message = await eventually(lambda: _found(rabbitmq, TOP, job_id))
        seen.append(((message.properties.headers or {}).get("run"), message.wait))
        if run == 3:
            await api.sql("UPDATE jobs SET scheduled_for = now() WHERE id = $1", job_id)
        await _arrive(rabbitmq, TOP, job_id)
        await eventually(lambda: _run_is(api, job_id, min(run + 1, 3)))  # noqa: B023 - called in this turn
    job = await api.finished(job_id)

    assert [(run, ladder.LONGEST) for run in (1, 2, 3)] == seen
    assert ("completed", 1, 3) == (job["state"], job["attempt"], (await api.attempts(job_id))[0]["run"])


async def _submit_an_hour_ahead(api: Api, count: int) -> None:
    turns = asyncio.Semaphore(50)

    async def one() -> None:
        async with turns:
            await api.submit("echo", {"message": PADDING}, delay=3_600)

    await asyncio.gather(*(one() for _ in range(count)))


def _memory(stack: Stack) -> dict[str, float]:
    """MiB that each process holds for itself alone."""
    pids = {name: process.pid for name, process in stack.processes.items()}
    pids |= {f"worker {number}": pid for number, pid in enumerate(stack.worker_pids(), 1)}
    return {name: _anonymous_mib(pid) for name, pid in pids.items()}


def _anonymous_mib(pid: int) -> float:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


def _told(amounts: dict[str, float]) -> str:
    return ", ".join(f"{name} {mib:.1f}" for name, mib in amounts.items())


async def _broker_memory(rabbitmq: RabbitMQ) -> float:
    async def told() -> float:
        """Nothing at first: a node tells it every five seconds."""
        nodes = json.loads(await asyncio.to_thread(manage, rabbitmq.management_url, "GET", "nodes"))
        return float(nodes[0].get("mem_used", 0)) / 1024**2

    return await eventually(told)


async def _lie_in(rabbit: Rabbit, queue: str, messages: int) -> bool:
    return messages == await rabbit.ready(queue)


async def _run_is(api: Api, job_id: str, run: int) -> bool:
    return [run] == [row["run"] for row in await api.sql("SELECT run FROM jobs WHERE id = $1", job_id)]


async def _found(rabbitmq: RabbitMQ, queue: str, job_id: str) -> Waiting | None:
    """The job's message, which stays where it is."""

    def look() -> Waiting | None:
        with _channel(rabbitmq) as channel:
            found = _take(channel, queue, job_id)
            return found[1] if found else None

    return await asyncio.to_thread(look)


async def _arrive(rabbitmq: RabbitMQ, queue: str, job_id: str) -> None:
    """As if its time in the ladder were over."""

    def move() -> None:
        with _channel(rabbitmq) as channel:
            found = _take(channel, queue, job_id)
            assert found, f"{job_id} does not lie in {queue}"
            tag, message = found
            channel.confirm_delivery()
            channel.basic_publish("delay.due", message.routing_key, message.body, message.properties)
            channel.basic_ack(tag)

    await asyncio.to_thread(move)


@contextmanager
def _channel(rabbitmq: RabbitMQ) -> Iterator[BlockingChannel]:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        yield connection.channel()


def _take(channel: BlockingChannel, queue: str, job_id: str) -> tuple[int, Waiting] | None:
    """What lies before it is taken too, and goes back with the channel."""
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is None:
            return None
        if properties.message_id == job_id:
            return method.delivery_tag, Waiting(method.routing_key, body, properties)
