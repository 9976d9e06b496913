"""The words for where a job stands and why it failed: the same in table, code, API, metrics and dashboard."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    SCHEDULED = "scheduled"  # waits for its time
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"  # waits in the ladder for its next attempt
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a job is `failed`."""

    PERMANENT = "permanent"
    EXHAUSTED = "exhausted"
    TIMEOUT = "timeout"
    POISON = "poison"
    MALFORMED = "malformed"
    UNROUTABLE = "unroutable"
    UNSTORABLE_RESULT = "unstorable_result"


class Outcome(StrEnum):
    """How one attempt (one lease) ended."""

    COMPLETED = "completed"
    RETRY = "retry"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SNOOZED = "snoozed"
    INTERRUPTED = "interrupted"  # by a shutdown; not counted
    CRASHED = "crashed"  # its process died
    SUPERSEDED = "superseded"  # it ended after its lease had passed to another


WAITING = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})
FINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED})

# What a reader may ask for beside the states themselves.
FILTERS: dict[str, frozenset[State]] = {
    **{state.value: frozenset({state}) for state in State},
    "pending": WAITING,
    "dead_letter": frozenset({State.FAILED}),
}
