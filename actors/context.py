"""What a running job may ask and say: which attempt it is, how far it is, whether it should stop.

Found through a context variable, so it works the same in async actors, in sync actors on their threads, and in whatever
they call.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from actors.sent import Sent
from persistence.submission import Submission
from wire.envelope import Envelope
from wire.errors import Refused
from wire.identity import id_from_key
from wire.tracing import Trace

MOST_CHILDREN: Final = 5_000  # of an attempt: they are born in one transaction, which has a deadline
MOST_CHILD_BYTES: Final = 16 * 1024 * 1024
TOO_MANY: Final = "submit fewer jobs that submit the rest, or send them at once with submit_now"
NOT_NOW: Final = (
    "the function of this attempt does not run (any more), so nothing would make this job: submit it before"
)


class InnerDoor(Protocol):
    """By which a running job submits: a lane's (door.py), or a test's (inline.py)."""

    def submission(self, envelope: Envelope, trace: Trace, *, checked: bool = True) -> Submission: ...

    def accept(self, submission: Submission, *, first_stands: bool) -> Future[UUID]: ...


current: ContextVar[Context] = ContextVar("warren job")


@dataclass(slots=True, eq=False)
class Context:
    """The job in hand."""

    job_id: UUID
    type: str
    queue: str
    attempt: int
    max_retries: int
    priority: int
    trace: Trace
    headers: Mapping[str, object] = field(default_factory=dict)
    progress: tuple[float | None, str | None] | None = None  # said, and not yet written
    door: InnerDoor | None = None  # by which it submits
    children: dict[UUID, Submission] = field(default_factory=dict)
    kept_children: dict[UUID, Submission] = field(default_factory=dict)
    child_bytes: int = 0
    sent: list[Sent] = field(default_factory=list)  # by submit_now
    in_function: bool = False
    asked_to_stop: bool = False
    unsent: Exception | None = None  # what a middleware could not send after the function had ended
    over: bool = False  # its end is settled: what comes now would be lost
    _calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)  # an actor may submit from threads of its own

    @property
    def inner_door(self) -> InnerDoor:
        if self.door is None:
            raise RuntimeError("there is no lane here: nothing can be submitted")
        return self.door

    def child_id(self, key: str | None) -> UUID:
        """The id of what the next call submits: the same in every attempt that makes the same calls or names this key.

        A job that submits in another order each time, or other payloads, has to name keys.
        """
        with self._lock:
            if self.over or not self.in_function:
                raise RuntimeError(NOT_NOW)
            number, self._calls = self._calls, self._calls + 1
        return id_from_key(str(self.job_id), f"call {number}" if key is None else f"key {key}")

    def submit(self, child: Submission) -> None:
        """Keep a job that this one submits; it comes to life with this attempt's outcome.

        What the function itself submits exists only if it completed; what a middleware sends about the outcome (a
        failure callback) exists whatever the outcome is.
        """
        with self._lock:
            if self.over:
                raise RuntimeError(NOT_NOW)
            if self._has(child):
                return
            count, size = len(self.children) + len(self.kept_children) + 1, self.child_bytes + len(child.body)
            if count > MOST_CHILDREN or size > MOST_CHILD_BYTES:
                most = f"at most {MOST_CHILDREN} jobs and {MOST_CHILD_BYTES} bytes go with an attempt"
                raise Refused("children", f"{count} jobs of {size} bytes; {most}", TOO_MANY, code="too_large")
            self.child_bytes = size
            (self.children if self.in_function else self.kept_children)[child.id] = child

    def close(self) -> None:
        """Take no more children: those that are here are recorded now."""
        with self._lock:
            self.over = True

    def _has(self, child: Submission) -> bool:
        """Whether a call with the same key made it already."""
        known = self.children.get(child.id)
        if known is not None and known.body_hash != child.body_hash:
            raise Refused("key", "names another job of this attempt already", "use a key for each job")
        return known is not None


def context() -> Context:
    """The job that calls; an error outside of one."""
    try:
        return current.get()
    except LookupError:
        raise RuntimeError("there is no job here: context() and progress() are for actors while they run") from None


def progress(fraction: float | None = None, note: str | None = None) -> None:
    """Say how far the job is, from 0 to 1, and a word about it; written a few times a second, the last word counts."""
    if fraction is not None and not 0 <= fraction <= 1:
        raise ValueError(f"progress is a fraction from 0 to 1, got {fraction}")
    context().progress = (fraction, note)


def cancelled() -> bool:
    """Whether this job should stop: it was cancelled, its time is over, or its worker shuts down.

    For sync actors, which cannot be interrupted; an async actor is interrupted at its next await.
    """
    return context().asked_to_stop
