"""Replies on a real RabbitMQ: into the asker's queue, straight to its channel, or kept when nobody is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pika
import pytest
import pytest_asyncio

from persistence.declared.declare import declare
from persistence.store.database import Database
from persistence.store.listen import REPLIES, Listener
from scheduler.replies import Replies
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import born, submission
from wire.lifecycle import running
from wire.message import ReplyTo
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler


@pytest_asyncio.fixture
async def patient(database: Database, broker: Broker) -> Replies:
    """Looks by itself only at the beginning."""
    await declare(broker, database, "classic")
    return Replies(database, broker, Scheduler(sweep_seconds=60))


@pytest.fixture
def channel(places: Places) -> AsyncIterator[pika.channel.Channel]:
    """The asker's."""
    with pika.BlockingConnection(pika.URLParameters(places.amqp_url)) as connection:
        yield connection.channel()


async def end(database: Database, queue: str, correlation_id: str = "42") -> str:
    """A job that somebody asked about comes to its end."""
    job = submission(reply_to=ReplyTo(queue, correlation_id))
    await born(database, job)
    await database.fetch("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = $1", job.id)
    return str(job.id)


async def test_an_outcome_arrives_durable_and_is_forgotten(
    patient: Replies, database: Database, channel: pika.channel.Channel
) -> None:
    queue = channel.queue_declare("", exclusive=True).method.queue
    job_id = await end(database, queue)

    assert 1 == await patient.once()
    _, properties, body = channel.basic_get(queue, auto_ack=True)
    assert ("42", "application/json", 2, "echo") == (
        properties.correlation_id, properties.content_type, properties.delivery_mode, properties.type
    )  # fmt: skip
    assert (job_id, "cancelled") == (json.loads(body)["id"], json.loads(body)["state"])
    assert properties.headers["traceparent"].split("-")[1] == json.loads(body)["trace_id"]
    assert [] == await database.fetch("SELECT 1 FROM replies")


async def test_a_queue_that_is_gone_holds_up_nobody_and_its_reply_is_kept(
    patient: Replies, database: Database, channel: pika.channel.Channel
) -> None:
    queue = channel.queue_declare("", exclusive=True).method.queue
    for name in ("gone.1", queue, "gone.2"):
        await end(database, name)
    await patient.once()
    lost = await database.fetch("SELECT reply_to FROM replies WHERE lost_at IS NOT NULL ORDER BY reply_to")

    assert ["gone.1", "gone.2"] == [row["reply_to"] for row in lost]
    assert channel.basic_get(queue, auto_ack=True)[0] is not None
    assert 0 == await patient.once()


async def test_a_full_queue_is_asked_again_later(
    patient: Replies, database: Database, channel: pika.channel.Channel
) -> None:
    full = {"x-max-length": 0, "x-overflow": "reject-publish"}
    queue = channel.queue_declare("", exclusive=True, arguments=full).method.queue
    await end(database, queue)
    await patient.once()
    (row,) = await database.fetch("SELECT tries, lost_at FROM replies")

    assert (1, None) == (row["tries"], row["lost_at"])


async def test_a_notification_wakes_it(patient: Replies, database: Database, channel: pika.channel.Channel) -> None:
    listener = Listener(database, {REPLIES: patient.wake})
    queue = channel.queue_declare("", exclusive=True).method.queue
    async with running([patient, listener]):
        await eventually(lambda: listener.connections == 1)
        for _ in range(3):
            await end(database, queue)
            await eventually(lambda: _arrived(channel, queue))


async def _arrived(channel: pika.channel.Channel, queue: str) -> bool:
    return bool((await asyncio.to_thread(channel.basic_get, queue, True))[0])
