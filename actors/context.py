"""What a running job may ask and say: which attempt it is, how far it is, whether it should stop.

Found through a context variable, so it works the same in async actors, in sync actors on their threads, and in whatever
they call.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from persistence.submission import Submission
from wire.tracing import Trace

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
    children: list[Submission] = field(default_factory=list)
    kept_children: list[Submission] = field(default_factory=list)
    in_function: bool = False
    asked_to_stop: bool = False
    unsent: Exception | None = None  # what a middleware could not send after the function had ended

    def submit(self, child: Submission) -> None:
        """Keep a job that this one submits; it comes to life with this attempt's outcome.

        What the function itself submits exists only if it completed; what a middleware sends about the outcome (a
        failure callback) exists whatever the outcome is.
        """
        (self.children if self.in_function else self.kept_children).append(child)


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
