"""Turns at a host: one at a time, far enough apart, in order, and nobody's for longer than he lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from persistence.accepting.submission import Submission
from persistence.ending.cancel import cancel
from persistence.hosts import calls
from persistence.hosts.turns import AHEAD_SECONDS, Leaving
from persistence.questions.why import facts_of
from persistence.store.database import Database
from tests.room.persistence.hosts_asked import DELAY, ask, asking, leave, leaving
from tests.room.persistence.rows import accepted, ended, field, recorded, submission, working
from tests.room.persistence.rows import ask as claim
from wire.states import Outcome, State

HOST = "https://news.example"


@dataclass
class Guests:
    """Jobs that run and come to the host."""

    database: Database
    session: UUID

    async def job(self, **said: object) -> Submission:
        """One that runs."""
        one = submission(**said)
        await accepted(self.database, one)
        await claim(self.database, self.session, one)
        return one

    async def asleep(self, **said: object) -> Submission:
        """One that stands in the line, or has a turn promised, and sleeps."""
        one = await self.job(**said)
        (turn,) = await ask(self.database, asking(HOST, one.id, priority=one.priority))
        assert not turn.begins
        await self.sleeps(one, turn.after_seconds)
        return one

    async def sleeps(self, job: Submission, seconds: float = 100.0) -> None:
        said = {"state": State.RETRYING, "again_after": timedelta(seconds=seconds), "counted": False}
        await recorded(self.database, ended(job, 1, Outcome.SNOOZED, **said))

    async def there(self) -> Submission:
        """One whose request is under way."""
        one = await self.job()
        (turn,) = await ask(self.database, asking(HOST, one.id))
        assert turn.begins
        return one


@pytest_asyncio.fixture
async def guests(database: Database) -> AsyncIterator[Guests]:
    yield Guests(database, await working(database))


async def test_who_leaves_calls_the_next_for_when_the_delay_is_over(guests: Guests, database: Database) -> None:
    first, second = await guests.there(), await guests.asleep()
    left, (post,) = await leave(database, leaving(HOST, first.id))
    due = await database.fetch_one(
        "SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::float8 AS seconds FROM jobs WHERE id = $1",
        second.id,
    )

    assert DELAY - 0.1 < left.next_seconds <= DELAY
    assert (second.id, 3, True) == (post.job_id, post.run, post.exact)
    assert due
    assert left.next_seconds - AHEAD_SECONDS - 15 < due["seconds"] <= left.next_seconds - AHEAD_SECONDS


async def test_of_many_that_ask_at_once_one_begins(guests: Guests, database: Database) -> None:
    """
    Each in a transaction of its own: whoever waited for the host's row must not see the turns as they were before.
    """
    jobs = [uuid4() for _ in range(20)]
    turns = [turn for (turn,) in await asyncio.gather(*(ask(database, asking(HOST, job)) for job in jobs))]

    assert 1 == sum(turn.begins for turn in turns)
    assert list(range(19)) == sorted(turn.ahead for turn in turns if turn.ahead is not None)


async def test_a_line_is_in_order_and_the_important_go_first(guests: Guests, database: Database) -> None:
    there = await guests.there()
    jobs = [await guests.asleep(priority=priority) for priority in (5, 5, 8)]
    called = list[UUID]()
    for _ in jobs:
        _, (post,) = await leave(database, leaving(HOST, there.id))
        called.append(post.job_id)
        there = next(job for job in jobs if job.id == post.job_id)
        await ask(database, asking(HOST, there.id, priority=there.priority))

    assert [jobs[2].id, jobs[0].id, jobs[1].id] == called


async def test_who_will_never_come_is_passed_over(guests: Guests, database: Database) -> None:
    """
    However many they are: a crawl of thousands may be cancelled while others stand behind it.  They are too many for
    one transaction, during which nobody could ask or leave, so the scheduler clears the rest.
    """
    first, cancelled, last = await guests.there(), await guests.asleep(), await guests.asleep()
    await cancel(database, cancelled.id)
    await _ghosts(database, 120)
    _, (post,) = await leave(database, leaving(HOST, first.id))
    await ask(database, asking(HOST, last.id))
    behind = await guests.asleep()
    await _ghosts(database, 3 * calls.CLEARED)
    _, nobody = await leave(database, leaving(HOST, last.id))
    posts = await calls.call_quiet(database)

    assert last.id == post.job_id
    assert ([], [behind.id]) == (nobody, [each.job_id for each in posts])


async def test_who_waits_in_place_goes_before_those_that_sleep(guests: Guests, database: Database) -> None:
    """
    However long their line is.  No message calls him: he looks at his row.
    """
    first, standing, _ = await guests.there(), await guests.job(), await guests.asleep()
    await _ghosts(database, 100)
    (before,) = await ask(database, asking(HOST, standing.id, in_place=True))
    _, posts = await leave(database, leaving(HOST, first.id))
    (turn,) = await ask(database, asking(HOST, standing.id, in_place=True))

    assert (False, 0) == (before.begins, before.ahead)
    assert before.after_seconds < 3 * DELAY
    assert [] == posts
    assert turn.begins


async def test_it_can_be_asked_which_turn_a_job_waits_for(guests: Guests, database: Database) -> None:
    first, second, third = await guests.there(), await guests.asleep(), await guests.asleep()
    line = await facts_of(database, third.id, 15.0, unsent=False)
    await leave(database, leaving(HOST, first.id))
    promised = await facts_of(database, second.id, 15.0, unsent=False)

    assert line
    assert promised
    assert line.turn
    assert promised.turn
    assert (HOST, 1, DELAY) == (line.turn.host, line.turn.ahead, line.turn.apart_seconds)
    assert None is promised.turn.ahead
    assert promised.now < promised.turn.at <= promised.now + timedelta(seconds=DELAY)


async def test_who_is_called_has_the_turn_when_he_comes(guests: Guests, database: Database) -> None:
    first, second = await guests.there(), await guests.asleep()
    await leave(database, leaving(HOST, first.id))
    stranger, (turn,) = uuid4(), await ask(database, asking(HOST, second.id, lease=2))
    (other,) = await ask(database, asking(HOST, stranger))

    assert not turn.begins  # it is too long for a wait in place
    assert DELAY - 15 < turn.after_seconds <= DELAY - AHEAD_SECONDS
    assert 0 == other.ahead


async def test_a_turn_that_is_not_taken_up_goes_to_who_is_there(guests: Guests, database: Database) -> None:
    """
    Its job is held up behind others in its queue; when it comes it is the first of the line.
    """
    first, second = await guests.there(), await guests.asleep()
    await leave(database, leaving(HOST, first.id))
    await _later(database, DELAY + 4)
    (there,) = await ask(database, asking(HOST, uuid4()))
    (late,) = await ask(database, asking(HOST, second.id, lease=2))

    assert there.begins
    assert (False, 0) == (late.begins, late.ahead)


async def test_a_worker_that_dies_frees_its_turn_when_its_job_is_another_s(guests: Guests, database: Database) -> None:
    """
    For all that is known its request was under way until now, so the delay counts from now.
    """
    first, second = await guests.there(), await guests.asleep()
    quiet = await calls.call_quiet(database)
    await database.fetch("UPDATE jobs SET lease = 2 WHERE id = $1", first.id)
    after_death = await calls.call_quiet(database)
    (turn,) = await ask(database, asking(HOST, second.id, lease=2))

    assert [] == quiet
    assert [second.id] == [post.job_id for post in after_death]
    assert DELAY - 15 < turn.after_seconds + AHEAD_SECONDS <= DELAY


async def test_a_turn_ends_by_its_deadline(guests: Guests, database: Database) -> None:
    first, second = await guests.there(), await guests.asleep()
    await _later(database, 15)
    before = await calls.call_quiet(database)
    await _later(database, 16)
    posts = await calls.call_quiet(database)
    left, _ = await leave(database, leaving(HOST, first.id))  # it was alive after all, and slow

    assert ([], [second.id]) == (before, [post.job_id for post in posts])
    assert DELAY - 0.1 < left.next_seconds <= DELAY


async def test_who_is_taken_over_waits_for_the_delay_too(guests: Guests, database: Database) -> None:
    """
    His own request of the lease before may have reached the host a moment ago.
    """
    first = await guests.there()
    (turn,) = await ask(database, asking(HOST, first.id, lease=2, delay_seconds=0.4))

    assert turn.begins
    assert 0.4 == pytest.approx(turn.after_seconds, abs=0.001)


async def test_who_has_not_fallen_asleep_yet_is_called_by_the_scheduler(guests: Guests, database: Database) -> None:
    first, second = await guests.there(), await guests.job()
    await ask(database, asking(HOST, second.id))
    _, nobody = await leave(database, leaving(HOST, first.id))
    await guests.sleeps(second)
    posts = await calls.call_quiet(database)

    assert [] == nobody
    assert [second.id] == [post.job_id for post in posts]
    assert 3 == await field(database, second, "run")


async def test_with_more_than_one_at_once_the_delay_lies_between_their_beginnings(database: Database) -> None:
    jobs = [uuid4() for _ in range(4)]
    turns = await ask(database, *(asking(HOST, job, delay_seconds=0.2) for job in jobs), concurrency=3)
    (after,) = await ask(database, asking(HOST, jobs[3], delay_seconds=0.2), concurrency=4)

    assert [True, True, True, False] == [turn.begins for turn in turns]
    assert [0.0, 0.2, 0.4] == [pytest.approx(turn.after_seconds, abs=0.001) for turn in turns[:3]]
    assert after.ahead is None


async def test_a_refusal_slows_a_host_down_and_good_answers_bring_it_back(guests: Guests, database: Database) -> None:
    answers = [{"refused": True}, {"refused": True, "hold_seconds": 30.0}, *[{}] * 30]
    paces = list[float]()
    for said in answers:
        left, _ = await _visited(database, **said)
        paces.append(left.slowed_to)
        if said.get("hold_seconds"):
            held = left.next_seconds
        await _later(database, 100)

    assert [2.0, 4.0] == paces[:2]
    assert 29 < held <= 30
    assert sorted(paces[1:], reverse=True) == paces[1:]
    assert 0 == paces[-1]


async def test_a_slow_host_is_asked_as_far_apart_as_it_takes(guests: Guests, database: Database) -> None:
    slow, _ = await _visited(database, seconds=3.0)
    await _later(database, 100)
    very, _ = await _visited(database, seconds=900.0)

    assert (3.0, 60.0) == (slow.slowed_to, very.slowed_to)
    assert 59 < very.next_seconds <= 60


async def _visited(database: Database, **said: object) -> tuple:  # type: ignore[type-arg]
    job = uuid4()
    (turn,) = await ask(database, asking(HOST, job, delay_seconds=1.0))
    assert turn.begins
    return await leave(database, Leaving(HOST, job, 1, **{"seconds": 0.1, **said}))  # type: ignore[arg-type]


async def _ghosts(database: Database, number: int) -> None:
    """So many at the head of the line whose jobs are gone."""
    await database.fetch(
        "INSERT INTO host_turns (host, job_id, lease, priority, in_place) "
        "SELECT $1, gen_random_uuid(), 1, 9, false FROM generate_series(1, $2)",
        HOST, number,
    )  # fmt: skip


async def _later(database: Database, seconds: float) -> None:
    """So much later, as far as the host and its turns know."""
    for table, names in (("hosts", ["next_at"]), ("host_turns", ["starts_at", "until"])):
        moved = ", ".join(f"{name} = {name} - make_interval(secs => {seconds})" for name in names)
        await database.fetch(f"UPDATE {table} SET {moved}")
