"""What `save_artifact` and `read_artifact` return: on request the artifact, or the file, once its bytes are safe.

An async actor awaits it and a sync actor waits for it; what nobody asks about of what it saves, the attempt asks about
before it completes, as with `submit_now`.  An attempt that ends otherwise cuts off what is still on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar

from actors.sent import on_a_loop
from persistence.artifacts.artifact import Artifact

T = TypeVar("T")


class _OnItsWay(Generic[T]):
    """Between the job and the store."""

    __slots__ = ("_done", "heard")
    call: str

    def __init__(self, done: Future[T]) -> None:
        self._done, self.heard = done, False

    def __await__(self) -> Generator[Any, None, T]:
        """What it becomes; whoever is interrupted here interrupts the transfer."""
        self.heard = True
        return asyncio.wrap_future(self._done).__await__()

    def wait(self) -> T:
        """The same, for sync actors."""
        if not self._done.done() and on_a_loop():
            raise RuntimeError(f"wait() would hold up this loop and every job on it; await what {self.call} returned")
        self.heard = True
        return self._done.result()  # the transfer has deadlines of its own

    def cut_off(self) -> None:
        """Nobody will ask for it."""
        self._done.cancel()


class Saving(_OnItsWay[Artifact]):
    """An artifact on its way into the store."""

    __slots__ = ()
    call = "save_artifact"


class Reading(_OnItsWay[Path]):
    """An artifact on its way out of it, into the attempt's folder; the file has the artifact's name."""

    __slots__ = ()
    call = "read_artifact"
