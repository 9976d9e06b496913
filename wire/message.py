"""A job as AMQP properties and headers.

The body is immutable; what changes on the way (which run this is, which attempt, why it was retried, the trace)
travels in headers.  A message is always made from this list of properties and never copied from the one received: a
foreign `user_id` closes the channel, `CC` routes a second copy, `expiration` deletes, an `x-death` header makes
RabbitMQ 3.10 drop a second trip through the ladder (all measured).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from wire import ladder, topology

RUN, ATTEMPT, BECAUSE = "run", "attempt", "because"
CONTENT_TYPE = "application/json"
MOST_RUNS = 2**31  # a column's; a greater one is a stranger's

Header = str | int | float | bool | None | bytes | datetime | list[object] | dict[str, object]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it was delivered; nothing in it is trusted yet."""

    body: bytes
    exchange: str
    routing_key: str
    queue: str
    headers: Mapping[str, object] = field(default_factory=dict)
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
        """Which message of its job this is; None says it came by the public door."""
        run = self.headers.get(RUN)
        return run if isinstance(run, int) and not isinstance(run, bool) and 0 < run < MOST_RUNS else None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish: durable, confirmed, with these properties and no others."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    type: str
    priority: int
    headers: Mapping[str, str | int]


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
    trace: Mapping[str, str],
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
