"""What jobs of a period have become, read piece by piece."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from actors.trades.reports.activity import tallied
from actors.trades.reports.period import Period
from persistence.ending.retention import START, Rule, forget_jobs
from persistence.forgotten.count import forget_counts
from persistence.questions.activity import activity
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, submission
from wire.states import State

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]
AGE = """
UPDATE jobs SET created_at = $2, state = $3, attempt = 1, started_at = $2::timestamptz + interval '2 seconds',
                finished_at = $2::timestamptz + interval '5 seconds' WHERE id = $1
"""


async def _jobs(database: Database) -> None:
    """Two a day for five days from the day before the first one, one of them at its last instant."""
    jobs = [submission(type="even" if number % 2 else "odd") for number in range(10)]
    await accepted(database, *jobs)
    for number, job in enumerate(jobs):
        day = FIRST + timedelta(days=number // 2 - 1)
        at = day if number % 2 else day + timedelta(days=1, microseconds=-1)
        await database.fetch(AGE, job.id, at, "failed" if number == 3 else "completed")


async def test_a_day_begins_with_its_first_instant_and_ends_before_the_next(database: Database) -> None:
    await _jobs(database)

    counted: Counter[tuple[int, str, str]] = Counter()
    async for piece in activity(database, DAYS):
        counted.update({(count.day, count.type, count.state): count.jobs for count in piece.counts})

    assert {
        (0, "odd", "completed"): 1, (0, "even", "failed"): 1, (1, "odd", "completed"): 1, (1, "even", "completed"): 1,
        (2, "odd", "completed"): 1, (2, "even", "completed"): 1,
    } == counted  # fmt: skip


async def test_small_pieces_add_up_to_the_whole(database: Database) -> None:
    await _jobs(database)
    told: list[float] = []

    tally = await tallied(database, Period(date(2026, 3, 1), date(2026, 3, 3)), told.append)
    sizes = [piece.jobs async for piece in activity(database, DAYS, piece=4)]

    assert (6, {"completed": 5, "failed": 1}) == (tally.jobs, dict(tally.states))
    assert [4, 2] == sizes
    assert {("even", ""): 1} == {cause: found.jobs for cause, found in tally.causes.items()}
    assert [3.0] * 6 == [round(slow.seconds, 3) for slow in tally.slowest]
    assert all(0 <= share <= 1 for share in told)
    assert told


async def test_times_are_told_to_five_per_cent(database: Database) -> None:
    await _jobs(database)

    tally = await tallied(database, Period(date(2026, 3, 1), date(2026, 3, 3)), lambda _: None)

    ran, waited = tally.ran["odd"], tally.waited["odd"]
    assert (3.0, 2.0) == (ran.longest, waited.longest)
    assert 3.0 == ran.quantile(0.5)  # no class may say more than the longest
    assert 2.0 == waited.quantile(0.95)


async def test_what_retention_has_forgotten_still_counts(database: Database) -> None:
    """
    Successes are kept for a day and failures for two weeks: counted from what is kept alone, all would be failures.
    """
    await _jobs(database)
    period = Period(date(2026, 3, 1), date(2026, 3, 3), "Europe/Berlin")  # whose days begin with another hour
    before = await tallied(database, period, lambda _: None)
    for limit in (3, 100):
        rule = Rule(State.COMPLETED, timedelta(days=1), await database.now())
        await forget_jobs(database, rule, START, limit)
    after = await tallied(database, period, lambda _: None)

    assert [1, 1] == [len(await database.fetch("SELECT FROM jobs")), after.jobs - after.forgotten]
    assert (before.by_both, before.retries) == (after.by_both, after.retries)
    assert 3.0 == after.ran["odd"].longest
    assert before.ran["odd"].quantile(0.5) == after.ran["odd"].quantile(0.5)


async def test_counts_are_forgotten_after_more_than_a_year(database: Database) -> None:
    await database.fetch(
        "INSERT INTO forgotten_jobs SELECT now() - make_interval(days => n), 'echo', 'completed', 0, 1, 0, 1.0"
        "  FROM unnest(ARRAY[399, 401, 800]) n"
    )

    assert 2 == await forget_counts(database, 100)
    assert 0 == await forget_counts(database, 100)


async def test_no_job_is_no_piece(database: Database) -> None:
    assert [] == [piece async for piece in activity(database, DAYS)]
