"""The recorder: births become rows, strays go back to the outbox, the rest is kept with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from msgspec.structs import replace

from persistence.declared import job_types
from persistence.declared.job_types import Catalogue
from persistence.foreign.recorder import Recorder
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO, accepted, ask, field, submission, working
from wire import topology
from wire.message import Incoming, Outgoing
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile

NEVER_USED = Broker("amqp://127.0.0.1:1/", "test", timeout_seconds=1)


@pytest_asyncio.fixture
async def recorder(database: Database) -> Recorder:
    await job_types.register(database, [ECHO])
    return Recorder(database, NEVER_USED, Catalogue(database, 15), 65_536)


def foreign(body: bytes = b'{"type":"echo","payload":{"message":"hi"}}', **said: object) -> Incoming:
    plain = Incoming(body, "jobs.in", "job.echo.p5", "births", {}, str(uuid4()), priority=5)
    return replace(plain, **said)  # type: ignore[arg-type]


async def letters(database: Database) -> list[tuple[str, str]]:
    rows = await database.fetch("SELECT reason, detail FROM dead_letters ORDER BY id")
    return [(row["reason"], row["detail"]) for row in rows]


async def test_a_birth_becomes_a_row_with_the_exact_bytes_and_the_trace(recorder: Recorder, database: Database) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    message = foreign(b'{"type": "echo", "payload": {"n": 1.10}}', headers={"traceparent": parent})

    await recorder.births([message])
    await recorder.births([message])  # delivered twice

    rows = await database.fetch("SELECT body, state, run, traceparent FROM jobs")
    assert [(message.body, "queued", 1, parent)] == [tuple(row.values()) for row in rows]
    assert [] == await letters(database)


async def test_a_birth_that_cannot_be_a_job_is_one_dead_letter_that_names_the_field(
    recorder: Recorder, database: Database
) -> None:
    message = foreign(b'{"type":"echo","payload":{},"priorty":3}')

    await recorder.births([message, foreign()])
    await recorder.births([message])

    ((reason, detail),) = await letters(database)
    assert ("malformed", True) == (reason, detail.startswith("priorty: is not a field of the envelope"))
    assert 1 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]


async def test_an_unknown_type_is_refused_with_a_guess(recorder: Recorder, database: Database) -> None:
    await recorder.births([foreign(b'{"type":"ecko","payload":{}}', routing_key="job.ecko.p5")])

    ((reason, detail),) = await letters(database)
    assert ("unknown_type", True) == (reason, "did you mean echo?" in detail)


async def test_an_unrouted_message_of_an_open_job_is_sent_again(recorder: Recorder, database: Database) -> None:
    """Accepted while its queue did not exist yet: the publisher was confirmed all the same."""
    job = submission()
    await accepted(database, job)

    await recorder.unrouted([foreign(job.body, message_id=str(job.id), exchange="jobs", headers={"run": 1})])

    assert (2, "queued") == (await field(database, job, "run"), await field(database, job, "state"))
    assert [2] == [row["run"] for row in await database.fetch("SELECT run FROM outbox WHERE run > 1")]
    assert [] == await letters(database)


async def test_a_stray_copy_does_not_disturb_a_job_that_has_gone_on(recorder: Recorder, database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)

    await recorder.dead([foreign(job.body, message_id=str(job.id), exchange="jobs", headers={"run": 1})])

    assert (1, "running") == (await field(database, job, "run"), await field(database, job, "state"))
    assert [] == await letters(database)


async def test_a_dead_birth_of_a_known_type_is_accepted_after_all(recorder: Recorder, database: Database) -> None:
    """A worker that does not serve the type hands it here; its birth may not have been recorded yet."""
    message = foreign()

    await recorder.dead([message])

    assert [message.message_id] == [str(row["id"]) for row in await database.fetch("SELECT id FROM jobs")]
    assert 1 == (await database.fetch("SELECT count(*) AS n FROM outbox"))[0]["n"]


async def test_what_nobody_knows_is_kept(recorder: Recorder, database: Database) -> None:
    await recorder.unrouted([foreign(b"\xff\x00", routing_key="jobs.ecko", message_id=None)])

    ((reason, detail),) = await letters(database)
    assert ("unroutable", True) == (reason, "message_id: is missing" in detail)
    assert b"\xff\x00" == (await database.fetch("SELECT body FROM dead_letters"))[0]["body"]


async def test_of_many_copies_the_latest_decides(recorder: Recorder, database: Database) -> None:
    """A stale one behind it in the batch must not hide that the current message has been given up."""
    job = submission()
    await accepted(database, job)
    await database.fetch("UPDATE jobs SET run = 2 WHERE id = $1", job.id)

    await recorder.dead(
        [foreign(job.body, message_id=str(job.id), exchange="jobs", headers={"run": run}) for run in (2, 1)]
    )

    assert 3 == await field(database, job, "run")


async def test_another_body_under_a_known_id_is_kept_and_not_taken_for_a_copy(
    recorder: Recorder, database: Database
) -> None:
    job, other = submission(), foreign(b'{"type":"echo","payload":{"message":"other"}}')
    await accepted(database, job)
    twins = [foreign(body, message_id=other.message_id) for body in (other.body, b'{"type":"echo","payload":{}}')]

    await recorder.dead([foreign(other.body, message_id=str(job.id)), *twins])

    assert ["id_reused", "id_reused"] == [reason for reason, _ in await letters(database)]
    assert {str(job.id), other.message_id} == {str(row["id"]) for row in await database.fetch("SELECT id FROM jobs")}


async def test_a_reused_id_is_found_without_a_worker(recorder: Recorder, database: Database) -> None:
    """
    Against a row, and within one batch; a copy of the same message is no reuse.
    """
    job, twin = submission(), foreign()
    await accepted(database, job)
    other = replace(twin, body=b'{"type":"echo","payload":{}}')

    await recorder.births(
        [foreign(message_id=str(job.id)), foreign(job.body, message_id=str(job.id)), twin, other, twin]
    )

    assert ["id_reused", "id_reused"] == [reason for reason, _ in await letters(database)]
    assert 2 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]


async def test_a_run_that_a_stranger_wrote_does_not_make_an_orphan(recorder: Recorder, database: Database) -> None:
    message = foreign(headers={"run": 2})
    expired = replace(message, exchange="jobs.dead", headers={"run": 2, "x-death": [{"exchange": "jobs.in"}]})

    await recorder.births([message])
    await recorder.dead([expired, replace(expired, message_id=str(uuid4()))])

    assert [] == await letters(database)
    assert 2 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]


async def test_a_message_that_we_trip_over_is_kept_and_those_around_it_are_recorded(
    recorder: Recorder, database: Database
) -> None:
    """It would come again for ever, and nobody behind it would be heard."""
    batch = [foreign(), bad := foreign(b"bad", headers={"a": 1}), foreign()]

    async def trips(messages: Sequence[Incoming]) -> None:
        if bad in messages:
            raise RecursionError("a fault of ours")
        await recorder.births(messages)

    await recorder.store(batch, trips)

    assert [("unreadable", "RecursionError: a fault of ours")] == await letters(database)
    assert b"bad" == (await database.fetch("SELECT body FROM dead_letters"))[0]["body"]
    assert 2 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]


async def test_a_statement_that_is_wrong_is_no_messages_fault(recorder: Recorder, database: Database) -> None:
    """The schema of another version: the process ends loudly, and the messages wait for one that fits."""

    async def outdated(_: Sequence[Incoming]) -> None:
        await database.fetch("SELECT no_such_column FROM jobs")

    with pytest.raises(asyncpg.UndefinedColumnError):
        await recorder.store([foreign()], outdated)

    assert [] == await letters(database)


async def test_it_outlives_a_connection_that_falls_with_a_batch_in_hand(database: Database, broker: Broker) -> None:
    """What cannot be acked on a channel that is gone comes again, and its row stands already."""
    await job_types.register(database, [ECHO])
    await broker.declare(topology.fixed(Profile.CLASSIC))
    recorder = Recorder(database, broker, Catalogue(database, 15), 65_536)
    ids = [str(uuid4()), str(uuid4())]
    async with database.transaction() as locked:
        await locked.execute("LOCK TABLE jobs IN SHARE MODE")
        await recorder.start()
        await broker.publish(birth(ids[0]))
        await eventually(lambda: waits_for_a_lock(database))
        before = broker.connections
        broker._lost.set()
        await eventually(lambda: broker.connections > before)
    await broker.publish(birth(ids[1]))
    await eventually(lambda: are_rows(database, ids))
    await eventually(lambda: is_empty(broker))
    await recorder.stop()


async def test_what_is_not_recorded_is_not_acked(database: Database, broker: Broker) -> None:
    """It ends with a message in hand: that one comes again, for whoever is next."""
    await job_types.register(database, [ECHO])
    await broker.declare(topology.fixed(Profile.CLASSIC))
    recorder = Recorder(database, broker, Catalogue(database, 15), 65_536)
    async with database.transaction() as locked:
        await locked.execute("LOCK TABLE jobs IN SHARE MODE")
        await recorder.start()
        await broker.publish(birth(job_id := str(uuid4())))
        await eventually(lambda: waits_for_a_lock(database))
        await recorder.stop()
    await eventually(lambda: broker.depth(topology.BIRTHS))
    await recorder.start()
    await eventually(lambda: are_rows(database, [job_id]))
    await recorder.stop()


def birth(job_id: str) -> Outgoing:
    return Outgoing("", topology.BIRTHS, foreign().body, job_id, "echo", 5, {})


async def waits_for_a_lock(database: Database) -> bool:
    return bool(await database.fetch("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass"))


async def are_rows(database: Database, ids: list[str]) -> bool:
    return len(ids) == len(await database.fetch("SELECT 1 FROM jobs WHERE id = ANY($1::uuid[])", ids))


async def is_empty(broker: Broker) -> bool:
    return 0 == await broker.depth(topology.BIRTHS)
