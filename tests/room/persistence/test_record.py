"""What became of attempts: fenced, kept, and never stopped by one bad row."""

from __future__ import annotations

from datetime import timedelta

from persistence.attempts.record import Ending
from persistence.crew import workers
from persistence.store.bisect import each_that_fits
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, ended, field, recorded, submission, working, written
from wire.states import Outcome, Reason, State


async def test_an_outcome_is_kept_with_its_attempt(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)

    made = await recorded(database, ended(job, 1, result='{"n":1.10}', progress=1.0, note="done"))

    assert (True, State.COMPLETED) == (made.current, made.state)
    assert ('{"n":1.10}', 1.0, "done") == tuple(
        [await field(database, job, name) for name in ("result", "progress", "note")]
    )
    rows = await database.fetch("SELECT outcome, worker FROM attempts WHERE job_id = $1", job.id)
    assert [("completed", "w:1")] == [(row["outcome"], row["worker"]) for row in rows]


async def test_only_the_current_lease_may_write_and_the_late_outcome_is_kept(database: Database) -> None:
    first, second, job = await working(database), await working(database), submission()
    await accepted(database, job)
    await ask(database, first, job)
    await workers.end(database, first)
    await ask(database, second, job)

    late = await recorded(database, ended(job, 1, result='"late"'))
    good = await recorded(database, ended(job, 2, result='"good"'))

    assert (False, True) == (late.current, good.current)
    assert '"good"' == await field(database, job, "result")
    rows = await database.fetch("SELECT lease, outcome FROM attempts WHERE job_id = $1 ORDER BY lease", job.id)
    assert [(1, "superseded"), (2, "completed")] == [(row["lease"], row["outcome"]) for row in rows]


async def test_an_outcome_of_one_that_was_judged_dead_counts_while_nobody_has_taken_over(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await workers.end(database, session)

    made = await recorded(database, ended(job, 1, result='"good"'))

    assert (True, State.COMPLETED) == (made.current, made.state)
    rows = await database.fetch("SELECT outcome, error_type FROM attempts WHERE job_id = $1", job.id)
    assert [("completed", None)] == [(row["outcome"], row["error_type"]) for row in rows]


async def test_a_late_outcome_of_a_deleted_job_leaves_no_attempt_behind(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await database.fetch("DELETE FROM jobs WHERE id = $1", job.id)

    made = await recorded(database, ended(job, 1))

    assert (False, None) == (made.current, made.state)
    assert [] == list(await database.fetch("SELECT * FROM attempts"))


async def test_a_late_outcome_of_a_lease_without_an_attempt_is_superseded(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    await ask(database, session, job)  # the claim's first answer was lost: lease 2

    late = await recorded(database, ended(job, 1))

    assert not late.current
    rows = await database.fetch("SELECT lease, outcome FROM attempts WHERE job_id = $1", job.id)
    assert [(1, "superseded")] == [(row["lease"], row["outcome"]) for row in rows]


async def test_the_statement_that_decides_a_retry_writes_its_outbox_row(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    retry = ended(
        job, 1, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(seconds=8), error_message="HTTP 503"
    )

    made = await recorded(database, retry)

    assert (2, True) == (made.next_run, timedelta(seconds=7) < made.wait <= timedelta(seconds=8))
    row = await database.fetch_one("SELECT * FROM outbox WHERE seq = $1", made.post_seq)
    assert row is not None
    assert (job.id, 2, False, "HTTP 503") == (row["job_id"], row["run"], row["exact"], row["because"])
    assert "retrying" == await field(database, job, "state")


async def test_a_retry_of_a_cancelled_job_records_cancelled_and_a_completion_wins(database: Database) -> None:
    session, retried, done = await working(database), submission(), submission()
    await accepted(database, retried, done)
    for job in (retried, done):
        await ask(database, session, job)
        await database.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", job.id)

    await recorded(database, ended(retried, 1, Outcome.RETRY, state=State.RETRYING, again_after=timedelta(seconds=1)))
    await recorded(database, ended(done, 1))

    assert "cancelled" == await field(database, retried, "state")
    assert "completed" == await field(database, done, "state")
    assert 0 == (await database.fetch("SELECT count(*) AS n FROM outbox WHERE run > 1"))[0]["n"]


async def test_children_exist_if_and_only_if_the_attempt_is_current(database: Database) -> None:
    first, second, job = await working(database), await working(database), submission()
    lost_child, child = submission(), submission()
    await accepted(database, job)
    await ask(database, first, job)
    await workers.end(database, first)
    await ask(database, second, job)

    _, lost_posts = await written(database, [ended(job, 1, children=(lost_child,))])
    _, posts = await written(database, [ended(job, 2, children=(child,))])

    assert ([], [child.id]) == (lost_posts, [post.job_id for post in posts])
    assert (None, "queued") == (await field(database, lost_child, "state"), await field(database, child, "state"))


async def test_one_row_that_postgres_cannot_store_does_not_stop_its_batch(database: Database) -> None:
    session, jobs = await working(database), [submission() for _ in range(7)]
    await accepted(database, *jobs)
    for job in jobs:
        await ask(database, session, job)
    endings = [ended(job, 1, result="{" if i == 3 else "{}") for i, job in enumerate(jobs)]

    async def store(some: list[Ending]) -> list[object]:
        return list((await written(database, some))[0])

    stored, refused = await each_that_fits(endings, store)

    assert {job.id for i, job in enumerate(jobs) if i != 3} == set(stored)
    assert [jobs[3].id] == [ending.job_id for ending, _ in refused]


async def test_words_of_an_error_that_postgres_cannot_hold_are_made_storable(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    await ask(database, session, job)
    failure = ended(job, 1, Outcome.FAILED, state=State.FAILED, reason=Reason.PERMANENT, error_message="a\x00b\ud800")

    await recorded(database, failure)

    assert "a\ufffdb?" == await field(database, job, "error_message")
