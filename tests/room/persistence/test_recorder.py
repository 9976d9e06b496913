"""The recorder: births become rows, strays go back to the outbox, the rest is kept with a reason."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest_asyncio

from persistence import job_types
from persistence.database import Database
from persistence.job_types import Catalogue
from persistence.recorder import Recorder
from tests.room.persistence.rows import ECHO, accepted, ask, field, submission, working
from wire.amqp import Broker
from wire.message import Incoming

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

    await recorder.unrouted([foreign(job.body, message_id=str(job.id), headers={"run": 1})])

    assert (2, "queued") == (await field(database, job, "run"), await field(database, job, "state"))
    assert [2] == [row["run"] for row in await database.fetch("SELECT run FROM outbox WHERE run > 1")]
    assert [] == await letters(database)


async def test_a_stray_copy_does_not_disturb_a_job_that_has_gone_on(recorder: Recorder, database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)

    await recorder.dead([foreign(job.body, message_id=str(job.id), headers={"run": 1})])

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
