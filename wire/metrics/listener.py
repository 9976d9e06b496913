"""Serve a process's figures and its sign of life over HTTP, on a port of its own.

A port apart from the API's, the same way for every role: who scrapes needs no key, and a key for the API opens no
figures.  It is for machines, on the loopback interface unless told otherwise, and knows two paths:

    /metrics        the figures, as Prometheus reads them
    /health/live    200, or 503 with a sentence: what the sign of life in wire/alive.py says too

The work never waits for it: a port that is taken is told in the log and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import structlog

from wire.alive import Trouble
from wire.lifecycle import ended, pause
from wire.metrics import exposition, upkeep
from wire.metrics.kinds import Role
from wire.metrics.snapshot import Snapshot, of_role, summed
from wire.metrics.upkeep import Lag
from wire.settings import Metrics

log = structlog.get_logger()

AGAIN_SECONDS: Final = 5.0  # to a port that is taken; perhaps by this process's own predecessor
REQUEST_SECONDS: Final = 5.0  # for a whole request and its answer
LONGEST_REQUEST: Final = 16_384
PLAIN: Final = "text/plain; charset=utf-8"

Look = Callable[[], None]


class Answer(NamedTuple):
    status: str
    kind: str
    body: str


class Exposed:
    """The figures of one role on this host; with no port there is none, and nothing is looked at."""

    def __init__(
        self,
        settings: Metrics,
        role: Role,
        *,
        looks: Sequence[Look] = (),
        gather: Callable[[], Awaitable[None]] | None = None,
        others: Callable[[], list[Snapshot]] = list,
        trouble: Trouble = lambda: None,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._settings, self._role, self._trouble = settings, role, trouble
        self._looks, self._gather, self._others = looks, gather, others
        self._again_seconds = again_seconds
        self._stopped = asyncio.Event()
        self._lag = Lag()
        self._server: asyncio.Server | None = None
        self._binding: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._settings.metrics_port:
            await self._lag.start()
            self._binding = asyncio.create_task(self._listen(), name="metrics")

    async def stop(self) -> None:
        self._stopped.set()
        await ended(self._binding, 0.1)
        await self._lag.stop()
        server, self._server = self._server, None
        if server:
            server.close()  # who is being answered is cut off: the next scrape goes elsewhere, or nowhere

    async def text(self) -> str:
        """What is scraped."""
        for look in (upkeep.look_at_process, upkeep.look_at_host, *self._looks):
            look()
        if self._gather:
            await self._gather()
        return exposition.text(summed([of_role(self._role), *self._others()]))

    async def _listen(self) -> None:
        host, port = self._settings.metrics_host, self._settings.metrics_port
        told = False
        while not self._stopped.is_set():
            try:
                self._server = await asyncio.start_server(self._meet, host, port, limit=LONGEST_REQUEST)
            except OSError as e:
                if not told:
                    log.error("metrics_not_served", host=host, port=port, error=str(e))
                told = True
                await pause(self._stopped, self._again_seconds)
            else:
                log.info("metrics_served", host=host, port=port)
                return

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                method, _, rest = head.partition(b" ")
                writer.write(_written(await self._answer(rest.split(b" ")[0].partition(b"?")[0]), method))
                await writer.drain()
        writer.close()

    async def _answer(self, path: bytes) -> Answer:
        if path == b"/metrics":
            return Answer("200 OK", exposition.CONTENT_TYPE, await self.text())
        if path == b"/health/live":
            trouble = self._trouble()
            return Answer("503 Service Unavailable" if trouble else "200 OK", PLAIN, f"{trouble or 'all is well'}\n")
        return Answer("404 Not Found", PLAIN, "there are /metrics and /health/live\n")


def _written(answer: Answer, method: bytes) -> bytes:
    if method not in (b"GET", b"HEAD"):
        answer = Answer("405 Method Not Allowed", PLAIN, "use GET\n")
    body = answer.body.encode()
    head = (
        f"HTTP/1.1 {answer.status}\r\nContent-Type: {answer.kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == b"HEAD" else body)
