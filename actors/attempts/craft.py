"""A job type as this process does it: its actor, its function, what it allows; looked up once and not once a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from enum import Enum
from typing import Any

import dramatiq

from actors.attempts.signals import Signals
from actors.attempts.verdict import Budget
from actors.codec import is_job
from persistence.declared.job_types import JobType

Actor = dramatiq.Actor[Any, Any]
Function = Callable[..., Coroutine[Any, Any, Any]]


class Place(Enum):
    """Where the function of a type runs."""

    LOOP = "on the loop"
    THREAD = "on a thread"
    CHILD = "in a child process"


def coroutine_function(actor: Actor) -> Function | None:
    """What an async actor runs; Dramatiq wraps it to be called from a thread.  None for a sync actor."""
    wrapped = getattr(actor.fn, "__wrapped__", None)
    return wrapped if asyncio.iscoroutinefunction(wrapped) and not asyncio.iscoroutinefunction(actor.fn) else None


class Craft:
    """One a type that the lane serves."""

    __slots__ = ("_base", "_cap", "_throws", "actor", "function", "is_job", "place", "plain", "signals", "type")

    def __init__(self, job_type: JobType, actor: Actor, signals: Signals, apart: Function | None = None) -> None:
        self.type, self.actor, self.signals = job_type, actor, signals
        self.function = apart or coroutine_function(actor)  # apart: what stands for it here, while it runs elsewhere
        self.place = Place.CHILD if apart else Place.LOOP if self.function else Place.THREAD
        self.is_job = is_job(actor)
        self.plain = not (actor.options.get("on_success") or actor.options.get("on_failure"))
        self._base = timedelta(seconds=job_type.retry_base_seconds)
        self._cap = timedelta(seconds=job_type.retry_max_seconds)
        throws = actor.options.get("throws") or ()
        self._throws = throws if isinstance(throws, tuple) else (throws,)

    def budget(self, attempt: int, max_retries: int) -> Budget:
        """How often a job of it may be tried."""
        retry_when = self.actor.options.get("retry_when")
        return Budget(attempt, max_retries, self._base, self._cap, self._throws, retry_when)
