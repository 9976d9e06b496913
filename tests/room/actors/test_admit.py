"""Every delivery gets a word: what starts, what is acked, what is kept, and above all what is asked about again."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest_asyncio
from msgspec.structs import replace

from actors.deliveries.delivery import Delivery
from actors.lane.admit import Admission
from persistence.accepting.submission import Submission
from persistence.declared import job_types
from persistence.declared.job_types import Catalogue
from persistence.store.database import Database
from tests.room.persistence.rows import (
    ECHO,
    LEASE_SECONDS,
    accepted,
    ask,
    ended,
    recorded,
    silent,
    submission,
    working,
)
from wire.message import Incoming


@pytest_asyncio.fixture
async def admission(database: Database) -> Admission:
    await job_types.register(database, [ECHO])
    return await admission_of(database)


async def admission_of(database: Database) -> Admission:
    catalogue = Catalogue(database, LEASE_SECONDS)
    return Admission(database, catalogue, await working(database), lease_seconds=LEASE_SECONDS, max_bytes=65_536)


def ours(job: Submission, run: int = 1, tag: int = 1, **said: object) -> Delivery:
    """A message of ours."""
    message = Incoming(job.body, "jobs", "job.echo.p5", "work.default", {"run": run}, str(job.id), "echo", 5)
    return Delivery(replace(message, **said), tag, 1)  # type: ignore[arg-type]


def foreign(body: bytes = b'{"type":"echo","payload":{}}', job_id: UUID | None = None, tag: int = 1) -> Delivery:
    message = Incoming(body, "jobs.in", "job.echo.p5", "work.default", {}, str(job_id or uuid4()), "echo", 5)
    return Delivery(message, tag, 1)


async def test_a_job_that_comes_twice_in_one_batch_starts_once_and_the_copy_is_asked_about(
    admission: Admission, database: Database
) -> None:
    """The sweep and the publisher may both have sent it; one statement must not be asked about one row twice."""
    await accepted(database, job := submission())
    first, copy = ours(job), ours(job, tag=2)
    verdicts = await admission.admit([first, copy])

    assert [first] == [delivery for delivery, _ in verdicts.start]
    assert ([copy], []) == (verdicts.ask_again, verdicts.ack)


async def test_what_has_ended_or_is_stale_is_acked(admission: Admission, database: Database) -> None:
    done, later = submission(), submission()
    await accepted(database, done, later)
    session = await working(database)
    await ask(database, session, done)
    await recorded(database, ended(done, 1))
    await database.fetch("UPDATE jobs SET run = 2 WHERE id = $1", later.id)
    copies = [ours(done), ours(later)]
    verdicts = await admission.admit(copies)

    assert (copies, [], []) == (verdicts.ack, verdicts.start, verdicts.letters)


async def test_redelivered_decides_nothing(admission: Admission, database: Database) -> None:
    """After a broker's restart 200 of 200 messages that nobody had ever seen carried it."""
    fresh, held = submission(), submission()
    await accepted(database, fresh, held)
    await ask(database, await working(database), held)
    deliveries = [ours(fresh, redelivered=True), ours(held, redelivered=True)]
    deliveries[1].arrived = time.monotonic() - 5  # its holder has beaten since
    verdicts = await admission.admit(deliveries)

    assert [deliveries[0]] == [delivery for delivery, _ in verdicts.start]
    assert [0] == [claim.crashes for _, claim in verdicts.start]
    assert [deliveries[1]] == verdicts.ack


async def test_a_holder_that_has_not_beaten_since_may_be_dead_and_its_message_is_not_acked(
    admission: Admission, database: Database
) -> None:
    """A killed process's messages come again within a millisecond, before anybody has noted its death."""
    await accepted(database, job := submission())
    holder = await working(database)
    await ask(database, holder, job)
    await silent(database, holder, 2)
    delivery = ours(job)
    verdicts = await admission.admit([delivery])

    assert ([delivery], []) == (verdicts.ask_again, verdicts.ack)


async def test_what_is_not_due_is_parked_with_the_message_that_brings_it_back(
    admission: Admission, database: Database
) -> None:
    await accepted(database, job := submission(starts_in=timedelta(hours=1)))
    ((_, claim),) = (await admission.admit([ours(job)])).park

    assert (2, True) == (claim.run, claim.post_seq is not None)
    assert claim.wait > timedelta(minutes=59)


async def test_what_cannot_be_a_job_is_kept_before_it_is_acked(admission: Admission, database: Database) -> None:
    """Bad JSON, an id that is none, a run that no row knows, another body under a known id."""
    await accepted(database, known := submission())
    batch = [
        foreign(b"{"),
        ours(submission(), message_id="17"),
        ours(submission(), run=3),
        foreign(json.dumps({"type": "echo", "payload": {"other": 1}}).encode(), known.id),
    ]
    verdicts = await admission.admit(batch)
    rows = await database.fetch("SELECT reason, body FROM dead_letters ORDER BY id")

    assert {id(delivery) for delivery in batch} == {id(delivery) for delivery, _ in verdicts.letters}
    assert ["id_reused", "malformed", "malformed", "orphan"] == sorted(row["reason"] for row in rows)
    assert sorted(delivery.message.body for delivery in batch) == sorted(row["body"] for row in rows)


async def test_a_row_that_postgres_refuses_does_not_stop_its_batch(admission: Admission, database: Database) -> None:
    """A rule of the table that no check of ours knows: the batch is halved until the culprit stands alone."""
    good, bad = submission(), submission(type="odd")
    await accepted(database, good, bad)
    await database.fetch("ALTER TABLE jobs ADD CHECK (state <> 'running' OR type = 'echo' OR type::date IS NOT NULL)")
    deliveries = [ours(bad), ours(good)]
    verdicts = await admission.admit(deliveries)

    assert [deliveries[1]] == [delivery for delivery, _ in verdicts.start]
    assert [(deliveries[0], "unstorable")] == [(delivery, letter.reason) for delivery, letter in verdicts.letters]


async def test_what_the_recorder_has_born_is_claimed_without_another_judgement(
    admission: Admission, database: Database
) -> None:
    """Its row says that its body has been judged; a type that is gone from the catalogue since would be refused."""
    await accepted(database, job := submission())
    await database.fetch("DELETE FROM job_types")
    delivery = foreign(job.body, job.id)
    verdicts = await admission.admit([delivery])

    assert [delivery] == [started for started, _ in verdicts.start]


async def test_what_nobody_has_born_yet_is_born_with_its_claim(admission: Admission, database: Database) -> None:
    """With others that are known, and with one whose key names another type than its body."""
    await accepted(database, known := submission())
    unborn, misled = foreign(), foreign(known.body, known.id, tag=2)
    misled = Delivery(replace(misled.message, type=None, routing_key="job.report.p5"), 2, 1)
    verdicts = await admission.admit([ours(submission(), tag=3), unborn, misled])

    assert [unborn] == [delivery for delivery, _ in verdicts.start]
    assert [misled] == [delivery for delivery, letter in verdicts.letters if letter.reason == "malformed"]
    assert unborn.job_id in {row["id"] for row in await database.fetch("SELECT id FROM jobs WHERE state = 'running'")}
