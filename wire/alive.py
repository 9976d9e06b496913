"""A sign of life in a file, for health checks of containers: written by what works, read by `python -m wire.alive`.

Each process has a file of its own in one folder (WARREN_ALIVE_FOLDER; in an image /tmp/warren), rewritten every two
seconds by the loop that does the work.  So a loop that stands still, a process that is frozen and one that is gone all
look alike: the file grows old.  What turns but does not do its work (a worker that does not consume, a round that never
ends) writes what is wrong instead.  Nobody is asked over the network: an outage of a store is told only where it keeps
a process from its work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

EVERY_SECONDS: Final = 2.0
OLD_SECONDS: Final = 20.0  # longer than a busy machine keeps a loop from its turn
PATIENCE_SECONDS: Final = 60.0  # with work that does not come to its end: longer than a restart of either store

Trouble = Callable[[], str | None]


class Sign:
    """The file of this process; with no folder there is none."""

    def __init__(self, folder: str, role: str) -> None:
        self._file = Path(folder) / f"{role}-{os.getpid()}" if folder else None

    def write(self, trouble: str | None) -> None:
        """All is well, or this is wrong."""
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk: the file grows old, and that tells it
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(trouble or "")
            fresh.replace(self._file)

    def remove(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink()


class Alive:
    """Writes the sign from the loop on which the services of this process run."""

    def __init__(self, folder: str, role: str, trouble: Trouble) -> None:
        self._sign, self._trouble = Sign(folder, role), trouble
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="alive")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
        self._sign.remove()

    async def _work(self) -> None:
        while True:
            self._sign.write(self._trouble())
            await asyncio.sleep(EVERY_SECONDS)


def unless(well: Callable[[], bool], told: Callable[[], str]) -> Trouble:
    """What is told once it has not been well for longer than anybody has patience."""
    last = time.monotonic()

    def trouble() -> str | None:
        nonlocal last
        if well():
            last = time.monotonic()
        return told() if time.monotonic() - last > PATIENCE_SECONDS else None

    return trouble


def first_of(troubles: Sequence[Trouble]) -> Trouble:
    return lambda: next(filter(None, (trouble() for trouble in troubles)), None)


def wrong(folder: Path, role: str) -> str | None:
    """What is wrong with the processes of this role; None if there are some and nothing is."""
    signs = [sign for sign in folder.glob(f"{role}-*") if sign.suffix != ".new" and _lives(sign)]
    if not signs:
        return f"no {role} lives"
    return "; ".join(filter(None, map(_told, signs))) or None


def _lives(sign: Path) -> bool:
    """Whether its process is there, frozen or not; what one has left behind that was killed says nothing."""
    try:
        os.kill(int(sign.name.rpartition("-")[2]), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True


def _told(sign: Path) -> str:
    try:
        age, trouble = time.time() - sign.stat().st_mtime, sign.read_text()
    except FileNotFoundError:  # it has just ended
        return ""
    if age > OLD_SECONDS:
        return f"{sign.name} has stood still for {age:.0f} s"
    return f"{sign.name} {trouble}" if trouble else ""


def main(words: Sequence[str]) -> int:
    """0 if all is well, 1 with a sentence if it is not."""
    if len(words) != 2:
        print("usage: python -m wire.alive FOLDER recorder|scheduler|worker", file=sys.stderr)  # noqa: T201
        return 2
    told = wrong(Path(words[0]), words[1])
    print(told or "all is well")  # noqa: T201 - what `docker inspect` shows
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
