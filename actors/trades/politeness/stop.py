"""A stop at one host: come to a turn there, use it, and tell how it went.

Who has asked nothing yet in this attempt sleeps until its turn (Snooze): the attempt begins anew then, and the turn is
promised to it.  Who has waits where it is, before those that sleep, because to begin anew would mean to ask again what
was asked already; but it holds its slot for half a minute at most.

A job is at one host once at a time, whatever tasks it has.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final
from weakref import WeakValueDictionary

from actors.context import Context
from actors.ends import Snooze
from persistence.hosts.gate import Turns
from persistence.hosts.turns import AHEAD_SECONDS, Asking, Leaving, Left, Turn

LONGEST_IN_PLACE: Final = 30.0
LOOK_SECONDS: Final = 0.25  # how often who waits in place looks whether it was called
MARGIN_SECONDS: Final = 5.0  # of a turn's deadline beyond the longest request
LATE_SECONDS: Final = 2.0  # who wakes up so late asks again: its process stood still, and others may be there

_alone: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] = WeakValueDictionary()


class Stop:
    """Of one job; `come` and then `leave`, `pause` or `give_back`."""

    def __init__(self, gate: Turns, job: Context, host: str, *, longest_seconds: float, in_place: bool) -> None:
        self._gate, self._job, self.host, self.in_place = gate, job, host, in_place
        self._longest = longest_seconds + MARGIN_SECONDS
        self._held = self._promised = False
        self._began = 0.0
        key = id(gate), str(job.job_id), host
        self._alone = _alone.setdefault(key, asyncio.Lock())
        self._inside = False

    async def come(self, delay_seconds: float) -> None:
        """Return when the turn is had, to be used at once; or Snooze."""
        if not self._inside:
            await self._alone.acquire()
            self._inside = True
        while not self._held:
            turn = await self._gate.ask(self._asking(delay_seconds))
            self._promised = turn.ahead is None
            if turn.begins:
                await self._begin(turn.after_seconds)
            elif not self.in_place or turn.after_seconds > LONGEST_IN_PLACE:
                self._step_out()
                raise Snooze(turn.after_seconds, _why(self.host, turn))
            else:
                await asyncio.sleep(LOOK_SECONDS if turn.ahead is not None else turn.after_seconds)

    async def pause(self, *, refused: bool = False, hold_seconds: float = 0.0) -> Left:
        """The answer is here; the next turn is promised to this job."""
        self._held = False
        return await self._gate.leave(self._leaving(returns=True, refused=refused, hold_seconds=hold_seconds))

    def leave(self) -> None:
        """The answer is here, or none will come."""
        if self._held:
            self._gate.leave(self._leaving())
        self._step_out()

    def give_back(self) -> None:
        """Go without having used the turn, if there is one."""
        if self._held or self._promised:
            self._gate.leave(self._leaving(used=False))
        self._step_out()

    async def _begin(self, after_seconds: float) -> None:
        asked = time.monotonic()
        await asyncio.sleep(after_seconds)
        self._began = time.monotonic()
        self._held = self._began - asked - after_seconds < LATE_SECONDS

    def _step_out(self) -> None:
        self._held = self._promised = False
        if self._inside:
            self._inside = False
            self._alone.release()

    def _asking(self, delay_seconds: float) -> Asking:
        job = self._job
        return Asking(self.host, job.job_id, job.lease, job.priority, delay_seconds, self._longest, self.in_place)

    def _leaving(
        self, *, returns: bool = False, refused: bool = False, hold_seconds: float = 0.0, used: bool = True
    ) -> Leaving:
        seconds = time.monotonic() - self._began if used else 0.0
        return Leaving(self.host, self._job.job_id, self._job.lease, seconds, refused, hold_seconds, returns, used)


def _why(host: str, turn: Turn) -> str:
    if turn.ahead is None:
        return f"its turn at {host} comes in {turn.after_seconds + AHEAD_SECONDS:.1f} s"
    return f"it stands in line at {host}, behind {turn.ahead} others"
