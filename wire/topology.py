"""The exchanges, queues and bindings as plain data.

Names are what a person reads in the RabbitMQ console, so they are part of the product.  The order of `fixed` and of
`bind_type` is part of the contract: a message must never reach `births` before the way to its work queue stands, or it
is born and never routed (measured).  RabbitMQ accepts misspelt `x-` arguments silently, so they are built here only.
Knows no client library; wire/rabbitmq/amqp.py applies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from wire import ladder

PUBLIC, INNER, UNROUTED, DEAD, DUE, CONTROL = "jobs.in", "jobs", "jobs.unrouted", "jobs.dead", "delay.due", "control"
BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE, EPOCH = "births", "dead", "unrouted", "warren.epoch"

QUORUM_FROM: Final = (4, 3)  # native strict priorities; below it a quorum queue has none or two
DELIVERY_LIMIT: Final = 20
UNLIMITED: Final = -1

Arguments = Mapping[str, str | int]


class Profile(StrEnum):
    CLASSIC = "classic"
    QUORUM = "quorum"


@dataclass(frozen=True, slots=True)
class Exchange:
    name: str
    kind: Literal["topic", "fanout"]
    arguments: Arguments = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: Arguments = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Binding:
    source: str
    target: str
    key: str
    to: Literal["queue", "exchange"] = "queue"


Part = Exchange | Queue | Binding


def choose(version: str) -> Profile:
    """The profile for a broker of this version; asked once, then pinned in Postgres."""
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    return Profile.QUORUM if numbers >= QUORUM_FROM else Profile.CLASSIC


def routing_key(job_type: str, priority: int) -> str:
    return f"job.{job_type}.p{priority}"


def work_queue(queue: str) -> str:
    return f"work.{queue}"


def fixed(profile: Profile) -> Iterator[Part]:
    """All that stands before any job type is known, in the order in which it must be declared."""
    yield Exchange(UNROUTED, "fanout")
    yield Exchange(DEAD, "fanout")
    for name, source in ((UNROUTED_QUEUE, UNROUTED), (DEAD_QUEUE, DEAD)):
        yield Queue(name, _last_resort(profile))
        yield Binding(source, name, "")
    yield Exchange(INNER, "topic", {"alternate-exchange": UNROUTED})
    yield Exchange(DUE, "topic", {"alternate-exchange": UNROUTED})
    yield from _ladder(profile)
    # births dead-letters too: a foreign `expiration` must not make a birth vanish
    yield Queue(BIRTHS, {"x-queue-type": profile.value, "x-dead-letter-exchange": DEAD, **_at_least_once(profile)})
    yield Queue(EPOCH, _last_resort(profile))  # one message in it, which Postgres also knows
    yield Exchange(CONTROL, "fanout")
    yield Exchange(PUBLIC, "topic", {"alternate-exchange": UNROUTED})


def serve(queue: str, profile: Profile) -> Queue:
    """The work queue of that name."""
    arguments: dict[str, str | int] = {"x-queue-type": profile.value, "x-dead-letter-exchange": DEAD}
    if profile is Profile.CLASSIC:
        arguments["x-max-priority"] = 10  # a quorum queue answers 406 to it and has 32 priorities of its own
    else:
        arguments |= {"x-delivery-limit": DELIVERY_LIMIT, **_at_least_once(profile)}
    return Queue(work_queue(queue), arguments)


def bind_type(job_type: str, queue: str) -> tuple[Binding, ...]:
    """The way of a type, in the order in which it must be bound: births last."""
    key = f"job.{job_type}.*"
    return (
        Binding(INNER, work_queue(queue), key),
        Binding(DUE, work_queue(queue), ladder.due(key)),
        Binding(PUBLIC, INNER, key, to="exchange"),
        Binding(PUBLIC, BIRTHS, key),
    )


def unbind_type(job_type: str, old_queue: str) -> tuple[Binding, ...]:
    """What to remove when a type has moved, after the new way stands."""
    return bind_type(job_type, old_queue)[:2]


def _last_resort(profile: Profile) -> Arguments:
    """A queue that hands nothing on.

    RabbitMQ 4 drops what such a quorum queue has delivered 20 times in vain (measured): a recorder that dies over and
    over would lose dead letters.  The limit has to be lifted, for leaving it out means 20.
    """
    limit = {"x-delivery-limit": UNLIMITED} if profile is Profile.QUORUM else {}
    return {"x-queue-type": profile.value, **limit}


def _ladder(profile: Profile) -> Iterator[Part]:
    for level in range(ladder.LEVELS):
        # without the alternate exchange a message that leaves the ladder for an unbound type vanishes (measured)
        yield Exchange(ladder.level_name(level), "topic", {"alternate-exchange": UNROUTED})
    for level in range(ladder.LEVELS):
        below = ladder.level_name(level - 1) if level else DUE
        name = ladder.level_name(level)
        yield Binding(name, below, ladder.falls_through(level), to="exchange")
        yield Queue(
            name,
            {
                # a classic queue hands on at most once: of 2,000 messages on their way down 300 to 1,500 were lost with
                # a node that was killed (3.10.8, measured), and the rescue sends them again a minute later; quorum
                # queues on 3.10 lost none, but on a busy disk they let out 50 a second, while 38,000 were overdue
                "x-queue-type": profile.value,
                "x-message-ttl": ladder.UNIT_MS << level,
                "x-dead-letter-exchange": below,
                **_at_least_once(profile),
            },
        )
        yield Binding(name, name, ladder.parks(level))


def _at_least_once(profile: Profile) -> Arguments:
    if profile is Profile.CLASSIC:
        return {}
    # without reject-publish at-least-once is silently at-most-once, which lost 13k-18k of 20k (measured)
    return {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
