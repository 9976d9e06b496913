"""Accept: safe when it answers, one answer each, and nobody fails for a neighbour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from msgspec.structs import replace

from persistence.accepting.accept import Acceptor
from persistence.accepting.submission import Submission
from persistence.declared.declare import declare, open_ways
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO, field, submission
from wire.errors import Refused, Unavailable
from wire.rabbitmq.amqp import Broker
from wire.states import State

NOWHERE = "postgresql://warren:warren@127.0.0.1:1/none"


@pytest_asyncio.fixture
async def acceptor(database: Database, broker: Broker) -> AsyncIterator[Acceptor]:
    await declare(broker, database, "classic")
    one = Acceptor(database, broker)
    await one.start()
    yield one
    await one.stop()


async def test_a_thousand_at_once_are_all_accepted_and_their_outbox_rows_go(
    acceptor: Acceptor, database: Database
) -> None:
    jobs = [submission() for _ in range(1_000)]

    answers = await asyncio.gather(*map(acceptor.submit, jobs))

    assert {State.QUEUED} == {answer.state for answer in answers}
    assert 1_000 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]
    await eventually(lambda: _empty(database))


async def test_a_message_that_was_made_for_a_row_that_is_refused_never_leaves(
    acceptor: Acceptor, broker: Broker, database: Database
) -> None:
    """
    Where jobs come one by one their messages are made while Postgres commits; only a row that stands lets one go.
    """
    await open_ways(broker, await declare(broker, database, "classic"), [ECHO])
    first, last, refused = submission(), submission(), submission(tags=("a\x00b",))
    later = submission(starts_in=timedelta(milliseconds=100))
    with pytest.raises(Refused):
        await acceptor.submit(refused)
    await acceptor.submit(later)
    await acceptor.submit(first)
    with pytest.raises(Refused):
        await acceptor.submit(replace(first, body=b"{}", body_hash=b"other"))
    await acceptor.submit(last)
    await eventually(lambda: _empty(database))

    batches, arrived = broker.batches("work.default", 100), list[str | None]()
    while not {str(last.id), str(later.id)} <= {*arrived}:
        batch = await anext(batches)
        arrived += [message.message_id for message in batch.messages]
        await batch.ack()
    await batches.aclose()  # type: ignore[attr-defined]
    assert [1, 1, 1, 0] == [arrived.count(str(one.id)) for one in (first, last, later, refused)]


async def test_who_stops_leaves_no_row_of_a_message_that_is_confirmed(acceptor: Acceptor, database: Database) -> None:
    """
    Such rows may stay for a moment, to be deleted together; a process that ends has no other moment.
    """
    await asyncio.gather(*[acceptor.submit(submission()) for _ in range(50)])

    await acceptor.stop()

    assert await _empty(database)


async def test_the_same_submission_twice_is_one_job_and_another_body_is_refused(
    acceptor: Acceptor, database: Database
) -> None:
    job = submission()
    other = replace(job, body=b"{}", body_hash=b"other")

    first, second, third = await asyncio.gather(
        acceptor.submit(job), acceptor.submit(job), acceptor.submit(other), return_exceptions=True
    )

    assert not isinstance(first, BaseException)
    assert not isinstance(second, BaseException)
    assert (False, True) == (first.duplicate, second.duplicate)
    assert isinstance(third, Refused)
    assert "id_reused" == third.code
    assert 1 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]


async def test_one_row_that_postgres_refuses_does_not_fail_its_neighbours(
    acceptor: Acceptor, database: Database
) -> None:
    good, bad = [submission() for _ in range(20)], submission(tags=("a\x00b",))

    *answers, refusal = await asyncio.gather(*map(acceptor.submit, [*good, bad]), return_exceptions=True)

    assert isinstance(refusal, Refused)
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    assert 20 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]


async def test_a_caller_that_hangs_up_does_not_cancel_the_group(acceptor: Acceptor, database: Database) -> None:
    leaver, stayer = submission(), submission()
    leaving = asyncio.create_task(acceptor.submit(leaver))
    staying = asyncio.create_task(acceptor.submit(stayer))
    await asyncio.sleep(0)  # both are in the group
    leaving.cancel()
    await staying

    assert "queued" == await field(database, stayer, "state")
    assert "queued" == await field(database, leaver, "state")


async def test_without_postgres_a_job_is_given_to_rabbitmq(places: Places, broker: Broker, database: Database) -> None:
    """Either store may be down and submissions still succeed."""
    profile = await declare(broker, database, "classic")
    await open_ways(broker, profile, [ECHO])
    away = Database(NOWHERE, "test", connections=1, timeout_seconds=2)
    acceptor = Acceptor(away, broker)
    await acceptor.start()
    job: Submission = submission()

    answer = await acceptor.submit(job)

    assert (State.QUEUED, None) == (answer.state, answer.created_at)
    births = broker.batches("births", 10)
    batch = await anext(births)
    assert [(str(job.id), job.body, None)] == [(m.message_id, m.body, m.run) for m in batch.messages]
    await batch.ack()
    await births.aclose()  # type: ignore[attr-defined]
    await acceptor.stop()


async def test_with_both_stores_away_the_caller_is_told() -> None:
    away = Database(NOWHERE, "test", connections=1, timeout_seconds=2)
    nowhere = Broker("amqp://warren:warren@127.0.0.1:1/", "test", timeout_seconds=0.5)
    acceptor = Acceptor(away, nowhere)
    await nowhere.start()
    await acceptor.start()

    with pytest.raises(Unavailable, match="both away"):
        await acceptor.submit(submission())

    await acceptor.stop()
    await nowhere.stop()


async def _empty(database: Database) -> bool:
    return not await database.fetch("SELECT FROM outbox LIMIT 1")
