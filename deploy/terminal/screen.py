"""What is seen while the proof or the demo runs: lines that stay, and below them two bars that move.

In a terminal the bars are drawn over and over in place; where the output is a file or a pipe there are only the lines.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TextIO

REDRAW_SECONDS = 0.2
BAR = 30
FULL, EMPTY = "█", "·"
ERASE_BELOW, UP = "\x1b[J", "\x1b[{}A"


class Screen:
    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self.moves = out.isatty()
        self._began = time.monotonic()
        self._drawn = 0
        self._due = 0.0
        self._now = ""
        self._lock = threading.Lock()  # two servers come up at once and both tell

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def line(self, text: str = "") -> None:
        """A line that stays."""
        with self._lock:
            self._clear()
            print(text, file=self._out, flush=True)

    def event(self, name: str, text: str, at: float | None = None) -> None:
        """A line with its time on the proof's clock."""
        self.line(f"{self.seconds if at is None else at:7.1f} s  {name:<24}{text}")

    def step(self, name: str, text: str) -> None:
        """A step of the set-up: it stays where nothing can be drawn over."""
        if self.moves:
            self.now(f"{name}: {text}")
        else:
            self.event(name, text)

    def now(self, text: str) -> None:
        """What is happening; drawn over by what comes next."""
        self._now = f"{self.seconds:7.1f} s  {text}" if text else ""
        self.draw([], force=True)

    def draw(self, bars: list[str], *, force: bool = False) -> None:
        """Show these below all lines."""
        if not self.moves or (time.monotonic() < self._due and not force):
            return
        with self._lock:
            width = shutil.get_terminal_size().columns - 1
            shown = [text[:width] for text in (*bars, self._now) if text]
            self._clear()
            print("\n".join(shown), file=self._out, flush=True)
            self._drawn = len(shown) or 1
            self._due = time.monotonic() + REDRAW_SECONDS

    def _clear(self) -> None:
        if self._drawn:
            self._out.write(UP.format(self._drawn) + "\r" + ERASE_BELOW)
            self._drawn = 0


def bar(name: str, count: int, total: int, text: str = "") -> str:
    full = round(BAR * min(count, total) / total) if total else 0
    return f"  {name:<9} {FULL * full}{EMPTY * (BAR - full)} {count:>7,} of {total:,}  {text}".rstrip()
