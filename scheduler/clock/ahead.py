"""The turns that come soon, in the order of their moments; pure.

What is caught up stands behind what is due, a few at a time: yesterday's runs must not make today's late.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.schedules.due import Due
from persistence.schedules.schedule import Kind
from scheduler.clock.prepared import Prepared

MOST: Final = 20_000  # some 40 MB; what is due beyond that is loaded when these are done
MOST_BYTES: Final = 64 * 2**20  # of their payloads
CAUGHT_UP: Final = 50  # in one turn of the loop

_Waits = list[tuple[datetime, int, UUID]]


class Ahead:
    """One turn a schedule, the latest that was put."""

    def __init__(self) -> None:
        self._turns: dict[UUID, tuple[int, Prepared]] = {}
        self._due: _Waits = []
        self._caught_up: _Waits = []
        self._number, self._bytes = 0, 0

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def full(self) -> bool:
        return len(self._turns) >= MOST or self._bytes >= MOST_BYTES

    def knows(self, due: Due) -> bool:
        """Whether the turn of this very schedule, as it stands, is here."""
        found = self._turns.get(due.schedule.id)
        if found is None:
            return False
        known = found[1].due
        same = (known.schedule.version, known.schedule.next) == (due.schedule.version, due.schedule.next)
        return same and known.job_type == due.job_type

    def put(self, prepared: Prepared) -> None:
        schedule = prepared.due.schedule
        self._drop(schedule.id)
        self._number += 1
        self._turns[schedule.id] = self._number, prepared
        self._bytes += len(schedule.plan.payload)
        waits = self._caught_up if prepared.turn.kind is Kind.CAUGHT_UP else self._due
        heapq.heappush(waits, (prepared.fires_at, self._number, schedule.id))

    def earliest(self) -> datetime | None:
        firsts = [waits[0][0] for waits in (self._due, self._caught_up) if self._stands(waits)]
        return min(firsts, default=None)

    def take(self, now: datetime, most: int) -> list[Prepared]:
        """Those whose moment has come, at most so many; they are here no longer."""
        found = list(self._taken(self._due, now, most))
        return found + list(self._taken(self._caught_up, now, min(CAUGHT_UP, most - len(found))))

    def keep(self, segments: Collection[int]) -> None:
        """What lies in other segments is another clock's."""
        for schedule in [p.due.schedule for _, p in self._turns.values() if p.due.schedule.segment not in segments]:
            self._drop(schedule.id)

    def clear(self) -> None:
        self._turns.clear()
        self._due.clear()
        self._caught_up.clear()
        self._bytes = 0

    def _taken(self, waits: _Waits, now: datetime, most: int) -> Iterator[Prepared]:
        for _ in range(most):
            if not self._stands(waits) or waits[0][0] > now:
                return
            prepared = self._drop(heapq.heappop(waits)[2])
            assert prepared is not None
            yield prepared

    def _stands(self, waits: _Waits) -> bool:
        """Whether there is a first one, after those that have been replaced are gone."""
        while waits:
            _, number, schedule_id = waits[0]
            if self._turns.get(schedule_id, (0,))[0] == number:
                return True
            heapq.heappop(waits)
        return False

    def _drop(self, schedule_id: UUID) -> Prepared | None:
        _, prepared = self._turns.pop(schedule_id, (0, None))
        if prepared is not None:
            self._bytes -= len(prepared.due.schedule.plan.payload)
        return prepared
