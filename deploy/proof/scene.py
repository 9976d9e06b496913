"""Where a trial takes place: one contestant's crew and servers, its producer, and the witness's book.

Faults and trial look and act through it.  Whatever waits here waits on a fact, sees Ctrl-C, keeps the book up to
date and moves the bars.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from deploy.proof.book import Book
from deploy.proof.contestant import Contestant
from deploy.proof.crew import Crew
from deploy.proof.ledger import Kill, Outage
from deploy.proof.producer import Producer
from deploy.provision.errands import Stopped
from deploy.servers.instance import Instance
from deploy.terminal.screen import Screen, bar

LOOK_SECONDS = 0.02
UP_SECONDS = 120.0
RATE_SECONDS = 3.0


class NotInTime(Exception):
    """What was waited for did not come true."""


class Scene:
    def __init__(self, contestant: Contestant, jobs: int, screen: Screen, stop: threading.Event) -> None:
        self.contestant, self.jobs, self.screen = contestant, jobs, screen
        self.crew = Crew(contestant)
        self.book = Book(contestant.witness)
        self.producer = Producer(contestant.producer, contestant.environ, contestant.folder.log("producer"))
        self.kills: list[Kill] = []
        self.outages: list[Outage] = []
        self.purged: set[str] = set()
        self.purged_at = 0.0
        self._stop = stop
        self._pool = ThreadPoolExecutor(1)
        self._rates: deque[tuple[float, int]] = deque()

    @contextmanager
    def standing(self) -> Iterator[Scene]:
        """Up and ready within, all of it gone behind."""
        with ExitStack() as closing:
            closing.callback(self.book.close)
            closing.callback(self._pool.shutdown)
            closing.callback(self.crew.stop, self._stop.is_set)
            closing.callback(self.producer.stop)
            self.crew.start()
            self.until(self.crew.is_up, UP_SECONDS, "the processes are up")
            self.crew.keep()
            yield self

    @property
    def outstanding(self) -> int:
        """Accepted, and not ended; a count, which is looked at fifty times a second."""
        return max(0, len(self.producer.accepted) - len(self.book.ended))

    @property
    def idle(self) -> bool:
        """Nothing is left but what a purge has taken and nobody has found yet."""
        return self.outstanding <= len(self.purged - self.book.ended)

    def workers(self) -> list[int]:
        """Processes that have begun a job and live, the busiest first."""
        known = self.crew.below("workers") & self.book.pids.keys()
        return sorted(known, key=self.book.in_flight, reverse=True)

    def server(self, name: str) -> Instance:
        return next(server for server in self.contestant.servers if server.name == name)

    def meanwhile(self, errand: Callable[[], None]) -> Future[None]:
        return self._pool.submit(errand)

    def until(self, fact: Callable[[], bool], seconds: float, what: str) -> None:
        """Return when it is so; NotInTime otherwise."""
        if not self.within(fact, seconds):
            raise NotInTime(f"after {seconds:.0f} s still not so: {what}")

    def within(self, fact: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in this time."""
        deadline = time.monotonic() + seconds
        while not fact():
            if self._stop.wait(LOOK_SECONDS):
                raise Stopped
            if time.monotonic() > deadline:
                return False
            self.look()
        return True

    def look(self) -> None:
        """Read what is new, and show it."""
        self.book.catch_up()
        if self.producer.asked:
            self.screen.draw(self._bars())

    def _bars(self) -> list[str]:
        accepted, ended = len(self.producer.accepted), len(self.book.ended)
        now = time.monotonic()
        self._rates.append((now, ended))
        while now - self._rates[0][0] > RATE_SECONDS:
            self._rates.popleft()
        since, before = self._rates[0]
        rate = (ended - before) / (now - since) if now > since else 0.0
        return [
            bar("accepted", accepted, self.jobs, f"{accepted - ended:,} not done yet" if accepted > ended else ""),
            bar("done", ended, self.jobs, f"{rate:,.0f}/s"),
        ]
