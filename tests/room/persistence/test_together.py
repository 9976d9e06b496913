"""Everybody at once on the same hundred open jobs: no deadlock, and each ends once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from persistence.accepting import outbox
from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer, Delivered, claim
from persistence.attempts.record import record
from persistence.crew import crashes, reaping, workers
from persistence.crew.workers import Held, Pulse
from persistence.declared.follow import follow
from persistence.declared.job_types import register
from persistence.ending import cancel, retention
from persistence.ending.retention import Rule
from persistence.foreign.stray import return_to_outbox
from persistence.mending import epoch, rescue
from persistence.mending.rescue import Overtaken
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO, LEASE_SECONDS, accepted, ended, submission, working
from wire.identity import id_from_key
from wire.message import Incoming
from wire.states import Outcome, State

NOW, ANY_TIME = timedelta(0), timedelta(days=1)
LEAST_ROUNDS = 8  # of each, on a machine that is busy with other things too


class Crowd:
    """Workers, schedulers and people, each at its own thing until the time is over."""

    def __init__(self, database: Database, jobs: list[Submission]) -> None:
        self._database, self._jobs = database, jobs
        self._dice = random.Random(3)
        self.completed: dict[UUID, int] = {}

    def some(self) -> list[Submission]:
        return self._dice.sample(self._jobs, 40)

    def children(self) -> list[UUID]:
        return [id_from_key(str(job_id), "child") for job_id in self.completed]

    async def renew(self) -> None:
        """Fresh jobs in the places of those that have ended: a hundred are always open."""
        rows = await self._database.fetch(
            "SELECT id FROM jobs WHERE id = ANY($1) AND finished_at IS NOT NULL", [job.id for job in self._jobs]
        )
        ended_ids = {row["id"] for row in rows}
        fresh = [submission() for _ in ended_ids]
        if fresh:
            await accepted(self._database, *fresh)
        self._jobs = [job for job in self._jobs if job.id not in ended_ids] + fresh
        await asyncio.sleep(0.1)

    async def work(self) -> None:
        """Claim, beat, and bring what was granted to an end, or die."""
        session, jobs = await working(self._database), self.some()
        rows = await self._database.fetch("SELECT id, run FROM jobs WHERE id = ANY($1)", [job.id for job in jobs])
        hashes = {job.id: job.body_hash for job in jobs}
        delivered = [Delivered(row["id"], row["run"], hashes[row["id"]]) for row in rows]
        claims = await claim(self._database, session, delivered, LEASE_SECONDS)
        granted = {i: answer for i, answer in claims.items() if answer.answer is Answer.CLAIMED}
        due = [answer.due_at for answer in granted.values() if answer.due_at]
        marks = {("default", 5): max(due)} if due else {}
        held = [Held(i, answer.lease) for i, answer in granted.items()]
        await workers.beat(self._database, session, Pulse(1, True, 0.0, marks=marks), held)
        if self._dice.random() < 0.3:
            await workers.end(self._database, session)
        by_id = {job.id: job for job in jobs}
        endings = [
            ended(by_id[i], answer.lease, children=(submission(id_from_key(str(i), "child")),))
            if self._dice.random() < 0.2
            else ended(by_id[i], answer.lease, Outcome.RETRY, state=State.RETRYING, again_after=NOW, error_message="x")
            for i, answer in granted.items()
        ]
        if endings:
            recorded, _ = await record(self._database, endings, session)
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

    async def return_strays(self) -> None:
        """What the recorder does with messages that a queue gave up, and a worker with a type that has moved."""
        strays = [
            Incoming(job.body, "jobs", "job.echo.p5", "dead", {"run": 1}, str(job.id), "echo") for job in self.some()
        ]
        await return_to_outbox(self._database, strays, "its queue gave it up")
        queue = self._dice.choice(["default", "other"])
        await self._database.fetch("UPDATE job_types SET queue = $1 WHERE name = 'echo'", queue)
        await follow(self._database, {"echo": "other" if queue == "default" else "default"})

    async def meddle(self) -> None:
        """A person who cancels many at once, and tries again."""
        await asyncio.gather(*(cancel.cancel(self._database, job.id) for job in self.some()[:5]))
        for job in self.some()[:3]:
            await cancel.again(self._database, job.id)

    async def until(self, deadline: float, thing: Callable[[], Awaitable[None]]) -> int:
        rounds = 0
        while time.monotonic() < deadline or rounds < LEAST_ROUNDS:
            await thing()
            rounds += 1
        return rounds


async def test_nobody_deadlocks_and_each_job_ends_once(database_url: str, long: bool) -> None:
    """
    Ten minutes in the long form.  Postgres counts the deadlocks by itself.
    """
    database = Database(database_url, "test", connections=8, timeout_seconds=20)
    jobs = [submission() for _ in range(100)]
    await register(database, [ECHO])
    await accepted(database, *jobs)
    crowd, deadline = Crowd(database, jobs), time.monotonic() + (600.0 if long else 5.0)
    things = [crowd.work] * 5 + [crowd.schedule] * 2 + [crowd.meddle, crowd.return_strays, crowd.renew]

    rounds = await asyncio.gather(*[crowd.until(deadline, thing) for thing in things])
    (row,) = await database.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    (born,) = await database.fetch("SELECT count(*) AS children FROM jobs WHERE id = ANY($1)", crowd.children())

    assert crowd.completed
    assert {1} == set(crowd.completed.values())
    assert 0 == row["deadlocks"]
    assert len(crowd.completed) == born["children"]
    print(f"{sum(rounds)} rounds, {len(crowd.completed)} completed, {row['deadlocks']} deadlocks")
    await database.stop()
