"""Hold this clock's share of the segments: look who is there, let go what is another's, take what is free.

Twice a second, by the very loop that makes the runs: one that stands still does not look, is silent for Postgres, and
loses what it held.  What another is to have it takes at its own next look, and who lacks something looks more often:
an arrival is served within a second, and so is a departure.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

from persistence.schedules.segments import Session
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.shares import shared_out


class Grip(NamedTuple):
    """What a look has brought."""

    gained: frozenset[int]  # segments that this clock did not have
    was_set: bool  # the database's clock
    lacking: bool  # some of its share are still another's


async def hold(session: Session, database_time: DatabaseTime) -> Grip:
    """Look once, and learn what time it is."""
    asked = time.monotonic()
    view = await session.look()
    was_set = database_time.told(view.now, asked, time.monotonic())
    ours = _share(view.ours, tuple(view.members.items()), tuple(view.holders.items()))
    before = session.held
    await session.let_go(before - ours)
    await session.take(segment for segment in ours - before if segment not in view.holders)
    return Grip(session.held - before, was_set, not ours <= session.held)


@lru_cache(maxsize=2)  # mostly nothing has changed since the last look
def _share(
    ours: int, members: tuple[tuple[int, frozenset[int]], ...], holders: tuple[tuple[int, int], ...]
) -> frozenset[int]:
    shared = shared_out(dict(members), dict(holders))
    return frozenset(segment for segment, member in shared.items() if member == ours)
