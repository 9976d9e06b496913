"""What Ctrl-C and SIGTERM mean to a supervisor.

The first one asks for a drain.  A second one changes nothing: people press it out of habit, and a service manager
sends it again.  The third Ctrl-C kills, since somebody who presses it three times means it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

KILL_AT = 3


class Interrupts:
    def __init__(self, say: Callable[[str], None]) -> None:
        self.stop = threading.Event()
        self._say = say
        self._presses = 0

    def install(self) -> None:
        signal.signal(signal.SIGINT, self._pressed)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told)

    def kill(self) -> bool:
        return self._presses >= KILL_AT

    def _pressed(self, _number: int, _frame: FrameType | None) -> None:
        self._presses += 1
        self.stop.set()
        remaining = KILL_AT - self._presses
        if remaining > 0:
            times = {1: "once more", 2: "twice more"}[remaining]
            self._say(f"stopping: what runs may finish (Ctrl-C {times} kills)")

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self.stop.set()
