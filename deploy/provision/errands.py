"""Run an errand: a child that ends by itself, such as pip, apt or a migration.

What it prints goes to one log; the last lines come back when it fails, so the terminal shows progress and
not a flood.  `stop()` ends what runs, except where a half-done errand would leave the machine worse than a done one.
"""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from deploy.servers.instance import last_lines


class ErrandFailed(Exception):
    pass


class Stopped(Exception):
    """Somebody asked to stop before the errand was done."""


class Errands:
    def __init__(self, log: Path) -> None:
        self._log = log
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = threading.Event()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self, words: list[str], *, environ: dict[str, str] | None = None, must_end: bool = False) -> None:
        """Wait for it; with `must_end` it is left to finish even when everything else stops."""
        if self.stopping:
            raise Stopped
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            log.write(f"$ {' '.join(words)}\n".encode())
            log.flush()
            child = subprocess.Popen(words, env=environ, stdin=None, stdout=log, stderr=subprocess.STDOUT)
            code = self._wait(child, must_end)
        if self.stopping:
            raise Stopped
        if code:
            raise ErrandFailed(f"`{' '.join(words[:6])}…` ended with {code}:\n{last_lines(self._log, 12)}")

    def stop(self) -> None:
        self._stopping.set()
        for child in list(self._running):
            child.terminate()

    def _wait(self, child: subprocess.Popen[bytes], must_end: bool) -> int:
        if must_end:
            return child.wait()
        self._running.add(child)
        try:
            return child.wait()
        finally:
            self._running.discard(child)
