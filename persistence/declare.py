"""Make the broker's objects stand, with the profile that Postgres has pinned.

Every process does it when it connects, with identical arguments, so whoever starts first declares and the others
confirm.  A worker also binds the ways of its types, and takes down the old way of a type that has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from persistence.database import Database
from persistence.job_types import JobType
from persistence.pins import pin
from wire import topology
from wire.amqp import Broker
from wire.errors import TopologyMismatch
from wire.topology import Profile


async def declare(broker: Broker, database: Database, wanted: str) -> Profile:
    """All that stands before any type is known; TopologyMismatch if another profile is pinned."""
    profile = await _profile(broker, database, wanted)
    await broker.declare(topology.fixed(profile))
    return profile


async def open_ways(
    broker: Broker, profile: Profile, types: Sequence[JobType], moved: Mapping[str, str] | None = None
) -> None:
    """The queues and bindings of these types; the old way goes after the new one stands."""
    await broker.declare(topology.serve(queue, profile) for queue in sorted({t.queue for t in types}))
    await broker.declare(part for t in types for part in topology.bind_type(t.name, t.queue))
    for name, old_queue in (moved or {}).items():
        await broker.unbind(topology.unbind_type(name, old_queue))


async def _profile(broker: Broker, database: Database, wanted: str) -> Profile:
    proposal = topology.choose(broker.version) if wanted == "auto" else Profile(wanted)
    pinned = Profile(await pin(database, "profile", proposal.value))
    if wanted not in ("auto", pinned):
        raise TopologyMismatch(
            f"WARREN_PROFILE is {wanted}, but this system was declared as {pinned}; set WARREN_PROFILE={pinned}, "
            "or begin with an empty broker and database"
        )
    return pinned
