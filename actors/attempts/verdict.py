"""How an attempt ended → what happens to its job.  Pure: no clock, no I/O, the random number is an argument."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, assert_never

import dramatiq

from actors.ends import PermanentError, RetryAfter, Snooze
from wire import strict_json
from wire.errors import Refused
from wire.fields import LONGEST_WAIT
from wire.states import Reason

JITTER: Final = 0.25
LARGEST_RESULT: Final = 16 * 1024 * 1024  # characters; to make JSON of them holds up the loop for a third of a second


@dataclass(frozen=True, slots=True)
class Returned:
    value: object


@dataclass(frozen=True, slots=True)
class Unstorable:
    """What a function returned, where another process has found that it cannot be kept."""

    because: str


@dataclass(frozen=True, slots=True)
class Raised:
    error: BaseException


@dataclass(frozen=True, slots=True)
class TimedOut:
    after: timedelta


@dataclass(frozen=True, slots=True)
class Stopped:
    """The process shuts down and could wait no longer."""


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody asked for the job to be cancelled."""


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another holds the job, or it is gone; whatever is recorded will be superseded."""


End = Returned | Raised | TimedOut | Stopped | CancelAsked | LeaseLost


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as it is kept: its type, its words, where it happened."""

    type: str
    message: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    result: str | None  # JSON


@dataclass(frozen=True, slots=True)
class Retry:
    after: timedelta
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Failed:
    reason: Reason
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Snoozed:
    after: timedelta
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Not counted; the job goes back to its queue at once."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """By request."""


Verdict = Completed | Retry | Failed | Snoozed | Interrupted | Cancelled


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a job may be tried, and how far apart."""

    attempt: int  # the one that has just ended, from 1
    max_retries: int
    base: timedelta
    cap: timedelta
    throws: tuple[type[BaseException], ...] = field(default=())  # expected errors: no retry
    retry_when: Callable[[int, BaseException], bool] | None = None

    @property
    def spent(self) -> bool:
        return self.attempt > self.max_retries


def decide(end: End, budget: Budget, random: float) -> Verdict:
    """The verdict on one attempt; `random` is in [0, 1)."""
    match end:
        case Returned(value):
            return completed(value)
        case Raised(error):
            return _raised(error, budget, random)
        case TimedOut(after):
            trouble = Trouble("TimeLimitExceeded", f"ran longer than its limit of {after.total_seconds():g} s")
            return _again(trouble, budget, backoff(budget, random), Reason.TIMEOUT)
        case Stopped() | LeaseLost():
            return Interrupted()
        case CancelAsked():
            return Cancelled()
    assert_never(end)


def backoff(budget: Budget, random: float) -> timedelta:
    """min(cap, base·2ⁿ⁻¹), and up to a quarter more."""
    doublings = min(budget.attempt - 1, 60)  # more is beyond any cap
    seconds = min(budget.cap.total_seconds(), budget.base.total_seconds() * 2.0**doublings)
    return timedelta(seconds=seconds * (1 + JITTER * random))


def completed(value: object) -> Verdict:
    """What a function returned, as it is kept; some of it cannot be."""
    if value is None:
        return Completed(None)
    if isinstance(value, Unstorable):
        return Failed(Reason.UNSTORABLE_RESULT, Trouble("UnstorableResult", value.because))
    try:
        text = strict_json.encode(value)
    except Refused as e:
        return Failed(Reason.UNSTORABLE_RESULT, Trouble("UnstorableResult", str(e)))
    if len(text) > LARGEST_RESULT:
        words = f"result: has {len(text)} characters; at most {LARGEST_RESULT} are kept; save an artifact"
        return Failed(Reason.UNSTORABLE_RESULT, Trouble("UnstorableResult", words))
    return Completed(text)


def _raised(error: BaseException, budget: Budget, random: float) -> Verdict:
    trouble = trouble_of(error)
    if isinstance(error, Snooze):
        return Snoozed(error.after, trouble)
    if isinstance(error, PermanentError) or (budget.throws and isinstance(error, budget.throws)):
        return Failed(Reason.PERMANENT, trouble)
    after = _asked_wait(error)
    if after is None:
        after = backoff(budget, random)
        if budget.retry_when:  # as with Dramatiq, it and not max_retries decides
            return Retry(after, trouble) if _wants_retry(budget, error) else Failed(Reason.EXHAUSTED, trouble)
    return _again(trouble, budget, after, Reason.EXHAUSTED)


def _asked_wait(error: BaseException) -> timedelta | None:
    """The wait that the actor itself named, with our word for it or with Dramatiq's."""
    if isinstance(error, RetryAfter):
        return error.after
    if isinstance(error, dramatiq.Retry) and error.delay is not None:
        return timedelta(milliseconds=min(max(0, error.delay), LONGEST_WAIT / timedelta(milliseconds=1)))
    return None


def _wants_retry(budget: Budget, error: BaseException) -> bool:
    assert budget.retry_when is not None
    try:
        return bool(budget.retry_when(budget.attempt - 1, error))
    except Exception:  # noqa: BLE001 - a user's broken predicate must not cost the job its outcome
        return not budget.spent


def _again(trouble: Trouble, budget: Budget, after: timedelta, spent: Reason) -> Verdict:
    return Failed(spent, trouble) if budget.spent else Retry(after, trouble)


def trouble_of(error: BaseException) -> Trouble:
    """What is kept of it; one that another process has told of has brought the stack from there."""
    try:
        words = str(error)
    except Exception as e:  # noqa: BLE001 - a user's broken __str__ must not cost the job its outcome
        words = f"(its message could not be read: {type(e).__name__})"
    told = getattr(error, "told_stack", None)
    stack = None if isinstance(error, Snooze) else told or "".join(traceback.format_exception(error))
    return Trouble(type(error).__name__, words[:2_000], stack)
