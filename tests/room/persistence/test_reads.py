"""What people ask about jobs."""

from __future__ import annotations

from uuid import uuid4

from persistence.declared import job_types
from persistence.questions import reads
from persistence.questions.pages import Filter, Place
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO, accepted, submission, working
from wire.identity import fresh_id


async def test_pages_follow_one_another_without_gap_or_repeat(database: Database) -> None:
    jobs = [submission() for _ in range(25)]
    await accepted(database, *jobs)
    await database.fetch("UPDATE jobs SET created_at = '2030-01-01'")  # the id decides between equal times

    seen, after = [], None
    while page := await reads.page_of_jobs(database, Filter(), 10, after):
        seen += [job.id for job in page]
        after = Place(page[-1].created_at, page[-1].id)

    assert sorted((job.id for job in jobs), reverse=True) == seen


async def test_filters_find_what_they_say(database: Database) -> None:
    batch = fresh_id()
    plain, tagged, batched = submission(), submission(tags=("news", "eu")), submission(batch_id=batch)
    await accepted(database, plain, tagged, batched)
    await database.fetch("UPDATE jobs SET state = 'retrying' WHERE id = $1", plain.id)

    async def found(wanted: Filter) -> set[object]:
        return {job.id for job in await reads.page_of_jobs(database, wanted, 10)}

    everything = {plain.id, tagged.id, batched.id}
    assert everything == await found(Filter(state="pending"))
    assert {plain.id} == await found(Filter(state="retrying"))
    assert {tagged.id} == await found(Filter(tag="eu"))
    assert {batched.id} == await found(Filter(batch_id=batch))
    assert everything == await found(Filter(type="echo", queue="default"))
    assert set() == await found(Filter(type="other"))


async def test_a_numbered_page_tells_how_many_there_are_in_all_by_every_filter(database: Database) -> None:
    """
    Some totals come from sums that are kept, and some from the rows; nobody may see which.
    """
    batch, since = fresh_id(), await database.now()
    jobs = [submission(tags=("news",), batch_id=batch) for _ in range(5)]
    await accepted(database, *jobs, submission(type="other", queue="elsewhere"))
    await database.fetch("UPDATE jobs SET state = 'failed' WHERE id = ANY($1)", [job.id for job in jobs[:3]])

    async def totals(**wanted: object) -> int:
        return (await reads.numbered_page(database, Filter(**wanted), 1, 0))[1]  # type: ignore[arg-type]

    assert 6 == await totals()
    assert [3, 3, 0] == [await totals(state=state) for state in ("failed", "pending", "completed")]
    assert [5, 1] == [await totals(type="echo"), await totals(queue="elsewhere")]
    assert [5, 5, 6] == [await totals(tag="news"), await totals(batch_id=batch), await totals(since=since)]
    assert 2 == await totals(state="pending", type="echo", queue="default")


async def test_a_payload_is_read_as_it_was_sent(database: Database) -> None:
    job = submission(body=b'{"type":"echo","payload":{ "n": 1.10,\n "big": 123456789012345678901234567890 }}')
    await accepted(database, job)

    read = await reads.one_job(database, job.id)

    assert read
    assert b'{ "n": 1.10,\n "big": 123456789012345678901234567890 }' == read.payload
    assert job.trace.trace_id == read.trace_id


async def test_those_who_wait_learn_what_has_ended_or_is_gone(database: Database) -> None:
    open_job, done, gone = submission(), submission(), uuid4()
    await accepted(database, open_job, done)
    await database.fetch("UPDATE jobs SET state = 'completed' WHERE id = $1", done.id)

    assert {done.id, gone} == await reads.finished_among(database, [open_job.id, done.id, gone])


async def test_a_type_that_moves_tells_which_queue_it_has_left(database: Database) -> None:
    assert {} == await job_types.register(database, [ECHO])
    assert {} == await job_types.register(database, [ECHO])

    moved = job_types.JobType("echo", "other", "", "{}", 5, 3, 30.0, 2.0, 300.0)

    assert {"echo": "default"} == await job_types.register(database, [moved])


async def test_a_type_counts_its_live_workers(database: Database) -> None:
    await job_types.register(database, [ECHO])
    await working(database)

    (known,) = await job_types.known(database, 15)

    assert ("echo", 1) == (known.name, known.workers)
