"""The witness: what the jobs themselves wrote down, one line an event, read beside and before our own tables.

A line is `seconds pid job event`; the events are `started`, `ended` and `interrupted`.  Nothing of Warren writes or
reads the file, so it sees what Warren would not tell of itself: a job that never ran, or that ran twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from pathlib import Path
from typing import NamedTuple


class Event(NamedTuple):
    at: float
    pid: int
    job_id: str
    what: str


class Witness:
    """All that was written since it was made; `look` reads on."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, path.stat().st_size
        self.events: list[Event] = []

    def look(self) -> Witness:
        """Read what has been added; half a line waits for its other half."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        self.events += [parse(line) for line in whole.decode().splitlines()]
        return self

    def starts(self) -> Counter[str]:
        """How often each job was started."""
        return Counter(event.job_id for event in self.events if event.what == "started")

    def ended(self) -> set[str]:
        return {event.job_id for event in self.events if event.what == "ended"}

    def interrupted(self) -> set[str]:
        return {event.job_id for event in self.events if event.what == "interrupted"}

    def ran_twice(self) -> set[str]:
        return {job_id for job_id, times in self.starts().items() if times > 1}

    def begun_by(self, pid: int) -> set[str]:
        """The jobs that this process has started."""
        return {event.job_id for event in self.events if event.pid == pid and event.what == "started"}

    def asleep_in(self, pid: int) -> set[str]:
        """The jobs that this process has started and that have not come to an end."""
        return self.begun_by(pid) - {
            event.job_id for event in self.events if event.pid == pid and event.what == "ended"
        }

    def first_starts(self) -> dict[str, float]:
        """When each job was started for the first time."""
        return {event.job_id: event.at for event in reversed(self.events) if event.what == "started"}

    def stall_after(self, moment: float) -> float:
        """Seconds from this moment to the next start of any job; infinite when there was none."""
        return min((at for at in self._start_times() if at >= moment), default=float("inf")) - moment

    def early(self, due: dict[str, float]) -> set[str]:
        """The jobs that were started before they were due."""
        return {event.job_id for event in self.events if event.what == "started" and event.at < due[event.job_id]}

    def _start_times(self) -> Iterable[float]:
        return (event.at for event in self.events if event.what == "started")


def parse(line: str) -> Event:
    at, pid, job_id, what = line.split()
    return Event(float(at), int(pid), job_id, what)


def worker_pid(name: str) -> int:
    """The process in a worker's name, `host:pid`."""
    return int(name.rpartition(":")[2])


def in_flight(witness: Witness, killed: Iterable[int], recorded: Set[tuple[str, int]]) -> set[str]:
    """The jobs that the killed processes had started, less those whose outcome they had committed.

    `recorded`: a job and the process whose outcome of it stands.
    """
    return {job_id for pid in killed for job_id in witness.begun_by(pid) if (job_id, pid) not in recorded}
