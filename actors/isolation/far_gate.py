"""The gate to hosts, as a child process has it: its visits come to their turns through the worker's.

So all jobs of a worker stand in one line, wherever they run.  A turn that a killed process had is over at its deadline,
as one of a killed worker is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import msgspec

from actors.configured import configured
from actors.isolation.parent import Parent
from actors.isolation.said import Come, Drop, Gone
from persistence.hosts.turns import Asking, Leaving, Left, Turn
from persistence.store.database import Database
from wire.settings import Politeness

T = TypeVar("T")


class FarGate:
    """Of one attempt; `database` is for what is known of hosts."""

    def __init__(self, parent: Parent, number: int, database: Database) -> None:
        self.database, self.settings = database, configured(Politeness)
        self._parent, self._number = parent, number
        self._open: set[int] = set()

    async def ask(self, asking: Asking) -> Turn:
        call, coming = self._put(lambda call: Come(self._number, call, asking), Turn)
        try:
            return await asyncio.wrap_future(coming)
        except asyncio.CancelledError:
            self._parent.say(Drop(self._number, call))  # before the next line: the answer may be on its way here
            self.leave(Leaving(asking.host, asking.job_id, asking.lease, seconds=0.0, used=False))
            raise

    def leave(self, leaving: Leaving) -> asyncio.Future[Left]:
        """Said at once; nobody has to wait until it is written."""
        _, coming = self._put(lambda call: Gone(self._number, call, leaving), Left)
        left = asyncio.wrap_future(coming)
        left.add_done_callback(_seen)
        return left

    def close(self) -> None:
        """Nobody waits for an answer any more."""
        for call in self._open:
            self._parent.forget(call)

    def _put(self, question: Callable[[int], msgspec.Struct], answer: type[T]) -> tuple[int, Future[T]]:
        call, coming = self._parent.expect(answer)
        self._open.add(call)
        coming.add_done_callback(lambda _: self._open.discard(call))
        self._parent.say(question(call))
        return call, coming


def _seen(left: asyncio.Future[Left]) -> None:
    """Its error is for who waits for it, if somebody does."""
    if not left.cancelled():
        left.exception()
