"""A lane on real servers inside the test's own loop, so that a test decides when a job ends."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import gettempdir
from typing import Any

import dramatiq
import pika
from pydantic import BaseModel

from actors.broker import JobBroker
from actors.declared.roster import job_types
from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from actors.isolation.children import Children
from actors.job import job
from actors.lane.admit import Admission
from actors.lane.door import Door
from actors.lane.lane import Lane
from actors.process.lane_thread import describe
from persistence.accepting.outbox import Publisher
from persistence.artifacts.archive import Archive
from persistence.artifacts.object_store import ObjectStore
from persistence.crew import workers
from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import Catalogue, register
from persistence.questions.reads import Job, one_job
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from wire.rabbitmq.amqp import Broker
from wire.settings import Artifacts, Gateway, Limits, Logs, Metrics, Outbound, Politeness, Scheduler, Settings, Worker
from wire.settings import Children as ChildrenSettings
from wire.states import FINAL


class Named(BaseModel):
    name: str


@dataclass
class Running:
    """A lane, and what its jobs have done."""

    lane: Lane
    consumer: Consumer
    link: Broker
    amqp_url: str
    lives: int = 0  # how often the consumer has connected
    started: list[str] = field(default_factory=list)
    threads_may_end: threading.Event = field(default_factory=threading.Event)
    may_end: dict[str, asyncio.Event] = field(default_factory=dict)
    returns: dict[str, Any] = field(default_factory=dict)  # by name; the others return their name

    def again_since(self, lives: int) -> bool:
        """Whether it has lost its consumer since then and has another."""
        return self.lives > lives and self.consumer.consuming

    def release(self, name: str) -> None:
        self.may_end.setdefault(name, asyncio.Event()).set()

    async def send_all(self, names: list[str]) -> list[str]:
        """Many, in one go."""
        messages = [(str(uuid.uuid4()), json.dumps({"type": "gate", "payload": {"name": name}})) for name in names]

        def publish_all() -> None:
            with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
                channel = connection.channel()
                for message_id, body in messages:
                    said = pika.BasicProperties(type="gate", message_id=message_id, delivery_mode=2, priority=5)
                    channel.basic_publish("jobs.in", "job.gate.p5", body.encode(), said)

        await asyncio.to_thread(publish_all)
        return [message_id for message_id, _ in messages]

    async def send(self, name: str, job_id: str | None = None, job_type: str = "gate") -> str:
        """A job by the public door."""
        identity = job_id or str(uuid.uuid4())
        body = json.dumps({"type": job_type, "payload": {"name": name}}).encode()
        await publish(self.amqp_url, "jobs.in", f"job.{job_type}.p5", body, type=job_type, message_id=identity)
        return identity


@asynccontextmanager
async def running_lane(
    places: Places,
    database: Database,
    *,
    declares: Callable[[], object] = lambda: None,
    politeness: Politeness | None = None,
    children: ChildrenSettings | None = None,
    environment: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Consuming; drained and closed at the end.  `declares` declares a test's own jobs."""
    mine = settings_for(places, **settings)
    mine.children = children or ChildrenSettings()
    broker = JobBroker(places.amqp_url, mine.limits, "test sender")
    dramatiq.set_broker(broker)
    running: Running
    _declare_gates(lambda: running)
    declares()
    types = job_types(broker.actors, mine.limits)
    link = Broker.of(mine.stores, "test publisher")
    publisher, worker = Publisher(database, link), describe(mine, types)

    async def prepare() -> None:
        running.lives += 1
        await link.wait_connected()
        await register(database, list(types.values()))
        await open_ways(link, await declare(link, database, "classic"), list(types.values()))

    def deliver(delivery: Delivery) -> None:
        running.lane.take(delivery)

    consumer = Consumer(
        places.amqp_url, "test worker", worker.queues, prefetch=mine.worker.prefetch or mine.worker.concurrency,
        prepare=prepare, deliver=deliver,
    )  # fmt: skip
    catalogue = Catalogue(database, 15)
    admission = Admission(database, catalogue, worker.session, lease_seconds=15, max_bytes=262_144)
    archive = Archive(database, ObjectStore(mine.artifacts), mine.artifacts.max_artifact_bytes)
    most_bytes = mine.limits.max_body_bytes
    door = Door(database, link, catalogue, types, most_bytes, archive=archive, politeness=politeness)
    lane = Lane(
        broker, types, mine.worker,
        database=database, consumer=consumer, admission=admission, publisher=publisher, door=door,
        children=Children(mine.children, environment), worker=worker,
    )  # fmt: skip
    running = Running(lane, consumer, link, places.amqp_url)
    await workers.arrive(database, worker)
    for service in (link, publisher, door, lane, consumer):
        await service.start()
    await eventually(lambda: consumer.consuming)
    try:
        yield running
    finally:
        await lane.drain()
        for service in (consumer, door, publisher, link):
            await service.stop()
        await asyncio.sleep(0)  # the last tasks of a closed connection end in the loop's next turn


def _declare_gates(running: Callable[[], Running]) -> None:
    @job("gate", timeout=60)
    async def gate(payload: Named) -> Any:
        """Ends when the test lets it."""
        running().started.append(payload.name)
        await running().may_end.setdefault(payload.name, asyncio.Event()).wait()
        return running().returns.get(payload.name, payload.name)

    @job("hold", timeout=60)
    def hold(payload: Named) -> None:
        """The same on a thread, if it is slow."""
        running().started.append(payload.name)
        if payload.name.startswith("slow"):
            running().threads_may_end.wait(60)


async def ended(database: Database, job_id: uuid.UUID) -> Job:
    """A job once it has a final state."""

    async def final() -> Job | None:
        found = await one_job(database, job_id)
        return found if found is not None and found.state in FINAL else None

    found = await eventually(final)
    assert found is not None
    return found


def settings_for(places: Places, **worker: Any) -> Settings:
    settings = Settings()
    settings.metrics, settings.children = Metrics(), ChildrenSettings()
    settings.stores, settings.worker = places.stores, Worker(**{"drain_seconds": 1.0, "queues": "", **worker})
    settings.artifacts = Artifacts(artifacts_url=f"{gettempdir()}/warren-{places.vhost}")  # made if it is used
    settings.limits, settings.gateway, settings.scheduler, settings.logs = Limits(), Gateway(), Scheduler(), Logs()
    settings.outbound, settings.politeness = Outbound(), Politeness()
    return settings


async def publish(amqp_url: str, exchange: str, key: str, body: bytes, **properties: Any) -> None:
    """As a foreign service does."""

    def send() -> None:
        with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
            said = {"content_type": "application/json", "delivery_mode": 2, "priority": 5, **properties}
            connection.channel().basic_publish(exchange, key, body, pika.BasicProperties(**said))

    await asyncio.to_thread(send)


async def ready(amqp_url: str, queue: str) -> int:
    """Messages in a queue that no consumer holds."""

    def count() -> int:
        with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
            return int(connection.channel().queue_declare(queue, passive=True).method.message_count)

    return await asyncio.to_thread(count)
