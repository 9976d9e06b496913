"""`run_inline`: one attempt of a job, here and now, without servers: for the tests of whoever writes jobs.

    ran = run_inline(hello, Greeting(name="Ada"))
    assert ("completed", {"text": "Hello, Ada!"}) == (ran.ended, ran.result)

The payload makes the way that every payload makes, through JSON and back, and what is returned or raised is judged by
the verdict that the engine uses.  What the job submits is judged and kept, and goes nowhere; what it saves is kept
in memory, what it reads is among the `artifacts` that the test gives it.  There is no time limit, no middleware, and no
second attempt: ask for `attempt=2` to see it.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import shutil
import tempfile
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import dramatiq

from actors.attempts.craft import coroutine_function
from actors.attempts.verdict import (
    Budget,
    CancelAsked,
    Cancelled,
    Completed,
    End,
    Failed,
    Interrupted,
    Raised,
    Retry,
    Returned,
    Snoozed,
    Verdict,
    decide,
)
from actors.codec import is_job, to_body
from actors.context import Context, Wanted, current
from actors.declared.roster import job_type
from actors.ends import PermanentError
from actors.lane.reading import LEFT, check_size, place
from actors.scratch import delete
from persistence.accepting.submission import Submission, fill
from persistence.artifacts.archive import Label, Saver
from persistence.artifacts.artifact import Artifact
from persistence.artifacts.content import Content, Measured
from persistence.declared import payloads
from persistence.declared.job_types import JobType
from persistence.store.database import Database
from wire import strict_json
from wire.asked import Takes, TakesNothing
from wire.envelope import MAX_BYTES, Envelope
from wire.errors import Refused
from wire.identity import fresh_id
from wire.settings import Limits
from wire.slices.artifacts import Artifacts
from wire.states import Outcome
from wire.tracing import Trace

Payload = TypeVar("Payload")
Actor = dramatiq.Actor[Any, Any]
ANYTHING: Final = '{"type": "object"}'


@dataclass(frozen=True, slots=True)
class Ran:
    """One attempt, and what it would have done."""

    ended: str  # completed, retry, failed, snoozed or cancelled
    result: Any  # as it is read back
    error: BaseException | None  # what the function raised
    reason: str | None  # why it failed: permanent, exhausted, unstorable_result
    after: timedelta | None  # when it would be tried again; without the jitter
    submitted: tuple[Envelope, ...]  # the children that this end brings to life
    sent_now: tuple[Envelope, ...]
    progress: tuple[tuple[float | None, str | None], ...]  # all of it; the last word counts
    artifacts: Mapping[str, bytes]  # by name


def run_inline(
    job: Takes[Payload] | TakesNothing | Actor,
    payload: Payload | Mapping[str, Any] | None = None,
    *,
    attempt: int = 1,
    cancelled: bool = False,
    max_retries: int | None = None,
    job_id: UUID | None = None,
    artifacts: Mapping[UUID, Path] | None = None,
) -> Ran:
    """Run one attempt of a job that `@job` made; `cancelled` asks it to end, an async one at its first await."""
    trial = _Trial(
        job, payload, attempt, cancelled=cancelled, max_retries=max_retries, job_id=job_id, artifacts=artifacts
    )
    if trial.function is None:
        return trial.judged(trial.in_context(trial.call))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(trial.run_async())
    raise RuntimeError("run_inline() cannot run an async job where a loop runs already; await inline() instead")


async def inline(
    job: Takes[Payload] | TakesNothing | Actor,
    payload: Payload | Mapping[str, Any] | None = None,
    *,
    attempt: int = 1,
    cancelled: bool = False,
    max_retries: int | None = None,
    job_id: UUID | None = None,
    artifacts: Mapping[UUID, Path] | None = None,
) -> Ran:
    """The same for a test that has a loop; a sync job runs on a thread, as it does in a worker."""
    trial = _Trial(
        job, payload, attempt, cancelled=cancelled, max_retries=max_retries, job_id=job_id, artifacts=artifacts
    )
    if trial.function is None:
        return trial.judged(await asyncio.to_thread(trial.in_context, trial.call))
    return await trial.run_async()


class _Trial:
    """One attempt that nobody records."""

    def __init__(
        self,
        job: object,
        payload: object,
        attempt: int,
        *,
        cancelled: bool,
        max_retries: int | None,
        job_id: UUID | None,
        artifacts: Mapping[UUID, Path] | None,
    ) -> None:
        if not isinstance(job, dramatiq.Actor) or not is_job(job):
            raise TypeError(f"run_inline() runs what @job made, got {job!r}")
        self.actor: Actor = job
        self.function: Callable[..., Awaitable[Any]] | None = coroutine_function(job)
        self._type = job_type(job, Limits())
        self._max_retries = self._type.max_retries if max_retries is None else max_retries
        self._cancelled = cancelled
        said = strict_json.encode({} if payload is None else payload, "payload", around=1)
        self._fields = strict_json.parse(said.encode(), "payload", around=1)
        self._door = _Door(job, artifacts or {})
        self.context = _Watched(
            job_id or fresh_id(), self._type.name, self._type.queue, attempt, self._max_retries, self._type.priority,
            Trace.begin(), door=self._door, in_function=True, asked_to_stop=cancelled,
        )  # fmt: skip
        payloads.check(self._fields, self._type)

    def in_context(self, call: Callable[[], End]) -> End:
        surroundings = contextvars.copy_context()
        surroundings.run(current.set, self.context)
        return surroundings.run(call)

    def call(self) -> End:
        try:
            return Returned(self.actor.fn(**self._fields))
        except Exception as e:  # noqa: BLE001 - it is this attempt's end
            return Raised(e)

    async def run_async(self) -> Ran:
        surroundings = contextvars.copy_context()
        surroundings.run(current.set, self.context)
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._awaited(), context=surroundings)
        if self._cancelled:
            loop.call_soon(task.cancel)  # behind its first step: at its first await
        return self.judged(await task)

    async def _awaited(self) -> End:
        assert self.function is not None
        try:
            return Returned(await self.function(**self._fields))
        except asyncio.CancelledError as e:
            return CancelAsked() if self._cancelled else Raised(e)
        except Exception as e:  # noqa: BLE001 - it is this attempt's end
            return Raised(e)

    def judged(self, end: End) -> Ran:
        """The end in words; a job that was asked to end is not tried again (persistence/attempts/record.py)."""
        self.context.close()
        verdict = decide(end, self._budget(), random=0.0)
        if self._cancelled and isinstance(verdict, Retry | Snoozed):
            verdict = Cancelled()
        children = self.context.children if isinstance(verdict, Completed) else {}
        return Ran(
            ended=_word(verdict),
            result=json.loads(verdict.result) if isinstance(verdict, Completed) and verdict.result else None,
            error=end.error if isinstance(end, Raised) else None,
            reason=verdict.reason.value if isinstance(verdict, Failed) else None,
            after=verdict.after if isinstance(verdict, Retry | Snoozed) else None,
            submitted=tuple(self._door.seen[child_id] for child_id in children),
            sent_now=tuple(self._door.seen[sent.id] for sent in self.context.sent),
            progress=tuple(self.context.notes),
            artifacts=dict(self._door.saved),
        )

    def _budget(self) -> Budget:
        seconds = timedelta(seconds=self._type.retry_base_seconds), timedelta(seconds=self._type.retry_max_seconds)
        return Budget(self.context.attempt, self._max_retries, *seconds)


class _Watched(Context):
    """A context that remembers every word of progress."""

    __slots__ = ("notes",)
    notes: list[tuple[float | None, str | None]]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "progress":
            if value is None:
                object.__setattr__(self, "notes", [])
            else:
                self.notes.append(value)
        object.__setattr__(self, name, value)


class _Door:
    """Judges what is submitted, by the types that are declared beside the job; any other name is taken."""

    def __init__(self, job: Actor, artifacts: Mapping[UUID, Path]) -> None:
        self._declared, self._artifacts = job.broker.actors, artifacts
        self.seen: dict[UUID, Envelope] = {}
        self.saved: dict[str, bytes] = {}

    @property
    def database(self) -> Database:
        raise RuntimeError("there are no servers here: what asks Postgres is tested with a Warren at work")

    @property
    def gate(self) -> None:
        return None

    def submission(self, envelope: Envelope, trace: Trace, *, checked: bool = True) -> Submission:
        assert envelope.id is not None
        self.seen[envelope.id] = envelope
        declared = self._declared.get(envelope.type)
        found = job_type(declared, Limits()) if declared else _any_type(envelope.type)
        if checked:
            payloads.check(envelope.payload, found)
        return fill(envelope, found, to_body(envelope, MAX_BYTES), trace, datetime.now(UTC))

    def accept(self, submission: Submission, *, first_stands: bool) -> Future[UUID]:
        done: Future[UUID] = Future()
        done.set_result(submission.id)
        return done

    def save(self, saver: Saver, label: Label, content: Content) -> Future[Artifact]:
        """In memory; what comes asynchronously is read on the job's loop, all else here and now."""
        done: Future[Artifact] = Future()
        if isinstance(content, AsyncIterable):
            loop = asyncio.get_running_loop()
            return asyncio.run_coroutine_threadsafe(self._saved(saver, label, content), loop)
        try:
            with ThreadPoolExecutor(1) as aside:  # which has no loop yet
                done.set_result(aside.submit(asyncio.run, self._saved(saver, label, content)).result())
        except Exception as e:  # noqa: BLE001 - whoever waits for the artifact is told
            done.set_exception(e)
        return done

    def read(self, wanted: Wanted, folder: Path) -> Future[Path]:
        """A copy of what the test has given; a job that has it in hand may change it."""
        done: Future[Path] = Future()
        try:
            done.set_result(self._copied(wanted, folder))
        except Exception as e:  # noqa: BLE001 - whoever waits for the file is told
            done.set_exception(e)
        return done

    def _copied(self, wanted: Wanted, folder: Path) -> Path:
        given = self._artifacts.get(wanted.id)
        if given is None:
            raise PermanentError(f"{wanted.field}: there is no artifact {wanted.id}; {LEFT}")
        check_size(wanted, given.stat().st_size)
        return Path(shutil.copyfile(given, place(folder, wanted.id, given.name)))

    def make_folder(self, saver: Saver) -> Path:
        return Path(tempfile.mkdtemp(prefix="warren-inline-"))

    def clear(self, folder: Path) -> None:
        delete(folder)

    async def _saved(self, saver: Saver, label: Label, content: Content) -> Artifact:
        try:
            measured = Measured(content, Artifacts().max_artifact_bytes)
            saved = b"".join([piece async for piece in measured])
        except Refused as e:
            raise PermanentError(str(e)) from None
        self.saved[label.name] = saved
        return Artifact(
            fresh_id(), saver.job_id, saver.attempt, label.kind, label.name, label.content_type, measured.size,
            measured.sha256.hex(), datetime.now(UTC), key="",
        )  # fmt: skip


def _any_type(name: str) -> JobType:
    limits = Limits()
    return JobType(
        name, "default", "", ANYTHING, 5, limits.default_max_retries, limits.default_timeout_seconds,
        limits.retry_base_seconds, limits.retry_max_seconds,
    )  # fmt: skip


def _word(verdict: Verdict) -> str:
    words = {
        Completed: Outcome.COMPLETED, Retry: Outcome.RETRY, Failed: Outcome.FAILED, Snoozed: Outcome.SNOOZED,
        Interrupted: Outcome.INTERRUPTED, Cancelled: Outcome.CANCELLED,
    }  # fmt: skip
    return words[type(verdict)].value
