"""`warren demo`, from the first look to the last line."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from deploy.demo import shown, timetable, watch
from deploy.demo.crew import NoWorker, working
from deploy.demo.deeds import Shop
from deploy.demo.doors import Doors, Places, opened
from deploy.demo.drive import Later, Sent, drive
from deploy.demo.suppliers import HOST, PORT, Suppliers, trading
from deploy.demo.watch import Count
from deploy.terminal.screen import Screen
from wire import logs
from wire.errors import WarrenError

LOOK_SECONDS = 1.0
LINE_SECONDS = 5.0
SETTLE_SECONDS = 45.0  # the longest delay that is submitted, and a few retries
READ_SECONDS = 10.0  # a page and its robots.txt, at the pace of a polite guest
NOT_IN_TIME = "the worker that was started serves nothing yet"


class Demo:
    def __init__(self, rate: float, seconds: float, places: Places, environ: Mapping[str, str]) -> None:
        self._rate, self._seconds, self._places, self._environ = rate, seconds, places, environ
        self._screen, self._sent = Screen(), Sent()
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()
        self._before, self._now = Count(), Count()
        self._began = self._line_due = 0.0

    async def run(self) -> int:
        """0 when jobs were submitted; 1 with a sentence when there was nobody to submit them to."""
        self._listen_to_signals()
        try:
            async with working(self._places, self._environ) as crew:
                self._screen.event("demo", f"{self._places.url}: {crew}")
                await self._submit()
        except (OSError, NoWorker, TimeoutError) as e:
            print(f"warren demo: {self._places.url}: {e or NOT_IN_TIME}", file=sys.stderr)
            return 1
        for text in shown.sum_up(self._sent, self._now):
            self._screen.line(text)
        return 0 if self._sent.jobs else 1

    async def _submit(self) -> None:
        self._before = await watch.count(self._places) or Count()
        self._began = self._screen.seconds
        later = Later()
        async with opened(self._places) as found, trading() as suppliers:
            self._tell_closed_doors()
            doors = await self._with(suppliers, await self._served(found))
            looking = asyncio.create_task(self._keep_looking())
            try:
                await self._trade(doors, later)
                self._screen.event("demo", "nothing more is submitted; what is open may end")
                await self._settle()
            finally:
                looking.cancel()
                await later.forget()
                with suppress(asyncio.CancelledError):
                    await looking

    async def _trade(self, doors: Doors, later: Later) -> None:
        """People and the clock, until the time is over."""
        schedules = await timetable.hang(doors.http, self._seconds)
        try:
            await drive(Shop(doors, later), self._rate, self._seconds, self._stop, self._sent)
        finally:
            await timetable.take_down(doors.http, schedules)

    async def _with(self, suppliers: Suppliers, doors: Doors) -> Doors:
        """The doors, the suppliers among them if the workers may read their pages."""
        try:
            if suppliers.address is None:
                raise OSError(f"port {PORT} is somebody else's")
            crawl = await doors.http.crawl([suppliers.front], max_age=0)
            await doors.http.wait_for_crawl(crawl.id, within=READ_SECONDS)
        except (OSError, WarrenError) as e:
            told = f"WARREN_OUTBOUND_ALLOW={HOST}:{PORT} lets workers read them: {e}"
            self._screen.event("demo", f"the suppliers' pages are left out; {told}")
            return doors
        return replace(doors, suppliers=suppliers)

    async def _served(self, doors: Doors) -> Doors:
        """The doors, with what the workers know; a gateway that is away meanwhile knows of none."""
        try:
            known = await doors.http.job_types()
        except WarrenError:
            return doors
        return replace(doors, served=frozenset(kind.name for kind in known if kind.workers))

    def _tell_closed_doors(self) -> None:
        absent = [("AMQP_URL", self._places.amqp_url), ("DATABASE_URL", self._places.database_url)]
        for name in (name for name, url in absent if not url):
            self._screen.event("demo", f"{name} is not set: that door is left out")

    async def _keep_looking(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        found = await watch.count(self._places)
        if found is not None:
            self._now = found.since(self._before)
        seconds = self._screen.seconds - self._began
        self._screen.draw(shown.bars(seconds, self._seconds, self._sent, self._now))
        if not self._screen.moves and seconds >= self._line_due:
            self._line_due = seconds + LINE_SECONDS
            self._screen.event("jobs", shown.line(seconds, self._sent, self._now))

    async def _settle(self) -> None:
        """Return when none of the demo's jobs is open; not later than the longest of them should take."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._look()
                while self._now.open and not self._hurry.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._hurry.wait(), LOOK_SECONDS)
                    await self._look()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGTERM, self._terminated)

    def _interrupted(self) -> None:
        """Once: submit no more.  Twice: do not wait for what is open either."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _terminated(self) -> None:
        """Whoever sends this does not wait long."""
        self._stop.set()
        self._hurry.set()


async def run(rate: float, seconds: float, environ: Mapping[str, str]) -> int:
    logs.configure("demo", "CRITICAL", "console")  # a store that comes and goes is counted, not told line by line
    return await Demo(rate, seconds, Places.of(environ), environ).run()
