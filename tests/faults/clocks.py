"""Several clocks of one Warren, and somebody who kills, freezes, thaws and starts them at random.

One of them is always hale, and no other is hurt before it has taken its share: what is measured is how the living take
over, and not how long a process takes to start.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import asyncpg

from persistence.schedules.segments import HELD, MEMBERS
from tests.eventually import eventually
from tests.journey.api import sql
from tests.journey.stack import Stack

NAMES: Final = ("scheduler", "scheduler-2", "scheduler-3")  # the first is the stack's own
LOCKS: Final = """
SELECT a.pid, a.application_name AS name, a.query_start AS looked, count(*) AS locks
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.granted AND a.datname = current_database() GROUP BY 1, 2, 3
"""
TAKE_ALL: Final = f"SELECT pg_advisory_lock({HELD}, segment) FROM generate_series(0, 127) segment"


class Blow(NamedTuple):
    """What was done to one of them, and when."""

    at: float
    what: str  # killed | frozen | thawed | started
    name: str


class Clocks:
    """The schedulers of a stack, each by its name."""

    def __init__(
        self,
        stack: Stack,
        names: Collection[str] = NAMES,
        dice: random.Random | None = None,
        command: Sequence[str] = ("scheduler",),
    ) -> None:
        self._stack, self._names, self._command = stack, tuple(names), command
        self._dice = dice or random.Random()
        self._frozen: set[str] = set()
        self._next = itertools.cycle((self.freeze, self.kill))
        self.blows: list[Blow] = []

    async def start_all(self) -> None:
        """Return when each has its share."""
        for name in self._names:
            if name not in self._stack.processes:
                self.start(name)
        await eventually(self._all_hale, within=60)

    def start(self, name: str) -> None:
        self._stack.start(name, *self._command)
        self._note("started", name)

    def kill(self, name: str) -> None:
        self._stack.kill(name)
        self._frozen.discard(name)
        self._note("killed", name)

    def freeze(self, name: str) -> None:
        os.kill(self._stack.processes[name].pid, signal.SIGSTOP)
        self._frozen.add(name)
        self._note("frozen", name)

    def thaw(self, name: str) -> None:
        os.kill(self._stack.processes[name].pid, signal.SIGCONT)
        self._frozen.discard(name)
        self._note("thawed", name)

    async def hurt(self, seconds: float, between: tuple[float, float]) -> None:
        """One blow after another, at random, for so long; at the end all are hale again."""
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            await self._strike(self._dice.choice(self._names))
            await asyncio.sleep(self._dice.uniform(*between))  # not to wait for something: to come at any moment
        for name in self._names:
            self._mend(name)
        await self.start_all()

    async def stop_all(self, but: Collection[str] = ()) -> None:
        for name in self._names:
            if name in self._stack.processes and name not in but:
                assert 0 == await asyncio.to_thread(self._stack.stop, name), self._stack.last_words()

    async def only(self, name: str) -> None:
        """The others are gone, and all segments are this one's."""
        await self.stop_all(but=[name])
        if name not in self._stack.processes:
            self.start(name)
        await eventually(lambda: self._has_all(name), within=60)

    async def holders(self) -> dict[str, int]:
        """Who holds segments, and how many, as Postgres sees it; a frozen one does for a while."""
        return {name: row["locks"] for name, row in (await self._sessions(HELD)).items()}

    async def looks(self, name: str, times: int) -> None:
        """Return when this one's session has asked Postgres something so many times more."""
        seen = set[object]()

        async def looked() -> bool:
            if row := (await self._sessions(MEMBERS)).get(name):
                seen.add(row["looked"])
            return len(seen) > times

        await eventually(looked, within=60)

    async def cut(self) -> None:
        """End the sessions that hold segments, as Postgres does after their silence, only sooner."""
        for row in (await self._sessions(HELD)).values():
            await sql(self._stack.database_url, "SELECT pg_terminate_backend($1)", row["pid"])

    @asynccontextmanager
    async def robbed(self) -> AsyncIterator[None]:
        """Somebody else holds every segment meanwhile."""
        connection = await asyncpg.connect(self._stack.database_url)
        try:
            await connection.execute(TAKE_ALL)
            yield
        finally:
            await connection.close()

    def told(self) -> str:
        """How many blows of each kind."""
        kinds = ("killed", "frozen", "started")
        return ", ".join(f"{sum(blow.what == kind for blow in self.blows)} {kind}" for kind in kinds)

    async def _strike(self, name: str) -> None:
        if self._mend(name):
            return
        if any(other != name for other in await self._hale()):
            next(self._next)(name)

    def _mend(self, name: str) -> bool:
        """Start it if it is dead, thaw it if it is frozen."""
        if name not in self._stack.processes:
            self.start(name)
        elif name in self._frozen:
            self.thaw(name)
        else:
            return False
        return True

    async def _all_hale(self) -> bool:
        return set(self._names) <= await self._hale()

    async def _hale(self) -> set[str]:
        """Who is there, awake, and has taken a share."""
        return set(await self.holders()) - self._frozen

    async def _has_all(self, name: str) -> bool:
        return await self.holders() == {name: 128}

    async def _sessions(self, kind: int) -> dict[str, asyncpg.Record]:
        """By whom, those that have locks of this kind; a session is signed with its process's number."""
        rows = await sql(self._stack.database_url, LOCKS, kind)
        said = {int(row["name"].rpartition(":")[2].split()[0]): row for row in rows if ":" in row["name"]}
        return {name: said[one.pid] for name, one in self._stack.processes.items() if one.pid in said}

    def _note(self, what: str, name: str) -> None:
        self.blows.append(Blow(time.time(), what, name))
