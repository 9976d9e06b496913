"""The one who submits: a process of its own, told how many more jobs are wanted, answering with the accepted ids.

It reads `N` lines ("so many more") and writes `a ID` when a job was accepted, `r` when one had to be sent again, and
`x WORDS` for an answer that nobody should get.  What it has been answered is all that counts as accepted.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

ACCEPTED, AGAIN, ODD = "a", "r", "x"


class Producer:
    def __init__(self, words: list[str], environ: Mapping[str, str], log: Path) -> None:
        self.accepted: dict[str, float] = {}
        self.sent_again = 0
        self.odd: Counter[str] = Counter()
        self.asked = 0
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                words,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, name="producer", daemon=True)
        self._reader.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(self, jobs: int) -> None:
        """Submit so many more, as fast as they are taken."""
        assert self._process.stdin is not None
        self.asked += jobs
        self._process.stdin.write(f"{jobs}\n".encode())
        self._process.stdin.flush()

    def stop(self) -> None:
        if self.running:
            self._process.kill()
        self._process.wait()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.decode().strip().partition(" ")
            if word == ACCEPTED:
                self.accepted[rest] = time.monotonic()
            elif word == AGAIN:
                self.sent_again += 1
            elif word == ODD:
                self.odd[rest] += 1
