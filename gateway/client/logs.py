"""What a client does with the lines that a job logs: read the last ones, or follow them until the job has ended.

Who follows is never told a line twice and misses none: a stream that was cut off is asked for again behind the last
event that was read.  The connection's own silence is no end; the gateway says something every fifteen seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Final, NamedTuple
from uuid import UUID

import httpx
import msgspec

from gateway.client.link import Link, NotNow, path_of
from gateway.client.replies import LogLine, LogLines
from wire.errors import Unavailable
from wire.rabbitmq.backoff import waits

JOBS: Final = "/api/v1/jobs"
SILENT_SECONDS: Final = 45.0  # three of the gateway's beats


class Event(NamedTuple):
    """A server-sent event; without a name it is only a sign of life."""

    id: bytes = b""
    name: bytes = b""
    said: bytes = b""


class LogCalls:
    """The calls of a client that are about logs."""

    _link: Link
    _patience: float

    async def logs(
        self, job_id: UUID | str, *, attempt: int | None = None, limit: int | None = None
    ) -> tuple[LogLine, ...]:
        """The last lines that the job has logged, oldest first."""
        said = {"attempt": attempt, "limit": limit}
        body, _ = await self._link.ask("GET", f"{path_of(JOBS, job_id)}/logs", None, said)
        return msgspec.json.decode(body, type=LogLines).items

    async def follow_logs(
        self, job_id: UUID | str, *, attempt: int | None = None, limit: int | None = None
    ) -> AsyncGenerator[LogLine, None]:
        """The last lines that there are, then each that comes, until the job has ended or is deleted.

        Unavailable when the gateway has said nothing for the client's patience.
        """
        said = {"attempt": attempt, "limit": limit, "follow": True}
        told = _events(self._link, f"{path_of(JOBS, job_id)}/logs", said, self._patience)
        async with contextlib.aclosing(told) as events:
            async for event in events:
                if event.name == b"end":
                    return
                if event.name == b"line":
                    yield msgspec.json.decode(event.said, type=LogLine)


async def _events(
    link: Link, path: str, said: Mapping[str, object], patience_seconds: float
) -> AsyncGenerator[Event, None]:
    """All that come, over as many connections as it takes."""
    last, delays, deadline = b"", waits(), time.monotonic() + patience_seconds
    while True:
        pause, why = next(delays), f"{link.url} ends the stream"
        seen = {"Last-Event-ID": last.decode()} if last else {}
        try:
            async with link.stream(path, said, seen, SILENT_SECONDS) as answer:
                if answer.status_code == httpx.codes.NO_CONTENT:
                    return  # the end had been read before
                async for event in _read(answer):
                    delays, deadline, last = waits(), time.monotonic() + patience_seconds, event.id or last
                    yield event
        except (httpx.TransportError, TimeoutError) as e:
            why = f"{link.url} cannot be reached: {type(e).__name__} {e}".rstrip()
        except NotNow as e:
            why, pause = str(e), max(pause, e.after_seconds)
        if time.monotonic() + pause >= deadline:
            raise Unavailable(why)
        await asyncio.sleep(pause)


async def _read(answer: httpx.Response) -> AsyncIterator[Event]:
    """Cut at line feeds only: a line of a log may hold any other separator."""
    rest, seen = b"", dict[bytes, bytes]()
    async for chunk in answer.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            name, _, value = line.partition(b": ")
            if line.startswith(b":"):
                yield Event()
            elif line:
                seen[name] = value
            else:
                if b"data" in seen:
                    yield Event(seen.get(b"id", b""), seen.get(b"event", b""), seen[b"data"])
                seen = {}
