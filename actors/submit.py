"""`submit` and `submit_now`: jobs that are submitted from Python.

Inside a job, `submit` hands the child to the attempt that calls; the statement that records this attempt as completed
also gives birth to its children, and nothing else does.  `submit_now` opts out of that and sends at once.  Either way
the child's id comes from its parent and the number of the call (or the caller's key), so that neither another attempt
nor an outcome that comes too late makes a second child.  Neither waits: both may be called on the lane's loop.

In a process that only sends, both go through the public door and return when RabbitMQ has confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

import dramatiq
from pydantic import BaseModel

from actors.context import current
from actors.sender import sender
from actors.sent import Sent
from wire import strict_json
from wire.envelope import Envelope
from wire.fields import READERS, check_type
from wire.identity import fresh_id, id_from_key

JobType = str | dramatiq.Actor[Any, Any]
Payload = Mapping[str, Any] | BaseModel
NO_JOB_HERE: Final = (
    "this thread has no job: in a worker, submit() and submit_now() are for actors while they run; a thread that an "
    "actor starts gets its job through asyncio.to_thread, or through contextvars.copy_context().run"
)


class Said(TypedDict, total=False):
    """What may be said of a job; what is not said is its type's default."""

    priority: int | str | None
    delay: float | timedelta | None
    run_at: datetime | None
    expires_at: datetime | None
    max_retries: int | None
    timeout_seconds: float | None
    tags: Sequence[str]


def submit(job_type: JobType, payload: Payload | None = None, *, key: str | None = None, **said: Unpack[Said]) -> UUID:
    """Submit a job and return its id; inside of a job it exists if and only if this attempt completes."""
    parent = current.get(None)
    if parent is None:
        return _send(job_type, payload, key, said)
    child = parent.inner_door.submission(
        _envelope(job_type, payload, said, parent.child_id(_checked(key))), parent.trace
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
    child = door.submission(_envelope(job_type, payload, said, parent.child_id(_checked(key))), parent.trace)
    sent = Sent(child.id, door.accept(child, first_stands=key is not None))
    parent.sent.append(sent)
    return sent


def _send(job_type: JobType, payload: Payload | None, key: str | None, said: Said) -> UUID:
    """From outside of a job; a key then stands for one job of this type, whoever sends it."""
    broker = sender()
    if broker.in_worker:
        raise RuntimeError(NO_JOB_HERE)
    scope = f"submit {_name(job_type)}"
    job_id = fresh_id() if key is None else id_from_key(scope, _checked(key) or "")
    broker.submit(_envelope(job_type, payload, said, job_id))
    return job_id


def _sent(job_id: UUID) -> Sent:
    done: Future[UUID] = Future()
    done.set_result(job_id)
    return Sent(job_id, done)


def _envelope(job_type: JobType, payload: Payload | None, said: Said, job_id: UUID) -> Envelope:
    """The envelope of this call; Refused with the field and the remedy, by the rules of every other door."""
    unknown = set(said) - Said.__optional_keys__
    if unknown:
        known = ", ".join(sorted((*Said.__optional_keys__, "key")))
        raise TypeError(f"submit() does not know {', '.join(sorted(unknown))}; known: {known}")
    text = strict_json.encode({} if payload is None else payload, "payload", around=1)
    values = {name: _plain(value) for name, value in said.items() if value is not None}
    read = {name: READERS[name](name, value) for name, value in values.items()}
    if "delay" in read and "run_at" in read:
        raise TypeError("submit() takes delay or run_at, not both")
    fields = READERS["payload"]("payload", strict_json.parse(text.encode(), "payload", around=1))
    return Envelope(_name(job_type), fields, text.encode(), id=job_id, **read)


def _name(job_type: JobType) -> str:
    return check_type(job_type.actor_name if isinstance(job_type, dramatiq.Actor) else job_type)


def _checked(key: str | None) -> str | None:
    return key if key is None else READERS["idempotency_key"]("key", key)


def _plain(value: object) -> object:
    """As it would stand in JSON, which is what the readers of the fields know."""
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case tuple() | set() | frozenset():
            return list(value)
    return value
