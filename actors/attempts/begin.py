"""Begin an attempt: the delivery and the claim that was granted become the context of a job and its attempt.

Starts nothing; the lane puts it on the loop or on a thread.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.attempts.attempt import Attempt
from actors.attempts.craft import Craft
from actors.attempts.told import Told
from actors.context import Context, InnerDoor
from actors.deliveries.delivery import Delivery
from persistence.attempts.claim import Claim
from wire.spans import here
from wire.tracing import Trace


def begin(
    craft: Craft, delivery: Delivery, claim: Claim, *, door: InnerDoor, over: Callable[[Attempt], None]
) -> Attempt:
    """One lease of this job; `over` is told when its function has ended."""
    message, job_type = delivery.message, craft.type
    assert delivery.job_id is not None
    job = Context(
        delivery.job_id, job_type.name, job_type.queue, claim.attempt, claim.max_retries,
        message.priority or job_type.priority, Trace.kept(claim.traceparent, claim.tracestate), message.headers,
        message.body, door=door, lease=claim.lease,
    )  # fmt: skip
    attempt = Attempt(craft, claim=claim, delivery=delivery, job=job, over=over)
    if here.spans is not None:
        told = attempt.told = Told(here.spans, delivery, claim, job.queue, job.priority)
        job.trace = told.place  # its children are born within this attempt
    return attempt
