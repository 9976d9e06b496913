"""The inner door: the types it knows, what it accepts at once, and how many children an attempt may have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
import pytest_asyncio
from msgspec import structs

from actors.context import MOST_CHILDREN
from actors.lane.door import Door
from persistence.accepting.submission import Submission
from persistence.declared.declare import declare, open_ways
from persistence.declared.job_types import Catalogue, register
from persistence.ending import cancel
from persistence.store.database import Database
from tests.archives import no_archive
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO, accepted, ask, ended, field, submission, working, written
from wire.envelope import Envelope
from wire.errors import Refused, Unavailable
from wire.identity import fresh_id
from wire.rabbitmq.amqp import Broker
from wire.tracing import Trace

NOWHERE = "postgresql://warren:warren@127.0.0.1:1/none"


@pytest_asyncio.fixture
async def door(database: Database, broker: Broker) -> AsyncIterator[Door]:
    """It declares no types of its own."""
    await open_ways(broker, await declare(broker, database, "classic"), [ECHO])
    one = Door(database, broker, Catalogue(database, 15), {}, 65_536, archive=no_archive(database))
    await one.start()
    yield one
    await one.stop()


def envelope(job_id: UUID | None = None, message: str = "hi") -> Envelope:
    return Envelope("echo", {"message": message}, f'{{"message":"{message}"}}'.encode(), id=job_id or fresh_id())


async def known(door: Door) -> Submission | None:
    try:
        return door.submission(envelope(), Trace.begin())
    except Refused:
        return None


async def test_a_type_that_another_worker_registers_is_soon_known_by_its_name(door: Door, database: Database) -> None:
    with pytest.raises(Refused, match="no worker has registered a type yet"):
        door.submission(envelope(), Trace.begin())
    await register(database, [replace(ECHO, queue="far-away")])
    found = await eventually(lambda: known(door))

    assert "far-away" == found.queue


async def test_what_is_accepted_at_once_is_safe_when_its_handle_says_so(door: Door, database: Database) -> None:
    await register(database, [ECHO])
    job = await eventually(lambda: known(door))
    job_id = await asyncio.wrap_future(door.accept(job, first_stands=False))

    assert (job.id, "queued") == (job_id, await field(database, job, "state"))


async def test_another_attempt_that_sends_something_else_is_told_or_has_named_the_first_by_a_key(
    door: Door, database: Database
) -> None:
    """
    What an earlier attempt sent, and what was done and deleted since, is not sent again.
    """
    first = submission()
    other = structs.replace(first, body=b"{}", body_hash=b"another")
    await accepted(database, first)
    with pytest.raises(Refused, match="belongs to another job"):
        await asyncio.wrap_future(door.accept(other, first_stands=False))
    kept = await asyncio.wrap_future(door.accept(other, first_stands=True))
    again = await asyncio.wrap_future(door.accept(first, first_stands=False))
    await cancel.delete(database, first.id, purge=True)
    deleted = await asyncio.wrap_future(door.accept(first, first_stands=False))

    assert [first.id] * 3 == [kept, again, deleted]
    assert await field(database, first, "state") is None


async def test_without_postgres_it_goes_through_the_public_door_and_without_both_the_actor_hears_of_it(
    places: Places, broker: Broker, database: Database
) -> None:
    """
    Declared types are enough: a worker that has never seen the others can submit its own.
    """
    await open_ways(broker, await declare(broker, database, "classic"), [ECHO])
    away = Database(NOWHERE, "test", connections=1, timeout_seconds=1)
    nowhere = Broker("amqp://warren:warren@127.0.0.1:1/", "test", timeout_seconds=0.3)
    doors = [
        Door(away, link, Catalogue(away, 15), {"echo": ECHO}, 65_536, archive=no_archive(away))
        for link in (broker, nowhere)
    ]
    await nowhere.start()
    for one in doors:
        await one.start()
    jobs = [one.submission(envelope(), Trace.begin()) for one in doors]
    handles = [one.accept(job, first_stands=False) for one, job in zip(doors, jobs, strict=True)]

    assert jobs[0].id == await asyncio.wrap_future(handles[0])
    with pytest.raises(Unavailable, match="both away"):
        await asyncio.wrap_future(handles[1])
    for one in (*doors, nowhere):
        await one.stop()


async def test_the_children_of_a_full_attempt_are_born_well_within_the_deadline_of_their_transaction(
    database: Database,
) -> None:
    """
    In groups: as one statement it took 10 s on a machine where it takes 1.7 s so, because the plan is quadratic.
    """
    session, parent = await working(database), submission()
    await accepted(database, parent)
    await ask(database, session, parent)
    children = tuple(submission() for _ in range(MOST_CHILDREN))
    before = await database.now()
    _, posts = await written(database, [ended(parent, 1, children=children)])
    took = (await database.now() - before).total_seconds()

    assert MOST_CHILDREN == len(posts)
    assert took < 9
