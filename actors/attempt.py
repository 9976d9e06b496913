"""Run one attempt: the middleware signals around the actor's function, its time limit, its end as a value.

Nothing that an actor or a middleware raises leaves this file as an exception: one that escaped would take the lane, and
with it every other job of the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from actors.codec import to_message
from actors.context import Context, current
from actors.delivery import Delivery
from actors.ends import PermanentError
from actors.verdict import End, Raised, Returned, Stopped
from persistence.claim import Claim
from persistence.job_types import JobType
from wire import strict_json
from wire.errors import Refused

Actor = dramatiq.Actor[Any, Any]


def coroutine_function(actor: Actor) -> Callable[..., Coroutine[Any, Any, Any]] | None:
    """What an async actor runs; Dramatiq wraps it to be called from a thread.  None for a sync actor."""
    wrapped = getattr(actor.fn, "__wrapped__", None)
    return wrapped if asyncio.iscoroutinefunction(wrapped) and not asyncio.iscoroutinefunction(actor.fn) else None


class Attempt:
    """One lease of one job in this process."""

    __slots__ = (
        "_broker", "_why", "actor", "claim", "context", "deadline", "deliveries", "end", "finished_at", "job_type",
        "started_at", "task",
    )  # fmt: skip

    def __init__(
        self, broker: dramatiq.Broker, job_type: JobType, *, claim: Claim, delivery: Delivery, job: Context
    ) -> None:
        self._broker, self.job_type, self.claim, self.context = broker, job_type, claim, job
        self.actor: Actor = broker.actors[job_type.name]
        self.deliveries = [delivery]  # more than one after a redelivery while it runs
        self.started_at = self.finished_at = datetime.now(UTC)
        self.deadline = time.monotonic() + claim.timeout_seconds
        self.task: asyncio.Task[None] | None = None
        self.end: End = Stopped()
        self._why: End | None = None

    def cancel(self, why: End) -> None:
        """Interrupt it at its next await; a sync actor cannot be interrupted."""
        if self.task is not None and self._why is None:
            self._why = why
            self.task.cancel()

    async def run(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        """The whole attempt, on the loop."""
        message = self._begin()
        if message is None:
            return
        try:
            end: End = Returned(await function(*message.args, **message.kwargs))
        except asyncio.CancelledError as e:
            end = self._why or Raised(e)
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, recorded; the lane must live
            end = Raised(e)
        self._finish(message, end)

    def run_sync(self) -> None:
        """The whole attempt, on a thread."""
        message = self._begin()
        if message is None:
            return
        try:
            end: End = Returned(self.actor.fn(*message.args, **message.kwargs))
        except BaseException as e:  # noqa: BLE001 - it is this attempt's end, recorded; the thread must live
            end = Raised(e)
        self._finish(message, end)

    def _begin(self) -> MessageProxy | None:
        """Decode the message and send the signals before; None when that was the end already."""
        current.set(self.context)
        try:
            message = MessageProxy(self._message())
            self._broker.emit_before("process_message", message)
        except SkipMessage:
            self._broker.emit_after("skip_message", message)
            self.end = Raised(PermanentError("a middleware skipped the message"))
        except Refused as e:
            self.end = Raised(PermanentError(str(e)))
        else:
            self.context.in_function = True
            return message
        self.finished_at = datetime.now(UTC)
        return None

    def _finish(self, message: MessageProxy, end: End) -> None:
        """Send the signals after.  Dramatiq swallows what they raise, so a send that failed in one is asked for."""
        self.context.in_function = False
        error = end.error if isinstance(end, Raised) else None
        result = end.value if isinstance(end, Returned) else None
        if error is not None:
            message.stuff_exception(error)
        self._broker.emit_after("process_message", message, result=result, exception=error)
        message.clear_exception()
        if self.context.unsent is not None:
            end = Raised(self.context.unsent)
        elif message.failed and isinstance(end, Returned):
            end = Raised(PermanentError("a middleware failed the message"))
        self.end, self.finished_at = end, datetime.now(UTC)

    def _message(self) -> dramatiq.Message[Any]:
        body = strict_json.parse(self.deliveries[0].message.body)
        return to_message(self.actor, body, str(self.context.job_id), int(self.started_at.timestamp() * 1000))
