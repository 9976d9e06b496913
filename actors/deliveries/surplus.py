"""Put deliveries that this process will not come to back into their queue, each at the place of its priority.

A classic queue does so with what is returned to it.  A quorum queue gives what was returned out before all else,
whatever its priority (measured on 4.3): hundreds of unimportant jobs would then stand before the next important one.
So there a copy of each is published, and the delivery acked once that is confirmed.  A crash between the two leaves
both, of the same run: the claim starts one of them.

What came by the public door is returned as it is: only its own properties say what it may become.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import structlog

from actors.deliveries.consume import Consumer
from actors.deliveries.delivery import Delivery
from persistence.accepting.outbox import Publisher
from persistence.declared import pins
from persistence.mending import rescue
from persistence.store.database import COLLIDED, Database
from wire.errors import DatabaseUnavailable
from wire.message import ATTEMPT, BECAUSE, PUBLISHED, RUN, Outgoing
from wire.topology import INNER, Profile, routing_key
from wire.tracing import BAGGAGE, TRACEPARENT, TRACESTATE

log = structlog.get_logger()

TRAVELS: Final = (RUN, ATTEMPT, BECAUSE, PUBLISHED, TRACEPARENT, TRACESTATE, BAGGAGE)


async def put_back(
    surplus: Collection[Delivery], consumer: Consumer, *, publisher: Publisher, database: Database
) -> None:
    """Return when each is on its way back, by the one way or the other."""
    ours = [delivery for delivery in surplus if delivery.run is not None and delivery.job_id is not None]
    anew = await _queue_anew(ours, publisher, database) if ours else set()
    consumer.ack(anew)
    consumer.give_back([delivery for delivery in surplus if delivery not in anew])


async def _queue_anew(surplus: list[Delivery], publisher: Publisher, database: Database) -> set[Delivery]:
    """Those of which the broker has a copy."""
    try:
        if await pins.pinned(database, pins.PROFILE) != Profile.QUORUM:
            return set()
        # they stand behind others now; said first, or the rescue takes them for overtaken and sends them once more
        await rescue.sent_late(database, [delivery.job_id for delivery in surplus if delivery.job_id])
    except (DatabaseUnavailable, *COLLIDED) as e:
        log.warning("surplus_goes_first", deliveries=len(surplus), error=str(e))
        return set()
    confirmed = await publisher.again([_copy(delivery) for delivery in surplus])
    return {delivery for delivery, safe in zip(surplus, confirmed, strict=True) if safe}


def _copy(delivery: Delivery) -> Outgoing:
    message, job_type, priority = delivery.message, delivery.type, delivery.message.priority or 5
    headers = {name: said for name in TRAVELS if isinstance(said := message.headers.get(name), str | int)}
    key = routing_key(job_type, priority)
    return Outgoing(INNER, key, message.body, message.message_id or "", job_type, priority, headers)
