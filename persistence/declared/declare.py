"""Make the broker's objects stand, with the profile that Postgres has pinned.

Every process does it when it connects, with identical arguments, so whoever starts first declares and the others
confirm.  A worker also binds the ways of its types, and takes down the old way of a type that has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from persistence.declared import pins
from persistence.declared.job_types import JobType, homes
from persistence.store.database import Database
from wire import topology
from wire.errors import TopologyMismatch
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile


async def declare(broker: Broker, database: Database, wanted: str) -> Profile:
    """All that stands before any type is known; TopologyMismatch if another profile is pinned."""
    pinned = await pins.pinned(database, pins.PROFILE)
    profile = _agreed(pinned, wanted) if pinned else _first(broker, wanted)
    try:
        await broker.declare(topology.fixed(profile))
    except TopologyMismatch as e:
        raise _declared_otherwise(profile, broker, wanted, e) from e
    if not pinned:  # after it stands: a profile that the broker refused must not bind anybody
        _agreed(await pins.pin(database, pins.PROFILE, profile.value), profile.value)
    return profile


async def open_ways(broker: Broker, profile: Profile, types: Sequence[JobType]) -> None:
    """The queues and bindings of these types."""
    await broker.declare(topology.serve(queue, profile) for queue in sorted({t.queue for t in types}))
    await broker.declare(part for t in types for part in topology.bind_type(t.name, t.queue))


async def lead_to_homes(
    broker: Broker, database: Database, profile: Profile, types: Sequence[JobType], moved: Mapping[str, str]
) -> None:
    """Bind each type to the queue that it has in Postgres, and unbind it from the others that we know of.

    Another worker may move a type meanwhile, and take our binding for the old one; so whoever changed a binding looks
    again, until what stands on the broker is what stands in Postgres.  Our own queues stand in any case: we consume.
    """
    await broker.declare(topology.serve(queue, profile) for queue in sorted({t.queue for t in types}))
    queues = {t.name: {t.queue} for t in types}
    for name, old_queue in moved.items():
        queues[name].add(old_queue)
    while True:
        found = await homes(database, list(queues))
        await open_ways(broker, profile, [replace(t, queue=found.get(t.name, t.queue)) for t in types])
        for name, home in found.items():
            for other in queues[name] - {home}:  # after the new way stands
                await broker.unbind(topology.unbind_type(name, other))
            queues[name].add(home)
        if found == await homes(database, list(queues)):
            return


def _first(broker: Broker, wanted: str) -> Profile:
    best = topology.choose(broker.version)
    if wanted == Profile.QUORUM and best is not Profile.QUORUM:
        raise TopologyMismatch(
            f"WARREN_PROFILE is quorum, but this is RabbitMQ {broker.version}, whose quorum queues know no priorities; "
            f"set WARREN_PROFILE={best}, or use RabbitMQ 4.3 or newer"
        )
    return best if wanted == "auto" else Profile(wanted)


def _agreed(pinned: str, wanted: str) -> Profile:
    if wanted not in ("auto", pinned):
        raise TopologyMismatch(
            f"WARREN_PROFILE is {wanted}, but this system was declared as {pinned}; set WARREN_PROFILE={pinned}, "
            "or begin with an empty broker and database"
        )
    return Profile(pinned)


def _declared_otherwise(profile: Profile, broker: Broker, wanted: str, refusal: TopologyMismatch) -> TopologyMismatch:
    """An old broker behind a new database: its queues stand, and no pin says how."""
    if "x-queue-type" not in str(refusal):
        return refusal
    why = f"which WARREN_PROFILE={wanted} means for RabbitMQ {broker.version}" if wanted == "auto" else "as set"
    others = " or ".join(other for other in Profile if other is not profile)
    return TopologyMismatch(
        f"the profile would be {profile}, {why}, but this broker's queues were declared as {others}; "
        f"set WARREN_PROFILE={others}, or begin with an empty vhost ({refusal})"
    )
