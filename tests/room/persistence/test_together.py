"""Everybody at once on the same hundred jobs: no deadlock, and each ends once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from persistence import cancel, crashes, epoch, outbox, reaping, rescue, retention, workers
from persistence.claim import Answer, Delivered, claim
from persistence.database import Database
from persistence.record import record
from persistence.rescue import Overtaken
from persistence.retention import Rule
from persistence.submission import Submission
from persistence.workers import Held, Pulse
from tests.room.persistence.rows import LEASE_SECONDS, accepted, ended, submission, working
from wire.states import Outcome, State

SECONDS = 4.0
NOW, ANY_TIME = timedelta(0), timedelta(days=1)


class Crowd:
    """Workers, schedulers and people, each at its own thing until the time is over."""

    def __init__(self, database: Database, jobs: list[Submission]) -> None:
        self._database, self._jobs = database, jobs
        self._dice = random.Random(3)
        self.completed: dict[UUID, int] = {}

    def some(self) -> list[Submission]:
        return self._dice.sample(self._jobs, 40)

    async def work(self) -> None:
        """Claim, beat, and bring what was granted to an end, or die."""
        session = await working(self._database)
        rows = await self._database.fetch(
            "SELECT id, run FROM jobs WHERE id = ANY($1)", [job.id for job in self.some()]
        )
        hashes = {job.id: job.body_hash for job in self._jobs}
        delivered = [Delivered(row["id"], row["run"], hashes[row["id"]]) for row in rows]
        claims = await claim(self._database, session, delivered, LEASE_SECONDS)
        granted = {i: answer for i, answer in claims.items() if answer.answer is Answer.CLAIMED}
        due = [answer.due_at for answer in granted.values() if answer.due_at]
        marks = {("default", 5): max(due)} if due else {}
        held = [Held(i, answer.lease) for i, answer in granted.items()]
        await workers.beat(self._database, session, Pulse(1, True, 0.0, marks=marks), held)
        if self._dice.random() < 0.3:
            await workers.end(self._database, session)
        by_id = {job.id: job for job in self._jobs}
        endings = [
            ended(by_id[i], answer.lease)
            if self._dice.random() < 0.2
            else ended(by_id[i], answer.lease, Outcome.RETRY, state=State.RETRYING, again_after=NOW, error_message="x")
            for i, answer in granted.items()
        ]
        if endings:
            recorded, _ = await record(self._database, endings)
            for i, made in recorded.items():
                if made.current and made.state is State.COMPLETED:
                    self.completed[i] = self.completed.get(i, 0) + 1
        await workers.end(self._database, session, blamed=())

    async def schedule(self) -> None:
        """All that a scheduler does."""
        posts, needless = await outbox.lease(self._database, 100, 10)
        await rescue.sent_late(self._database, [post.job_id for post in posts])
        await outbox.delete(self._database, needless + [post.seq for post in posts])
        found = await reaping.dead(self._database, timedelta(seconds=LEASE_SECONDS), NOW)
        await crashes.bury(self._database, found.sessions)
        await reaping.send_orphans(self._database, 50, NOW, NOW)
        level = Overtaken("default", 5, await self._database.now() + ANY_TIME)
        await rescue.send_overtaken(self._database, [level], 50, NOW)
        await epoch.send_again(self._database, epoch.FIRST, 50, 0)
        rule = Rule(State.EXPIRED, NOW, await self._database.now())
        await retention.forget_jobs(self._database, rule, retention.START, 100)

    async def meddle(self) -> None:
        """A person who cancels and tries again."""
        for job in self.some()[:3]:
            await (cancel.cancel if self._dice.random() < 0.5 else cancel.again)(self._database, job.id)

    async def until(self, deadline: float, thing: Callable[[], Awaitable[None]]) -> int:
        rounds = 0
        while time.monotonic() < deadline:
            await thing()
            rounds += 1
        return rounds


async def test_nobody_deadlocks_and_each_job_ends_once(database_url: str) -> None:
    database = Database(database_url, "test", connections=8, timeout_seconds=20)
    jobs = [submission() for _ in range(100)]
    await accepted(database, *jobs)
    crowd, deadline = Crowd(database, jobs), time.monotonic() + SECONDS
    things = [crowd.work] * 5 + [crowd.schedule] * 2 + [crowd.meddle]

    rounds = await asyncio.gather(*[crowd.until(deadline, thing) for thing in things])

    assert min(rounds) > 5
    assert crowd.completed
    assert {1} == set(crowd.completed.values())
    await database.stop()
