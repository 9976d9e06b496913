"""What attempts have logged: written in pieces, trimmed, read in order, gone with its job."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from persistence.attempts import attempt_logs
from persistence.attempts.attempt_logs import GONE, START, Piece, Place
from persistence.ending import cancel, retention
from persistence.ending.retention import Rule
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, submission
from wire.states import State


def piece(job_id: UUID, first: int, last: int, *, lease: int = 1, attempt: int = 1, kept_from: int = 1) -> Piece:
    text = "\n".join(f'"{number}"' for number in range(first, last + 1))
    return Piece(job_id, lease, attempt, first, last, kept_from, text)


async def job(database: Database) -> UUID:
    one = submission()
    await accepted(database, one)
    return one.id


async def numbers(database: Database, job_id: UUID, limit: int = 500, attempt: int | None = None) -> list[int]:
    found = await attempt_logs.lines_of(database, job_id, attempt=attempt, limit=limit)
    assert found is not None
    assert [f'"{line.number}"' for line in found.lines] == [line.said for line in found.lines]
    return [line.number for line in found.lines]


async def rows(database: Database) -> int:
    return len(await database.fetch("SELECT FROM attempt_logs"))


async def test_pieces_are_read_in_order_and_the_last_lines_first_when_there_are_too_many(database: Database) -> None:
    job_id = await job(database)
    await attempt_logs.write(database, [piece(job_id, 1, 3), piece(await job(database), 1, 9)])
    await attempt_logs.write(database, [piece(job_id, 4, 4), piece(job_id, 1, 2, lease=2, attempt=2)])

    assert [1, 2, 3, 4, 1, 2] == await numbers(database, job_id)
    assert [3, 4, 1, 2] == await numbers(database, job_id, limit=4)
    assert [1, 2, 3, 4] == await numbers(database, job_id, attempt=1)
    assert [] == await numbers(database, job_id, attempt=3)


async def test_what_is_too_old_goes_with_the_next_write(database: Database) -> None:
    job_id = await job(database)
    await attempt_logs.write(database, [piece(job_id, 1, 3)])
    await attempt_logs.write(database, [piece(job_id, 4, 6)])
    await attempt_logs.write(database, [piece(job_id, 7, 8, kept_from=5)])
    found = await attempt_logs.lines_of(database, job_id, limit=500)

    assert [5, 6, 7, 8] == await numbers(database, job_id)
    assert found is not None
    assert 4 == found.dropped
    assert 2 == await rows(database)


async def test_what_was_written_after_all_and_comes_again_is_read_once(database: Database) -> None:
    """
    A write whose answer was lost is done again, with what has come since.
    """
    job_id = await job(database)
    await attempt_logs.write(database, [piece(job_id, 1, 3)])
    await attempt_logs.write(database, [piece(job_id, 1, 5)])
    await attempt_logs.write(database, [piece(job_id, 1, 3)])
    await attempt_logs.write(database, [piece(job_id, 3, 6)])

    assert [1, 2, 3, 4, 5, 6] == await numbers(database, job_id)


async def test_a_job_that_is_gone_keeps_no_lines_and_gets_none(database: Database) -> None:
    job_id, kept = await job(database), await job(database)
    await attempt_logs.write(database, [piece(job_id, 1, 3), piece(kept, 1, 1)])
    await cancel.delete(database, job_id, purge=True)
    await attempt_logs.write(database, [piece(job_id, 4, 5)])

    assert await attempt_logs.lines_of(database, job_id, limit=1) is None
    assert 1 == await rows(database)


async def test_a_job_that_is_deleted_while_its_lines_are_written_leaves_none(database: Database) -> None:
    job_id = await job(database)
    async with database.transaction() as transaction:
        await transaction.fetch("SELECT FROM jobs WHERE id = $1 FOR UPDATE", job_id)
        writing = asyncio.ensure_future(attempt_logs.write(database, [piece(job_id, 1, 3)]))
        await transaction.execute("DELETE FROM jobs WHERE id = $1", job_id)
    await writing

    assert 0 == await rows(database)


async def test_they_are_forgotten_with_their_job(database: Database) -> None:
    job_id = await job(database)
    await attempt_logs.write(database, [piece(job_id, 1, 3)])
    await database.fetch(
        "UPDATE jobs SET state = 'completed', finished_at = now() - interval '2 days',"
        " created_at = now() - interval '2 days'"
    )
    rule = Rule(State.COMPLETED, timedelta(days=1), await database.now())
    await retention.forget_jobs(database, rule, retention.START, 100)

    assert 0 == await rows(database)


async def test_news_are_what_is_behind_a_place_with_the_state_of_that_moment(database: Database) -> None:
    job_id, silent, unknown = await job(database), await job(database), submission().id
    await attempt_logs.write(database, [piece(job_id, 1, 3), piece(job_id, 1, 2, lease=2, attempt=2)])
    asked = [(job_id, START), (job_id, Place(1, 2)), (job_id, Place(2, 2)), (silent, START), (unknown, START)]
    found = await attempt_logs.news_of(database, asked)
    told = [[(line.lease, line.number) for line in found.get(one, GONE).lines] for one in asked]

    assert [[(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)], [(1, 3), (2, 1), (2, 2)], [], [], []] == told
    assert [State.QUEUED] * 4 + [None] == [found.get(one, GONE).state for one in asked]


async def test_much_news_comes_in_parts(database: Database) -> None:
    job_id = await job(database)
    for number in range(1, 13):
        await attempt_logs.write(database, [piece(job_id, number, number)])
    after, seen, parts = START, list[int](), list[bool]()
    for _ in range(2):
        news = (await attempt_logs.news_of(database, [(job_id, after)]))[job_id, after]
        seen += [line.number for line in news.lines]
        parts.append(news.more)
        after = Place(1, seen[-1])

    assert list(range(1, 13)) == seen
    assert [True, False] == parts
