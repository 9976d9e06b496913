"""Our hand on RabbitMQ, against a real one: confirms, deadlines, reconnects, and the ladder as it stands there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import urllib.request
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.conftest import Places
from tests.eventually import eventually
from wire import ladder, topology
from wire.errors import BrokerUnavailable, TopologyMismatch
from wire.message import Outgoing, birth_message, job_message
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile, Queue
from wire.tracing import Trace

TYPE = "echo"


@pytest_asyncio.fixture
async def declared(broker: Broker) -> AsyncIterator[Broker]:
    """The whole topology with one type, and its queues empty."""
    await broker.declare(topology.fixed(Profile.CLASSIC))
    await broker.declare([topology.serve("default", Profile.CLASSIC), *topology.bind_type(TYPE, "default")])
    yield broker


def message(wait: timedelta = timedelta(0), job_type: str = TYPE) -> Outgoing:
    units = ladder.exact(wait) if wait else 0
    return job_message(
        job_id=uuid4(),
        job_type=job_type,
        priority=5,
        body=b"{}",
        run=1,
        wait_units=units,
        trace=Trace.begin().headers(),
    )


async def arrival(broker: Broker, queue: str, awaited: Outgoing) -> float:
    """When this message has come out of the queue; what other tests left in it is acked and passed over."""
    async with asyncio.timeout(60), contextlib.aclosing(broker.batches(queue, 10)) as batches:
        async for batch in batches:
            await batch.ack()
            if awaited.message_id in [message.message_id for message in batch.messages]:
                return time.monotonic()
    raise AssertionError("batches never end")


async def test_declaring_twice_changes_nothing(declared: Broker) -> None:
    await declared.declare(topology.fixed(Profile.CLASSIC))


async def test_another_declaration_of_the_same_queue_is_refused_and_the_connection_lives(declared: Broker) -> None:
    with pytest.raises(TopologyMismatch, match="births"):
        await declared.declare([Queue(topology.BIRTHS, {"x-queue-type": "classic", "x-max-length": 1})])

    await declared.publish(message())


async def test_a_message_waits_in_the_ladder_and_comes_when_it_is_due(declared: Broker) -> None:
    """Never early; how late it may be is held in test_ladder.py."""
    delayed = message(timedelta(seconds=1.3))
    began = time.monotonic()
    await declared.publish(delayed)

    assert 1.3 <= await arrival(declared, "work.default", delayed) - began


async def test_a_message_that_leaves_the_ladder_for_an_unbound_type_is_not_lost(declared: Broker) -> None:
    stray = message(timedelta(milliseconds=100), job_type="nobody")
    await declared.publish(stray)

    assert await arrival(declared, topology.UNROUTED_QUEUE, stray)


async def test_the_public_door_reaches_the_work_queue_and_births(declared: Broker) -> None:
    job = birth_message(job_id=uuid4(), job_type=TYPE, priority=5, body=b"{}", trace={})
    await declared.publish(job)

    assert await arrival(declared, "work.default", job)
    assert await arrival(declared, topology.BIRTHS, job)


async def test_a_mistyped_key_is_confirmed_and_turns_up_in_unrouted(declared: Broker) -> None:
    await declared.publish(lost := birth_message(job_id=uuid4(), job_type="ecko", priority=5, body=b"{}", trace={}))

    assert await arrival(declared, topology.UNROUTED_QUEUE, lost)


async def test_a_thousand_publishes_are_all_confirmed(declared: Broker) -> None:
    assert [True] * 1_000 == await declared.publish_all([message() for _ in range(1_000)])


async def test_what_the_broker_refuses_or_returns_is_not_confirmed(declared: Broker) -> None:
    """A full queue says no; a queue that is not there says nothing at all, unless it is asked."""
    await declared.declare([Queue(full := f"full {uuid4()}", {"x-max-length": 1, "x-overflow": "reject-publish"})])
    queues = (full, full, "no such queue")

    assert [True, False, False] == [await confirmed(declared, Outgoing("", q, b"", "x", TYPE, 5, {})) for q in queues]


async def confirmed(broker: Broker, one: Outgoing) -> bool:
    return [True] == await broker.publish_all([one])


async def test_a_broker_that_is_away_is_an_error_within_the_deadline_never_a_hang() -> None:
    nowhere = Broker("amqp://warren:secret@127.0.0.1:1/", "test", timeout_seconds=0.3)
    await nowhere.start()

    with pytest.raises(BrokerUnavailable) as refusal:
        await nowhere.publish(message())

    assert "secret" not in str(refusal.value)
    assert [False] == await nowhere.publish_all([message()])
    await nowhere.stop()
    await nowhere.stop()


async def test_a_closed_connection_is_made_again_and_the_consumer_with_it(declared: Broker, places: Places) -> None:
    after = message()
    waiting = asyncio.create_task(arrival(declared, "work.default", after))
    await arrival_of_a_marker(declared)

    async def lost() -> bool:
        """The console's list is seconds behind: those of an earlier test may stand there, and ours may not yet."""
        await close_all_connections(places)
        return "Connection" in declared.last_error

    await eventually(lost, within=60)

    async def sent() -> bool:
        """What was cut may have been the new connection, too."""
        with contextlib.suppress(BrokerUnavailable):
            await declared.publish(after)
            return True
        return False

    await eventually(sent, within=60)

    assert await waiting


async def test_it_stops_though_its_end_was_taken_for_an_outage(places: Places) -> None:
    """
    Whoever prepares a connection asks Postgres; what is interrupted there may come out as an error of the client's.
    """
    asked = asyncio.Event()

    async def prepare(_: Broker) -> None:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    link = Broker(places.amqp_url, "test", timeout_seconds=60, on_connect=prepare)
    await link.start()
    await asked.wait()
    stopping = asyncio.create_task(link.stop())
    await asyncio.wait({stopping}, timeout=30)  # not by a cancel of its own, which would end what it waits for

    assert stopping.done()
    assert not link.connected


async def arrival_of_a_marker(broker: Broker) -> None:
    """The broker has handled all that was sent before."""
    await broker.ping()


async def close_all_connections(places: Places) -> None:
    """As a person does it in the console."""
    await asyncio.to_thread(_close_all, places)


def _close_all(places: Places) -> None:
    parts = urlsplit(places.management_url)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    base = f"http://{parts.hostname}:{parts.port}"
    passwords.add_password(None, base, parts.username or "", parts.password or "")
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    for name in _connections(opener, base, places.vhost):
        request = urllib.request.Request(
            f"{base}/api/connections/{urllib.request.quote(name, safe='')}", method="DELETE"
        )
        with contextlib.suppress(urllib.error.HTTPError):  # 404: it is gone
            opener.open(request).close()


def _connections(opener: urllib.request.OpenerDirector, base: str, vhost: str) -> list[str]:
    with opener.open(f"{base}/api/connections") as answer:
        return [c["name"] for c in json.load(answer) if c.get("vhost") == vhost]
