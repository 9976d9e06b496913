"""`submit` and `submit_now`: jobs that are submitted from Python.

Inside a job, `submit` hands the child to the attempt that calls; the statement that records this attempt as completed
also gives birth to its children, and nothing else does.  `submit_now` opts out of that and sends at once.  Either way
the child's id comes from its parent and the number of the call (or the caller's key), so that neither another attempt
nor an outcome that comes too late makes a second child.  Neither waits: both may be called on the lane's loop.

In a process that only sends, both go through the public door and return when RabbitMQ has confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final, Unpack
from uuid import UUID

import dramatiq
from pydantic import BaseModel

from actors.context import current
from actors.sender import sender
from actors.sent import Sent
from wire.asked import Said, checked_key, envelope_of, name_of
from wire.errors import Refused
from wire.identity import fresh_id, id_from_key

JobType = str | dramatiq.Actor[Any, Any]
Payload = Mapping[str, Any] | BaseModel
NO_JOB_HERE: Final = (
    "this thread has no job: in a worker, submit() and submit_now() are for actors while they run; a thread that an "
    "actor starts gets its job through asyncio.to_thread, or through contextvars.copy_context().run"
)


def submit(job_type: JobType, payload: Payload | None = None, *, key: str | None = None, **said: Unpack[Said]) -> UUID:
    """Submit a job and return its id; inside of a job it exists if and only if this attempt completes."""
    parent = current.get(None)
    if parent is None:
        return _send(job_type, payload, key, said)
    child = parent.inner_door.submission(
        envelope_of(job_type, payload, said, id=parent.child_id(checked_key(key))), parent.trace
    )
    parent.submit(child)
    return child.id


def submit_now(
    job_type: JobType, payload: Payload | None = None, *, key: str | None = None, **said: Unpack[Said]
) -> Sent:
    """Submit a job whatever becomes of this attempt; await what comes back, or `.wait()` for it in a sync actor."""
    parent = current.get(None)
    if parent is None:
        return _sent(_send(job_type, payload, key, said))
    door = parent.inner_door
    child = door.submission(envelope_of(job_type, payload, said, id=parent.child_id(checked_key(key))), parent.trace)
    sent = Sent(child.id, door.accept(child, first_stands=key is not None))
    parent.sent.append(sent)
    return sent


def _send(job_type: JobType, payload: Payload | None, key: str | None, said: Said) -> UUID:
    """From outside of a job; a key then stands for one job of this type, whoever sends it."""
    broker = sender()
    if broker.in_worker:
        raise RuntimeError(NO_JOB_HERE)
    scope = f"submit {name_of(job_type)}"
    job_id = fresh_id() if key is None else id_from_key(scope, checked_key(key) or "")
    envelope = envelope_of(job_type, payload, said, id=job_id)
    if envelope.unique:
        raise Refused("unique", "is not taken over AMQP", "submit it with a Client, over HTTP, or inside of a job")
    broker.submit(envelope)
    return job_id


def _sent(job_id: UUID) -> Sent:
    done: Future[UUID] = Future()
    done.set_result(job_id)
    return Sent(job_id, done)
