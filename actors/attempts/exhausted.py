"""Dramatiq's `on_retry_exhausted`: send the actor of that name when a job has used up its retries.

The message is a child of the last attempt and comes to life with its outcome.  Knows no verdict; see settle.py.
"""

from __future__ import annotations

import contextvars

import structlog

from actors.attempts.attempt import Attempt
from actors.context import current

log = structlog.get_logger()


def tell_exhausted(attempt: Attempt) -> None:
    """Send it, if the message or the actor names one."""
    options = attempt.message.options if attempt.message else {}
    name = options.get("on_retry_exhausted") or attempt.craft.actor.options.get("on_retry_exhausted")
    if name:
        contextvars.copy_context().run(_send, attempt, name)


def _send(attempt: Attempt, name: str) -> None:
    current.set(attempt.context)
    assert attempt.message is not None
    spent = {"retries": attempt.claim.attempt - 1, "max_retries": attempt.claim.max_retries}
    try:
        attempt.craft.actor.broker.get_actor(name).send(attempt.message.asdict(), spent)
    except Exception as e:  # noqa: BLE001 - a wrong name must not cost the job its outcome
        log.error("on_retry_exhausted_not_sent", job_id=str(attempt.context.job_id), actor=name, error=str(e))
