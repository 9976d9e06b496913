"""Kill a real process at a named point, once, without a hook in the product.

`python -m tests.faults.saboteur gateway` wraps the functions of crash_points.py that belong to that process and then
runs the real `python -m gateway`; a worker is entered through a job module (crash_jobs.py).  The wrapped functions do
what they always do, until a test arms a point: then the process that reaches it ends itself with SIGKILL, as the
kernel's out-of-memory killer would end it.

Both halves meet in a folder, by files that bear a point's name.  To strike is to rename one from `armed` to `struck`:
of many processes one strikes, and the one that is started in its place lives.
"""

from __future__ import annotations

import functools
import inspect
import os
import pkgutil
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.faults.crash_points import POINTS, Point

FOLDER: Final = "SABOTAGE"  # the environment's name for it
IDLE: Final = 0  # what a loop's call answers that found nothing to do; it does not count
Function = Callable[..., Any]


class Saboteur:
    """The tests' half: arm a point, see whether it struck."""

    def __init__(self, folder: Path) -> None:
        self._armed, self._struck = places_in(folder)
        for place in (self._armed, self._struck):
            place.mkdir(parents=True)
        self.environment = {FOLDER: str(folder)}

    def arm(self, name: str) -> None:
        assert name in POINTS, f"{name!r} is not a point"
        (self._struck / name).unlink(missing_ok=True)
        (self._armed / name).touch()

    def struck(self, name: str) -> bool:
        return (self._struck / name).exists()

    def victim(self, name: str) -> int | None:
        """The process that was struck there, once it is known."""
        path = self._struck / name
        return int(path.read_text() or 0) or None if path.exists() else None

    def still_armed(self) -> list[str]:
        """What was armed and never reached; it is disarmed."""
        names = sorted(path.name for path in self._armed.iterdir())
        for name in names:
            (self._armed / name).unlink()
        return names


class Trap:
    """One point within a process that is to die there."""

    def __init__(self, name: str, point: Point, folder: Path) -> None:
        self._point, self._calls = point, 0
        self._armed, self._struck = (place / name for place in places_in(folder))

    def before(self, arguments: object) -> None:
        """The real call is about to be made."""
        if self._point.when == "before":
            self._spring(arguments)

    def after(self, arguments: object, answer: object) -> None:
        """It has been made."""
        if self._point.when == "after" and answer != IDLE:
            self._spring(arguments)

    def _spring(self, arguments: object) -> None:
        """Die here, if armed and if this is the call."""
        if not self._armed.exists():
            self._calls = 0
            return
        self._calls += self._point.about in repr(arguments)
        if self._calls < self._point.nth:
            return
        try:
            self._armed.rename(self._struck)
        except FileNotFoundError:  # another process was first
            return
        self._struck.write_text(str(os.getpid()))
        signal.pthread_kill(threading.get_ident(), self._point.by)  # sent to the process, another thread may stop first


def install(process: str) -> None:
    """Wrap the functions of this process's points."""
    folder = Path(os.environ[FOLDER])
    for name, point in POINTS.items():
        if point.process == process:
            holder, attribute = home_of(point)
            setattr(holder, attribute, _trapped(getattr(holder, attribute), Trap(name, point, folder)))


def home_of(point: Point) -> tuple[Any, str]:
    """The module or the class that holds a point's function, and its name there."""
    holder, _, attribute = point.function.rpartition(".")
    return pkgutil.resolve_name(holder), attribute


def places_in(folder: Path) -> tuple[Path, Path]:
    return folder / "armed", folder / "struck"


def _trapped(real: Function, trap: Trap) -> Function:
    if inspect.iscoroutinefunction(real):

        @functools.wraps(real)
        async def call_async(*arguments: Any, **named: Any) -> Any:
            trap.before(arguments)
            answer = await real(*arguments, **named)
            trap.after(arguments, answer)
            return answer

        return call_async

    @functools.wraps(real)
    def call(*arguments: Any, **named: Any) -> Any:
        trap.before(arguments)
        answer = real(*arguments, **named)
        trap.after(arguments, answer)
        return answer

    return call


def main() -> None:
    """The real process, with the points of its name in it."""
    del sys.argv[0]
    install(sys.argv[0])
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
