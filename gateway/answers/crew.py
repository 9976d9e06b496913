"""What the gateway answers about queues, workers and what is paused, as structs.  Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from gateway.answers.jobs import JOBS
from gateway.answers.pauses import Pause, pause
from gateway.answers.stats import States, states
from gateway.entrance.cursor import Cursor
from persistence.crew import workforce
from persistence.crew.workforce import Standing
from persistence.declared import pauses
from persistence.questions import counts

QUEUES: Final = "/api/v1/queues"
WORKERS: Final = "/api/v1/workers"


class Level(Struct, frozen=True):
    """The waiting jobs of one priority."""

    priority: int
    pending: Annotated[int, Meta(description="scheduled + queued + retrying")]
    oldest_seconds: Annotated[float | None, Meta(description="How long the first of them has been due; null: none is")]


class QueueLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    jobs: str
    pause: str
    resume: str


class Queue(Struct, frozen=True):
    """A queue by its rows in Postgres and its workers' heartbeats."""

    name: str
    paused: Annotated[Pause | None, Meta(description="null: it is not")]
    jobs: States
    waiting: Annotated[list[Level], Meta(description="By priority, the highest first; those that have waiting jobs")]
    oldest_seconds: Annotated[float | None, Meta(description="How long its oldest waiting job has been due")]
    workers: Annotated[int, Meta(description="Live workers that serve it")]
    consumers: Annotated[int, Meta(description="Those of them that consume it now")]
    types: Annotated[list[str], Meta(description="Job types that go there")]
    paused_types: Annotated[list[str], Meta(description="Those of them that are paused")]
    links: QueueLinks


class OpenedQueue(Queue, frozen=True):
    """A queue, and what RabbitMQ says of it."""

    messages_ready: Annotated[
        int | None,
        Meta(description="Messages in RabbitMQ that no worker has taken yet; null: RabbitMQ or the queue is away"),
    ]


class QueueList(Struct, frozen=True):
    items: list[Queue]
    next_cursor: Cursor


class CurrentJob(Struct, frozen=True):
    id: UUID
    type: str
    attempt: int
    started_at: datetime
    link: str


class WorkerLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    drain: str


class Worker(Struct, frozen=True):
    """A worker process, by its last heartbeat."""

    session: UUID
    name: str
    host: str
    pid: int
    version: str
    state: Annotated[
        Standing, Meta(description="silent: no heartbeat for a lease; draining: it finishes what it runs and ends")
    ]
    queues: Annotated[list[str], Meta(description="Those that it serves")]
    paused_queues: Annotated[list[str], Meta(description="Those of them that it does not consume now")]
    types: list[str]
    concurrency: Annotated[int, Meta(description="Jobs it runs at once")]
    free_slots: int
    waiting: Annotated[int, Meta(description="Messages that it has taken and not started")]
    consuming: Annotated[bool, Meta(description="RabbitMQ has confirmed all its subscriptions")]
    running: Annotated[int, Meta(description="Jobs that it runs")]
    jobs: Annotated[list[CurrentJob], Meta(description="Those that have run longest; in a list at most 20")]
    started_at: datetime
    heartbeat_at: datetime
    heartbeat_age_seconds: float
    last_consumed_at: datetime | None
    drain_requested_at: datetime | None
    ended_at: datetime | None
    links: WorkerLinks


class WorkerList(Struct, frozen=True):
    items: list[Worker]
    next_cursor: Cursor


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is known of the queues."""

    jobs: Sequence[counts.Jobs]
    oldest: dict[tuple[str, int], float]
    members: Sequence[workforce.Member]
    pauses: Sequence[pauses.Pause]
    homes: dict[str, list[str]] = field(default_factory=dict)  # a queue's types

    @property
    def names(self) -> list[str]:
        """Queues that have jobs, workers or types, or are paused."""
        served = (queue for member in self.members for queue in member.queues)
        paused = (one.name for one in self.pauses if one.kind is pauses.Kind.QUEUE)
        return sorted({*(found.queue for found in self.jobs), *served, *paused, *self.homes})


def queue(name: str, seen: Seen) -> Queue:
    here = [found for found in seen.jobs if found.queue == name]
    waiting = [_level(name, priority, here, seen) for priority in sorted({f.priority for f in here}, reverse=True)]
    waiting = [level for level in waiting if level.pending]
    crew = [m for m in seen.members if name in m.queues and m.standing in (Standing.ALIVE, Standing.DRAINING)]
    types, path = seen.homes.get(name, []), f"{QUEUES}/{name}"
    return Queue(
        name=name,
        paused=pause(pauses.Kind.QUEUE, name, seen.pauses),
        jobs=states(here),
        waiting=waiting,
        oldest_seconds=max((level.oldest_seconds for level in waiting if level.oldest_seconds), default=None),
        workers=len(crew),
        consumers=sum(member.consuming and name not in member.paused for member in crew),
        types=types,
        paused_types=[one.name for one in seen.pauses if one.kind is pauses.Kind.TYPE and one.name in types],
        links=QueueLinks(path, f"{JOBS}?queue={name}", f"{path}/pause", f"{path}/resume"),
    )


def opened(found: Queue, messages_ready: int | None) -> OpenedQueue:
    return OpenedQueue(**msgspec.structs.asdict(found), messages_ready=messages_ready)


def worker(found: workforce.Member) -> Worker:
    path = f"{WORKERS}/{found.session}"
    return Worker(
        session=found.session,
        name=found.name,
        host=found.host,
        pid=found.pid,
        version=found.version,
        state=found.standing,
        queues=list(found.queues),
        paused_queues=list(found.paused),
        types=list(found.types),
        concurrency=found.concurrency,
        free_slots=found.free_slots,
        waiting=found.waiting,
        consuming=found.consuming,
        running=found.running,
        jobs=[CurrentJob(job.id, job.type, job.attempt, job.started_at, f"{JOBS}/{job.id}") for job in found.jobs],
        started_at=found.started_at,
        heartbeat_at=found.heartbeat_at,
        heartbeat_age_seconds=round(found.heartbeat_age_seconds, 3),
        last_consumed_at=found.last_consumed_at,
        drain_requested_at=found.drain_requested_at,
        ended_at=found.ended_at,
        links=WorkerLinks(path, f"{path}/drain"),
    )


def _level(name: str, priority: int, here: Sequence[counts.Jobs], seen: Seen) -> Level:
    of_it = states([found for found in here if found.priority == priority])
    oldest = seen.oldest.get((name, priority))
    return Level(priority, of_it.pending, None if oldest is None else round(oldest, 3))
