"""What `submit_now` returns: the job's id at once, and on request the word that it is safe.

An async actor awaits it and a sync actor waits for it; waiting where a loop runs is refused, because it would hold up
every other job of the process.  What nobody asks about, the attempt asks about before it ends: see attempt.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, Final
from uuid import UUID

ANSWER_SECONDS: Final = 60.0  # both stores are given up long before


class Sent:
    """A job on its way into a store."""

    __slots__ = ("_done", "heard", "id")

    def __init__(self, job_id: UUID, done: Future[UUID]) -> None:
        self.id, self._done, self.heard = job_id, done, False

    def __await__(self) -> Generator[Any, None, UUID]:
        """The id, once the job is safe in Postgres or in RabbitMQ; Unavailable if neither took it."""
        self.heard = True
        return asyncio.shield(asyncio.wrap_future(self._done)).__await__()

    def wait(self) -> UUID:
        """The same, for sync actors and scripts."""
        if not self._done.done() and on_a_loop():
            raise RuntimeError("wait() would hold up this loop and every job on it; await what submit_now returned")
        self.heard = True
        return self._done.result(ANSWER_SECONDS)


def on_a_loop() -> bool:
    """Whether to wait here would hold up others."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
