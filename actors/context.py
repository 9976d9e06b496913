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
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from actors.ends import PermanentError
from actors.lines import Lines
from actors.saving import Reading, Saving
from actors.sent import Sent
from persistence.accepting.submission import Submission
from persistence.artifacts.archive import Label, Saver
from persistence.artifacts.artifact import Artifact, checked_name, checked_type
from persistence.artifacts.content import Content
from persistence.hosts.gate import Turns
from persistence.store.database import Database
from wire.envelope import Envelope
from wire.errors import Refused
from wire.identity import id_from_key
from wire.scheduled import Scheduled, scheduled
from wire.tracing import Trace

MOST_CHILDREN: Final = 5_000  # of an attempt: they are born in one transaction, which has a deadline
MOST_CHILD_BYTES: Final = 16 * 1024 * 1024
TOO_MANY: Final = "submit fewer jobs that submit the rest, or send them at once with submit_now"
NOT_SAVED: Final = "the function of this attempt does not run (any more): save artifacts before it returns"
NOT_READ: Final = "the function of this attempt does not run (any more): its files are gone"
NOT_NOW: Final = (
    "the function of this attempt does not run (any more), so nothing would make this job: submit it before"
)


class InnerDoor(Protocol):
    """By which a running job submits and reaches Postgres: a lane's (door.py), or a test's (inline.py)."""

    @property
    def database(self) -> Database: ...
    @property
    def gate(self) -> Turns | None: ...  # None: nobody shares a host with it

    def submission(self, envelope: Envelope, trace: Trace, *, checked: bool = True) -> Submission: ...

    def accept(self, submission: Submission, *, first_stands: bool) -> Future[UUID]: ...

    def save(self, saver: Saver, label: Label, content: Content) -> Future[Artifact]: ...

    def read(self, wanted: Wanted, folder: Path) -> Future[Path]: ...

    def make_folder(self, saver: Saver) -> Path: ...

    def clear(self, folder: Path) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """An artifact that a job reads."""

    id: UUID
    field: str  # of the payload, that names it
    most_bytes: int | None


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
    body: bytes = b""  # of its message
    progress: tuple[float | None, str | None] | None = None  # said, and not yet written
    door: InnerDoor | None = None  # by which it submits
    children: dict[UUID, Submission] = field(default_factory=dict)
    kept_children: dict[UUID, Submission] = field(default_factory=dict)
    child_bytes: int = 0
    sent: list[Sent] = field(default_factory=list)  # by submit_now
    saved: list[Saving] = field(default_factory=list)
    read: list[Reading] = field(default_factory=list)
    folder: Path | None = None  # for its files, once it has asked for one
    in_function: bool = False
    asked_to_stop: bool = False
    out_of_time: bool = False  # why it should stop: beyond its limit
    unsent: Exception | None = None  # what a middleware could not send after the function had ended
    lease: int = 0
    lines: Lines | None = None  # what it has logged
    visits: int = 0  # that it has made to hosts
    over: bool = False  # its end is settled: what comes now would be lost
    _calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)  # an actor may submit from threads of its own

    @property
    def schedule(self) -> Scheduled | None:
        """The schedule that made it: its id and name, the due time this job is for, and those that follow."""
        return scheduled(self.body)

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

    def save_artifact(self, name: str, content: Content, content_type: str | None = None) -> Saving:
        """Keep these bytes with the job: await what comes back, or `.wait()` for it in a sync actor.

        It is listed once its bytes are safe, whatever becomes of this attempt; saved again under the same name, also
        by another attempt, it takes the place of the one before.
        """
        with self._lock:
            if self.over or not self.in_function:
                raise RuntimeError(NOT_SAVED)
        try:
            label = Label(checked_name(name), checked_type(name, content_type))
        except Refused as e:
            raise PermanentError(str(e)) from None
        saving = Saving(self.inner_door.save(self._saver, label, content))
        self.saved.append(saving)
        return saving

    def read_artifact(
        self, artifact_id: UUID | str, *, field: str = "artifact", most_bytes: int | None = None
    ) -> Reading:
        """A file with the bytes of an artifact, this job's or another's: await it, or `.wait()` in a sync actor.

        It lies in this attempt's folder.  One that is not there (any more), or has more bytes than `most_bytes`, is a
        PermanentError about the payload's `field`.
        """
        try:
            wanted = Wanted(UUID(str(artifact_id)), field, most_bytes)
        except ValueError:
            raise PermanentError(
                f"{field}: {str(artifact_id)[:60]!r} is not the id of an artifact; save_artifact and "
                "GET /api/v1/jobs/{id}/artifacts tell it"
            ) from None
        reading = Reading(self.inner_door.read(wanted, self.scratch()))
        self.read.append(reading)
        return reading

    def scratch(self) -> Path:
        """A folder of this attempt's own, for files that it has in hand; gone with the attempt."""
        with self._lock:
            if self.over or not self.in_function:
                raise RuntimeError(NOT_READ)
            if self.folder is None:
                self.folder = self.inner_door.make_folder(self._saver)
            return self.folder

    def heard(self) -> Lines:
        """Its lines, of which this is perhaps the first."""
        with self._lock:
            if self.lines is None:
                self.lines = Lines(self.job_id, self.lease, self.attempt)
            return self.lines

    def close(self) -> None:
        """Take nothing more: what is here is recorded now."""
        with self._lock:
            self.over = True
        for saving in self.saved:
            saving.cut_off()
        for reading in self.read:
            reading.cut_off()
        if self.folder is not None and self.door is not None:
            self.door.clear(self.folder)

    @property
    def _saver(self) -> Saver:
        return Saver(self.job_id, self.lease, self.attempt)

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


def trace_environment() -> dict[str, str]:
    """The environment variables by which a program that this job starts goes on in its trace: TRACEPARENT and company.

    Set for the whole process only where `isolation="process"` gives the job one of its own; others run more jobs.
    """
    return {name.upper(): said for name, said in context().trace.headers().items()}


def cancelled() -> bool:
    """Whether this job should stop: it was cancelled, its time is over, or its worker shuts down.

    For sync actors, which cannot be interrupted; an async actor is interrupted at its next await.
    """
    return context().asked_to_stop
