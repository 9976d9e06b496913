"""Counts: exact at every moment, whatever is done to the rows and whoever folds meanwhile."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import SerializationError

from persistence.accepting.submission import Submission
from persistence.attempts.claim import claim
from persistence.ending import cancel, retention
from persistence.ending.retention import START, Rule
from persistence.questions import counts
from persistence.store.database import Database
from tests.room.persistence.rows import LEASE_SECONDS, accepted, born, delivered, ended, submission, working, written
from wire.states import Outcome, State

KEYS = "state, type, queue, priority"
BOTH = f"""
WITH summed AS (
  SELECT {KEYS}, sum(jobs)::bigint AS jobs
    FROM (TABLE job_counts UNION ALL TABLE job_deltas) c GROUP BY {KEYS} HAVING sum(jobs) <> 0
), counted AS (SELECT {KEYS}, count(*) AS jobs FROM jobs GROUP BY {KEYS})
SELECT * FROM ((TABLE summed EXCEPT TABLE counted) UNION ALL (TABLE counted EXCEPT TABLE summed)) wrong
"""
LETTER = """
INSERT INTO dead_letters (message_id, body, body_hash, headers, exchange, routing_key, queue, reason, detail,
                          fingerprint)
SELECT n, '', '', '{}', '', '', '', $2, '', '' FROM unnest($1::text[]) AS n
"""
ANYTHING = """
INSERT INTO job_types (name, queue, payload_schema, priority, max_retries, timeout_seconds, retry_base_seconds,
                       retry_max_seconds)
VALUES ('anything', 'other', '{}', 7, 1, 30, 2, 300) ON CONFLICT DO NOTHING
"""


class RolledBack(Exception):
    pass


async def test_they_are_exact_at_every_moment_of_random_work(database: Database) -> None:
    """
    Three do all that is ever done to jobs, in the product's own statements, while two fold and one compares.
    """
    await database.fetch(ANYTHING)
    dice = random.Random(4)
    busy = asyncio.gather(*[_live(database, random.Random(dice.random()), steps=60) for _ in range(3)])
    looks = wrong = 0
    while not busy.done():
        await asyncio.gather(counts.fold(database, 7), counts.fold(database, 5))
        wrong += len(await database.fetch(BOTH))
        looks += 1
    await busy

    assert (0, True) == (wrong, looks > 10)
    assert [] == await database.fetch(BOTH)


async def test_a_statement_with_parts_appends_one_set_of_deltas(database: Database) -> None:
    """
    Judging changes jobs in five places of one statement; its trigger runs once, and not at all for what is no change.
    """
    session, *jobs = await working(database), *[submission() for _ in range(3)]
    await accepted(database, *jobs)
    await database.fetch("UPDATE jobs SET expires_at = now() - interval '1 s' WHERE id = $1", jobs[0].id)
    await database.fetch("UPDATE jobs SET crashes = 1 WHERE id <> $1", jobs[0].id)  # one of them stands back
    await counts.fold(database)
    await claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)
    claimed = await database.fetch("SELECT state, jobs FROM job_deltas ORDER BY state")
    await counts.fold(database)
    await database.fetch("UPDATE jobs SET note = 'halfway'")
    await database.fetch("DELETE FROM jobs WHERE false")

    assert [("expired", 1), ("queued", -3), ("retrying", 1), ("running", 1)] == [tuple(row.values()) for row in claimed]
    assert [] == await database.fetch("SELECT FROM job_deltas")


async def test_what_is_rolled_back_was_never_counted(database: Database) -> None:
    await accepted(database, submission())
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE jobs SET state = 'completed'")
        await transaction.rollback()
    await counts.fold(database)

    assert [(State.QUEUED, 1)] == [(found.state, found.jobs) for found in await counts.jobs(database)]


async def test_an_open_transaction_keeps_its_deltas_from_being_folded_and_blocks_nobody(database: Database) -> None:
    await accepted(database, *[submission() for _ in range(3)])
    async with database.transaction() as open_one:
        await open_one.execute("DELETE FROM jobs WHERE id = (SELECT id FROM jobs LIMIT 1)")
        await counts.fold(database)
        before = await counts.jobs(database)
    after = await counts.jobs(database)

    assert ([3], [2]) == ([found.jobs for found in before], [found.jobs for found in after])


async def test_a_truncated_table_counts_nothing(database: Database) -> None:
    await accepted(database, submission())
    await counts.fold(database)
    await accepted(database, submission())
    await database.fetch("TRUNCATE jobs")

    assert [] == await counts.jobs(database)


async def test_dead_letters_are_counted_by_reason_and_whether_they_were_redriven(database: Database) -> None:
    await database.fetch(LETTER, ["1", "2", "3"], "malformed")
    await database.fetch(LETTER, ["4"], "unroutable")
    await counts.fold(database)
    await database.fetch("UPDATE dead_letters SET redriven_at = now() WHERE message_id = '1'")
    await database.fetch("DELETE FROM dead_letters WHERE message_id = '2'")

    assert [("malformed", False, 1), ("malformed", True, 1), ("unroutable", False, 1)] == [
        (found.reason, found.redriven, found.letters) for found in await counts.letters(database)
    ]


async def test_a_long_row_of_deltas_is_folded_in_batches(database: Database) -> None:
    for _ in range(5):
        await accepted(database, submission())

    assert [3, 2, 0] == [(await counts.fold(database, 3)).deltas for _ in range(3)]
    assert [5] == [found.jobs for found in await counts.jobs(database)]


async def test_the_oldest_of_a_level_is_one_that_is_due(database: Database) -> None:
    early, late, ahead = submission(), submission(), submission(starts_in=timedelta(hours=1), priority=9)
    await accepted(database, early, late, ahead)
    await database.fetch("UPDATE jobs SET created_at = now() - interval '90 s' WHERE id = $1", early.id)
    found = await counts.oldest(database, [("default", 5), ("default", 9), ("default", 1)])

    assert [("default", 5)] == list(found)
    assert 90 <= found["default", 5] < 150


async def _live(database: Database, dice: random.Random, steps: int) -> None:
    session, known = await working(database), list[Submission]()
    for _ in range(steps):
        doing = dice.choice([_submit, _submit, _claim_some, _claim_some, _record, _end, _forget, _by_sql])
        await doing(database, dice, session, known)


async def _submit(database: Database, dice: random.Random, _: UUID, known: list[Submission]) -> None:
    fresh = [submission(priority=dice.randint(1, 10), type=dice.choice(["echo", "sum"])) for _ in range(3)]
    again = dice.sample(known, min(2, len(known)))  # an insert that does nothing for some of its rows
    await dice.choice([accepted, born])(database, *fresh, *again)
    known += fresh


async def _claim_some(database: Database, dice: random.Random, session: UUID, known: list[Submission]) -> None:
    await claim(database, session, [delivered(job) for job in dice.sample(known, min(4, len(known)))], LEASE_SECONDS)


async def _record(database: Database, dice: random.Random, session: UUID, known: list[Submission]) -> None:
    rows = await database.fetch("SELECT id, lease FROM jobs WHERE state = 'running' AND holder = $1 LIMIT 3", session)
    mine = {job.id: job for job in known}
    again = {"outcome": Outcome.RETRY, "state": State.RETRYING, "again_after": timedelta(seconds=1)}
    endings = [
        ended(mine[row["id"]], row["lease"], **(again if dice.random() < 0.4 else {}), children=(submission(),))
        for row in rows
    ]
    if endings:
        await written(database, endings)


async def _end(database: Database, dice: random.Random, _: UUID, known: list[Submission]) -> None:
    for job in dice.sample(known, min(1, len(known))):
        match dice.randrange(3):
            case 0:
                await cancel.cancel(database, job.id)
            case 1:
                await cancel.again(database, job.id)
            case _:
                await cancel.cancel_or_delete(database, job.id, purge=True)


async def _forget(database: Database, dice: random.Random, _: UUID, __: list[Submission]) -> None:
    await database.fetch("UPDATE jobs SET created_at = now() - interval '1 day' WHERE state = 'completed'")
    rule = Rule(State.COMPLETED, timedelta(0), datetime.fromisoformat("9999-01-01T00:00:00+00:00"))
    await retention.forget_jobs(database, rule, START, dice.randint(1, 5))


async def _by_sql(database: Database, dice: random.Random, _: UUID, __: list[Submission]) -> None:
    """
    In a transaction of a stricter kind, which is rolled back now and then: by us, or by Postgres, which may refuse any
    one of several serializable transactions. Neither may be counted.
    """
    with suppress(RolledBack, SerializationError):
        async with database.connection() as connection, connection.transaction(isolation="serializable"):
            await connection.fetch("SELECT warren.submit('anything', '{}', priority => $1)", dice.randint(1, 10))
            if dice.random() < 0.3:
                raise RolledBack
