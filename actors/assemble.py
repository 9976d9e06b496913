"""Put a worker's parts together: who talks to whom, and in which order they start and stop.

Makes the parts and runs none of them; that is the lane's thread's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dramatiq

from actors.admit import Admission
from actors.consume import Consumer
from actors.delivery import Delivery
from actors.door import Door
from actors.lane import Lane
from actors.roster import job_types
from actors.ways import Ways
from persistence.database import Database
from persistence.job_types import Catalogue, JobType
from persistence.outbox import Publisher
from persistence.workers import Worker
from wire.amqp import Broker
from wire.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one worker process."""

    link: Broker
    publisher: Publisher
    door: Door
    lane: Lane
    consumer: Consumer
    ways: Ways

    async def start(self) -> None:
        for part in (self.link, self.publisher, self.door, self.lane, self.consumer, self.ways):
            await part.start()

    async def stop(self) -> None:
        """Drain first: what runs may still submit, and what it submitted has to be published."""
        await self.ways.stop()
        await self.lane.drain()
        for part in (self.consumer, self.door, self.publisher, self.link):
            await part.stop()


def assemble(
    broker: dramatiq.Broker, database: Database, worker: Worker, settings: Settings, types: Mapping[str, JobType]
) -> Parts:
    """The parts, not yet started."""
    link = Broker.of(settings.stores, f"warren worker {worker.name} publisher")
    publisher = Publisher(database, link)
    lease_seconds, most_bytes = settings.worker.lease_seconds, settings.limits.max_body_bytes
    catalogue = Catalogue(database, lease_seconds)
    door = Door(database, link, catalogue, job_types(broker.actors, settings.limits), most_bytes)
    ways = Ways(link, database, list(types.values()), profile=settings.stores.profile, lease_seconds=lease_seconds)
    lane: Lane

    def deliver(delivery: Delivery) -> None:
        lane.take(delivery)

    def hear(hint: bytes) -> None:
        lane.upkeep.hear(hint)

    consumer = Consumer(
        settings.stores.amqp_url.get_secret_value(),
        f"warren worker {worker.name}",
        worker.queues,
        prefetch=settings.worker.prefetch or settings.worker.concurrency,
        slots=settings.worker.concurrency,
        prepare=ways.open,
        deliver=deliver,
        hear=hear,
    )
    admission = Admission(database, catalogue, worker.session, lease_seconds=lease_seconds, max_bytes=most_bytes)
    lane = Lane(
        broker, types, settings.worker,
        database=database, consumer=consumer, admission=admission, publisher=publisher, door=door, worker=worker.name,
    )  # fmt: skip
    return Parts(link, publisher, door, lane, consumer, ways)
