"""A job as AMQP properties and headers.

The body is immutable; what changes on the way (which run this is, which attempt, why it was retried, the trace)
travels in headers.  A message is always made from this list of properties and never copied from the one received: a
foreign `user_id` closes the channel, `CC` routes a second copy, `expiration` deletes, an `x-death` header makes
RabbitMQ 3.10 drop a second trip through the ladder (all measured).

What is made for every job is a msgspec Struct and no dataclass: a frozen one of fifteen fields takes 3 µs to make, and
4 µs to make again with another value; a Struct takes 0.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from wire import ladder, topology

RUN, ATTEMPT, BECAUSE, PUBLISHED = "run", "attempt", "because", "published"
CONTENT_TYPE = "application/json"
MOST_RUNS = 2**31  # a column's; a greater one is a stranger's

Header = str | int | float | bool | None | bytes | datetime | list[object] | dict[str, object]


class Incoming(msgspec.Struct, frozen=True):
    """A message as it was delivered; nothing in it is trusted yet."""

    body: bytes
    exchange: str
    routing_key: str
    queue: str
    headers: Mapping[str, object] = msgspec.field(default_factory=dict)
    message_id: str | None = None
    type: str | None = None
    priority: int | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    app_id: str | None = None
    reply_to: str | None = None
    correlation_id: str | None = None
    redelivered: bool = False

    @property
    def run(self) -> int | None:
        """Which message of its job this is; None says it came by the public door, where nobody's word for it counts."""
        if self._is_foreign():
            return None
        run = self.headers.get(RUN)
        return run if isinstance(run, int) and not isinstance(run, bool) and 0 < run < MOST_RUNS else None

    def _is_foreign(self) -> bool:
        deaths = self.headers.get("x-death")  # a queue that gave it up named the exchange it had been published to
        if not isinstance(deaths, list):
            return self.exchange == topology.PUBLIC
        return topology.PUBLIC in (self.exchange, *[d.get("exchange") for d in deaths if isinstance(d, dict)])


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Whom a sender wants told, and by what it recognises the answer."""

    queue: str
    correlation_id: str | None


class Outgoing(msgspec.Struct, frozen=True):
    """A message to publish: durable, confirmed, with these properties and no others."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    type: str
    priority: int
    headers: Mapping[str, str | int]
    correlation_id: str | None = None


def job_message(
    *,
    job_id: UUID,
    job_type: str,
    priority: int,
    body: bytes,
    run: int,
    wait_units: int = 0,
    attempt: int = 0,
    because: str | None = None,
    trace: Mapping[str, str | int],
) -> Outgoing:
    """The message of one run of a job: to its work queue at once, or into the ladder when it has to wait."""
    key = topology.routing_key(job_type, priority)
    exchange, routing_key = ladder.entry(wait_units, key) if wait_units else (topology.INNER, key)
    headers: dict[str, str | int] = {RUN: run, ATTEMPT: attempt, **trace}
    if because:
        headers[BECAUSE] = because[:200]
    return Outgoing(exchange, routing_key, body, str(job_id), job_type, priority, headers)


def birth_message(*, job_id: UUID, job_type: str, priority: int, body: bytes, trace: Mapping[str, str]) -> Outgoing:
    """A job through the public door: its row is born from the message, so it carries no run."""
    key = topology.routing_key(job_type, priority)
    return Outgoing(topology.PUBLIC, key, body, str(job_id), job_type, priority, trace)


def reply_message(*, to: ReplyTo, reply_id: UUID, job_type: str, body: bytes, trace: Mapping[str, str]) -> Outgoing:
    """An outcome or a refusal, straight into the queue that the sender named."""
    return Outgoing("", to.queue, body, str(reply_id), job_type, 0, trace, to.correlation_id)
