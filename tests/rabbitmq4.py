"""A RabbitMQ 4.3 beside Debian 12's 3.10, for the `quorum` profile begins with it.

Where TEST_RABBITMQ4_ROOT names a folder into which Debian's packages of it have been unpacked, a private node runs
there by chroot, as root, in a mount namespace of its own: what is bound there goes with the process.  Beside that it is
started, stopped and killed like any private RabbitMQ (deploy/servers/rabbitmq.py).  A node that somebody else runs is
named by TEST_RABBITMQ4_URL and TEST_RABBITMQ4_MANAGEMENT_URL; what kills it is skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika
import pytest

from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from actors.deliveries.surplus import put_back
from deploy.machine.processes import Process
from deploy.servers.rabbitmq import Binaries, RabbitMQ, drop_vhost, make_vhost, manage
from persistence.accepting.outbox import Publisher
from persistence.store.database import Database
from tests.eventually import eventually
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack
from tests.provider import guarded
from wire.rabbitmq.amqp import Broker

ROOT, URL, MANAGEMENT_URL = "TEST_RABBITMQ4_ROOT", "TEST_RABBITMQ4_URL", "TEST_RABBITMQ4_MANAGEMENT_URL"
BIN = Path("/usr/lib/rabbitmq/bin")  # as seen inside
ENTER = """\
set -eu
root=$1 folder=$2; shift 2
mkdir -p "$root$folder" && touch "$root/etc/hosts"
mount --bind /proc "$root/proc" && mount --rbind /dev "$root/dev"
mount --bind /etc/hosts "$root/etc/hosts" && mount --bind "$folder" "$root$folder"
exec chroot "$root" "$@"
"""


class RabbitMQ4(RabbitMQ):
    """The same node in another root."""

    def __init__(self, folder: Path, root: Path) -> None:
        super().__init__(folder, Binaries(BIN))
        self._root = root

    def run(self, command: list[str], environ: dict[str, str], cwd: Path | None = None) -> Process:
        # each exec replaces the one before, so the process on record is the node itself
        inside = ["unshare", "--mount", "sh", "-c", ENTER, "enter", str(self._root), str(self.folder), *command]
        return super().run(inside, environ, cwd)

    def said(self) -> list[str]:
        """The lines of its log."""
        return self.log.read_text(errors="replace").splitlines()


@dataclass(frozen=True, slots=True)
class Given:
    """A node that is not ours."""

    url: str
    management_url: str

    def start(self) -> None:
        """It runs."""

    def kill(self) -> None:
        pytest.skip(f"the RabbitMQ that {URL} names is not ours to kill")

    def said(self) -> list[str]:
        pytest.skip(f"what the RabbitMQ that {URL} names says is not ours to read")


@contextmanager
def rabbitmq4(folder: Path) -> Iterator[RabbitMQ4 | Given]:
    """A node that runs; skips with a sentence where there is none."""
    url, management_url, root = (os.environ.get(name) for name in (URL, MANAGEMENT_URL, ROOT))
    if url and management_url:
        yield Given(f"{url.rstrip('/')}/", management_url.rstrip("/"))
        return
    if not root:
        pytest.skip(f"no RabbitMQ 4.3: name the folder of its unpacked Debian packages in {ROOT}, or a node in {URL}")
    if os.geteuid() != 0:
        pytest.skip(f"{ROOT} needs root, for chroot")
    guarded(folder)
    node = RabbitMQ4(folder, Path(root).resolve(strict=True))
    node.start()
    yield node
    node.kill()  # its data is thrown away


@dataclass(frozen=True, slots=True)
class Held:
    """Deliveries in hand."""

    deliveries: list[Delivery]
    consumer: Consumer
    publisher: Publisher
    database: Database

    async def put_back(self) -> None:
        """As a lane does whose window has narrowed to nothing."""
        await self.consumer.stop_consuming()
        await put_back(self.deliveries, self.consumer, publisher=self.publisher, database=self.database)


@dataclass(frozen=True, slots=True)
class On4:
    """One Warren on such a node, with a vhost and a database of its own; both bear the profile's name."""

    profile: str
    stack: Stack
    server: RabbitMQ4 | Given

    @property
    def quorum(self) -> bool:
        return self.profile == "quorum"

    @property
    def rabbit(self) -> Rabbit:
        return Rabbit(self.stack.amqp_url, self.server.management_url, self.profile)

    @asynccontextmanager
    async def without_workers(self) -> AsyncIterator[None]:
        """They are away inside, and consume again behind."""
        await asyncio.to_thread(self.stack.stop, "actors")
        try:
            yield
        finally:
            self.stack.workers()
            await self.workers_consume()

    @asynccontextmanager
    async def scheduler(self, **settings: str) -> AsyncIterator[None]:
        """Another one inside, the usual one behind."""
        for environment in (settings, {}):
            await asyncio.to_thread(self.stack.stop, "scheduler")
            self.stack.start("scheduler", "scheduler", **environment)
            if environment:
                yield

    @asynccontextmanager
    async def holding(self, most: int) -> AsyncIterator[Held]:
        """What a worker with such a window is given, and has not come to."""
        database = Database(self.stack.database_url, "holding", connections=1, timeout_seconds=20)
        link = Broker(self.stack.amqp_url, "holding", timeout_seconds=20)
        deliveries: list[Delivery] = []
        consumer = Consumer(
            self.stack.amqp_url, "holding", ["default"],
            prefetch=most, prepare=link.wait_connected, deliver=deliveries.append,
        )  # fmt: skip
        await link.start()
        await consumer.start()
        yield Held(deliveries, consumer, Publisher(database, link), database)
        await consumer.stop()
        await link.stop()
        await database.stop()

    async def next_job(self, queue: str = "work.default") -> str | None:
        """Whose message the next worker would be given."""

        def look() -> str | None:
            with pika.BlockingConnection(pika.URLParameters(self.stack.amqp_url)) as connection:
                _, properties, _ = connection.channel().basic_get(queue)
                return properties.message_id if properties else None

        return await asyncio.to_thread(look)

    async def workers_consume(self) -> None:
        await eventually(lambda: asyncio.to_thread(self.stack.consuming, 2), within=60)

    async def waiting(self, queue: str = "work.default") -> int:
        return await self.rabbit.ready(queue)

    async def queues(self) -> list[dict[str, Any]]:
        return list(json.loads(await self.manage("GET", "queues")))

    async def purge(self, queue: str = "work.default") -> None:
        await self.manage("DELETE", "queues", f"{queue}/contents")

    async def lose_the_disk(self) -> None:
        """A new vhost of the same name: no queue, no binding, no message."""
        await asyncio.to_thread(drop_vhost, self.server.management_url, self.profile)
        await asyncio.to_thread(make_vhost, self.server.management_url, self.profile)

    async def be_impatient(self, milliseconds: int | None) -> None:
        """Give the work queues a consumer timeout; None takes it away."""
        limit = {"pattern": "^work", "definition": {"consumer-timeout": milliseconds}, "apply-to": "quorum_queues"}
        await self.manage("PUT" if milliseconds else "DELETE", "policies", "impatient", limit if milliseconds else None)

    async def take_and_die(self, queue: str = "work.default") -> bool:
        """Take a message as a worker does that dies of it; says whether there was one."""

        def take() -> bool:
            with pika.BlockingConnection(pika.URLParameters(self.stack.amqp_url)) as connection:
                method, _, _ = connection.channel().basic_get(queue)
                return method is not None

        return await asyncio.to_thread(take)

    async def manage(self, method: str, kind: str, rest: str = "", body: dict[str, object] | None = None) -> bytes:
        path = "/".join(filter(None, (kind, quote(self.profile), rest)))
        return await asyncio.to_thread(manage, self.server.management_url, method, path, body)
