"""A broker that has lost its disk: every waiting job gets its message back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.servers.rabbitmq import RabbitMQ
from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import register
from persistence.mending import epoch
from persistence.store.database import Database
from scheduler.epoch import Epoch
from scheduler.sweep import Sweep
from tests import provider
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO, accepted, ask, ended, field, recorded, submission, working
from wire.rabbitmq.amqp import Broker
from wire.settings import Scheduler
from wire.topology import EPOCH, Profile


@pytest_asyncio.fixture
async def link(database: Database, places: Places) -> AsyncIterator[Broker]:
    """A connection, with the queue of the epoch empty."""
    broker = Broker(places.amqp_url, "test", timeout_seconds=10)
    await broker.start()
    await declare(broker, database, "classic")
    await broker.wait_connected()
    async with broker._scratch() as channel:
        await channel.queue_purge(EPOCH)
    yield broker
    await broker.stop()


async def test_where_nobody_has_one_an_epoch_begins_and_nothing_is_sent(database: Database, link: Broker) -> None:
    await accepted(database, job := submission())
    service = Epoch(database, link)

    assert [0, 0] == [await service.once(), await Epoch(database, link).once()]
    assert str(await epoch.known(database)).encode() == await link.mark(EPOCH)
    assert (1, 1) == (await link.depth(EPOCH), await field(database, job, "run"))


async def test_a_new_database_takes_the_epoch_of_its_broker(database: Database, link: Broker) -> None:
    await link.set_mark(EPOCH, str(theirs := uuid4()).encode())
    await Epoch(database, link).once()

    assert theirs == await epoch.known(database)


async def test_another_epoch_means_another_broker(database: Database, link: Broker) -> None:
    await accepted(database, job := submission())
    ours = await epoch.ours(database, uuid4())
    await link.set_mark(EPOCH, str(uuid4()).encode())

    assert 1 == await Epoch(database, link).once()
    assert (2, str(ours).encode(), 1) == (
        await field(database, job, "run"), await link.mark(EPOCH), await link.depth(EPOCH),
    )  # fmt: skip


async def test_two_schedulers_do_it_once(database: Database, link: Broker) -> None:
    jobs = [submission() for _ in range(50)]
    await accepted(database, *jobs)
    await epoch.ours(database, uuid4())
    services = [Epoch(database, link) for _ in range(3)]

    first = await asyncio.gather(*[service.once() for service in services])
    second = [await service.once() for service in services]

    assert (50, 0) == (sum(first), sum(second))
    assert {2} == {await field(database, job, "run") for job in jobs}


async def test_a_crash_in_the_middle_repeats_the_whole(
    database: Database, link: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accepted(database, job := submission())
    await epoch.ours(database, uuid4())

    class Dies(Exception):
        pass

    async def die(*_: object) -> None:
        raise Dies

    monkeypatch.setattr(link, "set_mark", die)
    with pytest.raises(Dies):
        await Epoch(database, link).once()
    monkeypatch.undo()

    assert 1 == await Epoch(database, link).once()
    assert 3 == await field(database, job, "run")
    assert 0 == await Epoch(database, link).once()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RabbitMQ]:
    """A broker of this test's own."""
    one = provider.private_rabbitmq(tmp_path / "rabbitmq")
    one.start()
    yield one
    one.kill()


async def test_a_broker_with_an_emptied_disk_gets_every_waiting_job_back(database: Database, server: RabbitMQ) -> None:
    async def prepare(broker: Broker) -> None:
        await open_ways(broker, await declare(broker, database, "classic"), [ECHO])

    await register(database, [ECHO])
    broker = Broker(server.url, "test", timeout_seconds=10, on_connect=prepare)
    await broker.start()
    await broker.wait_connected(30)
    service, sweep = Epoch(database, broker), Sweep(database, broker, Scheduler(sweep_batch=5_000))
    await service.once()
    session = await working(database)
    jobs, later, done = [submission() for _ in range(1_000)], submission(starts_in=timedelta(hours=1)), submission()
    await accepted(database, *jobs, later, done)
    await ask(database, session, done)
    await recorded(database, ended(done, 1))
    await emptied_outbox(database, sweep)
    before = await broker.depth("work.default"), await broker.depth("delay.15"), await service.once()

    await asyncio.to_thread(server.kill)
    shutil.rmtree(server.folder / "data")
    await asyncio.to_thread(server.start)
    await eventually(lambda: broker.connections > 1, within=60)
    await broker.wait_connected(30)
    lost = await broker.depth("work.default")
    sent = await service.once()
    await emptied_outbox(database, sweep)

    assert (1_000, 1, 0) == before
    assert (0, 1_001) == (lost, sent)
    assert (1_000, 1) == (await broker.depth("work.default"), await broker.depth("delay.15"))
    assert [2, 2, 1] == [await field(database, job, "run") for job in (jobs[0], later, done)]
    assert Profile.CLASSIC == await declare(broker, database, "auto")
    await broker.stop()


async def emptied_outbox(database: Database, sweep: Sweep) -> None:
    """All that was left in it is on the broker."""
    await database.fetch("UPDATE outbox SET publish_after = clock_timestamp()")
    while (await database.fetch("SELECT count(*) AS n FROM outbox"))[0]["n"]:
        await sweep.once()
