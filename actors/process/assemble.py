"""Put a worker's parts together: who talks to whom, and in which order they start and stop.

Makes the parts and runs none of them; that is the lane's thread's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dramatiq

from actors.declared.roster import job_types
from actors.declared.ways import Ways
from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from actors.isolation.children import Children
from actors.lane.admit import Admission
from actors.lane.door import Door
from actors.lane.lane import Lane
from actors.lane.told_claims import ToldAdmission
from actors.scratch import Scratches
from persistence.accepting.outbox import Publisher
from persistence.artifacts.archive import Archive
from persistence.artifacts.object_store import ObjectStore
from persistence.crew.workers import Worker
from persistence.declared import pauses
from persistence.declared.job_types import Catalogue, JobType
from persistence.store.database import Database
from wire.rabbitmq.amqp import Broker
from wire.settings import Settings
from wire.signature import signature
from wire.spans import here


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

    def consumes(self) -> bool:
        return self.consumer.consuming

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
    link = Broker.of(settings.stores, signature("worker", "publisher", process=worker.name))
    publisher = Publisher(database, link)
    lease_seconds, most_bytes = settings.worker.lease_seconds, settings.limits.max_body_bytes
    catalogue = Catalogue(database, lease_seconds)
    door = _door(database, link, catalogue, job_types(broker.actors, settings.limits), settings)
    ways = Ways(link, database, list(types.values()), profile=settings.stores.profile, lease_seconds=lease_seconds)
    lane: Lane

    def deliver(delivery: Delivery) -> None:
        lane.take(delivery)

    def hear(hint: bytes) -> None:
        lane.upkeep.hear(hint)

    async def prepare() -> None:
        await ways.open()
        await lane.hold.begin(await pauses.paused_queues(database))

    consumer = Consumer(
        settings.stores.amqp_url.get_secret_value(),
        signature("worker", "consumer", process=worker.name),
        worker.queues,
        prefetch=settings.worker.prefetch or settings.worker.concurrency,
        slots=settings.worker.concurrency,
        prepare=prepare,
        deliver=deliver,
        hear=hear,
    )
    admitting = Admission if here.spans is None else ToldAdmission
    admission = admitting(database, catalogue, worker.session, lease_seconds=lease_seconds, max_bytes=most_bytes)
    lane = Lane(
        broker, types, settings.worker,
        database=database, consumer=consumer, admission=admission, publisher=publisher, door=door,
        children=Children(settings.children), worker=worker,
    )  # fmt: skip
    return Parts(link, publisher, door, lane, consumer, ways)


def _door(
    database: Database, link: Broker, catalogue: Catalogue, declared: Mapping[str, JobType], settings: Settings
) -> Door:
    return Door(
        database, link, catalogue, declared, settings.limits.max_body_bytes,
        archive=Archive(database, ObjectStore(settings.artifacts), settings.artifacts.max_artifact_bytes),
        politeness=settings.politeness, scratches=Scratches(settings.worker.scratch_folder),
    )  # fmt: skip
