"""What the rows of the crash table do: let a process die at a point, start it again, and tell what became of a job.

What a row asserts is an Account: the job's own row, its attempts, and how often its function really began, by the
witness, who asks neither RabbitMQ nor Postgres.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import httpx
import pika

from deploy.machine.processes import children
from tests.eventually import eventually
from tests.faults.saboteur import Saboteur
from tests.journey.api import FINAL, Api, sql
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack
from wire.topology import BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE

T = TypeVar("T")
COMMANDS: Final = {"recorder": "persistence"}  # where a process is not called as the module that it is
QUEUES: Final = (BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE, "work.default", "work.letters")
LADDER: Final = tuple(f"delay.{level:02}" for level in range(25))
WITHIN: Final = 60.0  # for a machine that is busy with other things; what is quick on an idle one is not timed here
WORKERS: Final = 3  # one has died in the row before and may still be coming up


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a job; its defaults are a job to which nothing happened."""

    state: str = "completed"
    starts: int = 1  # by the witness
    outcomes: tuple[str, ...] = ("completed",)  # one an attempt row, by lease
    attempt: int = 1  # the counter that people see
    run: int = 1  # how many messages were due
    crashes: int = 0
    convictions: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """One Warren and its saboteur."""

    api: Api
    stack: Stack
    rabbit: Rabbit
    saboteur: Saboteur

    async def kill_at(self, point: str, act: Awaitable[T]) -> T | None:
        """Do this, and return when a process has died at that point; a gateway that dies gives no answer."""
        self.saboteur.arm(point)
        answer = None
        with contextlib.suppress(httpx.TransportError):
            answer = await act
        await eventually(lambda: self.saboteur.struck(point), within=WITHIN)
        return answer

    @contextlib.asynccontextmanager
    async def frozen_at(self, point: str, act: Awaitable[T]) -> AsyncIterator[T]:
        """Do this; within, a process stands still at that point."""
        self.saboteur.arm(point)
        answer = await act
        victim = await eventually(lambda: self.saboteur.victim(point), within=WITHIN)
        try:
            yield answer
        finally:
            os.kill(victim, signal.SIGCONT)

    async def revive(self, name: str, **settings: str) -> None:
        """Start a process that died by SIGKILL, as whoever watches over it would."""
        process = self.stack.processes.pop(name)
        code = await asyncio.to_thread(process.wait, 60)
        if name == "actors":
            self.hire()
        else:
            self.stack.start(name, COMMANDS.get(name, name), **settings)

        assert -signal.SIGKILL == code
        if name == "gateway":
            await asyncio.to_thread(self.stack.wait_until, self.stack.ready, "the gateway is ready again")

    async def hurry(self) -> None:
        """Let the grace be over in which the sweep leaves an outbox row to its writer, ten seconds else."""
        await self.api.sql("UPDATE outbox SET publish_after = clock_timestamp()")

    async def hold(self) -> None:
        """Let nothing be swept for a while."""
        await self.api.sql("UPDATE outbox SET publish_after = clock_timestamp() + interval '1 minute'")

    async def account(self, job_id: str) -> Account:
        """What became of this job, once it has ended and nothing of it is left in the outbox."""
        await eventually(lambda: self._over(job_id), within=WITHIN)
        (job,) = await self.api.sql("SELECT * FROM jobs WHERE id = $1", job_id)
        attempts = await self.api.sql("SELECT outcome FROM attempts WHERE job_id = $1 ORDER BY lease", job_id)
        return Account(
            job["state"],
            self.starts(job_id),
            tuple(attempt["outcome"] for attempt in attempts),
            job["attempt"],
            job["run"],
            job["crashes"],
            job["convictions"],
        )

    async def taken_over(self, job_id: str) -> Account:
        """Its account, whoever brought it back after the death of its worker.

        That is the broker's redelivery, but where a heartbeat was on its way when its sender died: to whoever claims
        then, the holder lives, and the message is acked.  The reaper sends another when its grace is over.
        """
        account = await self.account(job_id)
        (job,) = await self.api.sql("SELECT rescues FROM jobs WHERE id = $1", job_id)
        return replace(account, run=account.run - job["rescues"])

    async def accounts(self, job_ids: Sequence[str]) -> list[Account]:
        return [await self.account(job_id) for job_id in job_ids]

    def starts(self, job_id: str) -> int:
        return self.stack.witness.read_text().splitlines().count(f"{job_id} started")

    async def count(self, what: str, *arguments: object) -> int:
        """`SELECT count(*) FROM what`."""
        (row,) = await self.api.sql(f"SELECT count(*) AS found FROM {what}", *arguments)
        return int(row["found"])

    async def running(self, job_type: str, payload: dict[str, object] | None = None) -> str:
        """A job that may not be retried, once its function has begun."""
        job_id = await self.api.submit(job_type, payload, max_retries=0)
        await eventually(lambda: self.starts(job_id), within=WITHIN)
        return job_id

    async def master_of(self, job_id: str) -> int:
        """The Dramatiq process over the worker that runs it."""
        worker = int((await self.api.job(job_id))["worker"].rpartition(":")[2])
        return next(master for master in self.stack.masters() if worker in children(master))

    async def children(self, job_id: str) -> list[str]:
        """The jobs that it submitted: they are of its trace."""
        trace = "split_part(traceparent, '-', 2)"
        of_it = f"id <> $1 AND {trace} = (SELECT {trace} FROM jobs WHERE id = $1)"
        return [str(row["id"]) for row in await self.api.sql(f"SELECT id FROM jobs WHERE {of_it}", job_id)]

    async def publish(self, job_type: str, message_id: str, body: bytes) -> None:
        """Through the public door, as a foreign service does."""
        said = {"content_type": "application/json", "type": job_type, "message_id": message_id, "priority": 5}
        await self.rabbit.publish("jobs.in", f"job.{job_type}.p5", body, delivery_mode=2, **said)

    async def purge(self, *queues: str) -> int:
        """How many messages there were."""

        def purge(channel: Any) -> int:
            return sum(channel.queue_purge(queue).method.message_count for queue in queues)

        return await asyncio.to_thread(_on_a_channel, self.stack.amqp_url, purge)

    async def bind(self, job_type: str, *, bound: bool) -> None:
        """Have its work queue bound to the inner door, or not."""

        def change(channel: Any) -> Any:
            call = channel.queue_bind if bound else channel.queue_unbind
            return call("work.default", "jobs", f"job.{job_type}.*")

        await asyncio.to_thread(_on_a_channel, self.stack.amqp_url, change)

    @contextlib.contextmanager
    def frozen_workers(self) -> Iterator[None]:
        """Nobody claims; the leases outlast it if it is short."""
        pids = self.stack.worker_pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    async def calm(self) -> None:
        """No message waits or is on its way, and when a worker dies now another takes its jobs over at once."""
        await eventually(self._quiet, within=WITHIN)
        await self.crew(WORKERS - 1)

    async def crew(self, workers: int) -> None:
        """So many of them consume."""
        await eventually(lambda: asyncio.to_thread(self.stack.consuming, workers), within=WITHIN)

    def hire(self) -> None:
        """Start the supervisor of the workers."""
        self.stack.workers(processes=WORKERS)

    async def _quiet(self) -> bool:
        return not await self.count("outbox") and not await asyncio.to_thread(messages, self.stack.amqp_url)

    async def _over(self, job_id: str) -> bool:
        rows = await self.api.sql("SELECT state FROM jobs WHERE id = $1", job_id)
        return [row["state"] in FINAL for row in rows] == [True] and not await self.count(
            "outbox WHERE job_id = $1", job_id
        )


async def nothing_is_left(stack: Stack) -> None:
    """After all crashes, with the workers gone: every job has ended, once, and nothing waits anywhere."""
    open_jobs = await sql(stack.database_url, "SELECT id, state FROM jobs WHERE state <> ALL($1)", FINAL)
    twice = await sql(
        stack.database_url,
        "SELECT job_id FROM attempts WHERE outcome = 'completed' GROUP BY job_id HAVING count(*) > 1",
    )
    outbox = await sql(stack.database_url, "SELECT job_id FROM outbox")
    poison = await sql(stack.database_url, "SELECT id FROM jobs WHERE reason = 'poison'")
    left = await asyncio.to_thread(messages, stack.amqp_url)

    assert ([], [], [], []) == (open_jobs, twice, outbox, poison)
    assert {} == left


def messages(amqp_url: str) -> dict[str, int]:
    """The queues that hold messages which no consumer has, and how many."""

    def count(channel: Any) -> dict[str, int]:
        queues = (*QUEUES, *LADDER)
        return {queue: channel.queue_declare(queue, passive=True).method.message_count for queue in queues}

    return {queue: messages for queue, messages in _on_a_channel(amqp_url, count).items() if messages}


def _on_a_channel(amqp_url: str, act: Callable[[Any], T]) -> T:
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        return act(connection.channel())
