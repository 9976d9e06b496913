"""Correct what is due when the rules of a time zone have changed: once, after Warren came with a newer edition of them.

Due times are computed one ahead and stored, so those of an older edition would fire at the old hour.  The first clock
of a newer edition that holds a segment walks its schedules, some pages at a time between due times, and moves those
that are due at another instant now.  Only then the edition is remembered: a walk that is cut short begins anew, and
moves nothing twice because what has been moved is right.  An older edition changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

import structlog

from persistence.schedules import zones
from persistence.schedules.schedule import Next
from persistence.schedules.segments import Session
from persistence.schedules.zones import FIRST, Placed
from scheduler.clock.prepared import when_of
from wire.times.edition import EDITION, is_newer
from wire.times.fires import next_due, offset

log = structlog.get_logger()

PAGE: Final = 200  # schedules; were each in a zone and with a cron of its own, some thirty milliseconds
PIECE_SECONDS: Final = 0.02  # no page is begun after that; twice a second, so a million by UTC take some minutes


class Zones:
    """The walk of one clock, over the segments that it held when it began and holds still."""

    def __init__(self, session: Session, edition: str = EDITION) -> None:
        self._session, self._edition = session, edition
        self._right: set[int] = set()  # segments that this edition has nothing to correct in
        self._walked: set[int] = set()
        self._after, self._moved = FIRST, 0

    async def piece(self, segments: list[int]) -> bool:
        """Look at some pages, if there may be something to correct; the next ones wait for the other pieces."""
        self._walked &= set(segments)  # what another clock has had in between is walked from the beginning
        if not self._walked:
            await self._begin(set(segments) - self._right)
        until = time.monotonic() + PIECE_SECONDS
        while self._walked:
            await self._page()
            if time.monotonic() >= until:
                break
        return False

    async def _begin(self, segments: set[int]) -> None:
        if not segments:
            return
        async with self._session.connection() as connection:
            known = await zones.editions(connection, segments)
        self._walked = {segment for segment in segments if is_newer(self._edition, known.get(segment))}
        self._right |= segments - self._walked
        self._after, self._moved = FIRST, 0

    async def _page(self) -> None:
        async with self._session.connection() as connection:
            found = await zones.page(connection, self._walked, self._after, PAGE)
            if moves := list(_moves(found.placed)):
                self._moved += await zones.move(connection, moves)
            if found.after is not None:
                self._after = found.after
                return
            await zones.remember(connection, self._walked, self._edition)
        log.info("zones_renewed", edition=self._edition, segments=len(self._walked), schedules_moved=self._moved)
        self._right |= self._walked
        self._walked = set()


def _moves(placed: Iterable[Placed]) -> Iterable[tuple[Placed, Next]]:
    """Those that are due at another instant; one that is due no more is left to its last turn."""
    for one in placed:
        try:
            when = when_of(one.spec)
            due = next_due(when, one.after)
        except Exception:  # nobody can read it: the clock pauses it when its turn comes, and the others go on
            log.exception("schedule_unreadable", schedule_id=str(one.id))
            continue
        if due is not None and due != one.due_at:
            yield one, Next(due, due + offset(when, one.id, due))
