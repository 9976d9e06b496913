"""Start services in order, wait for a signal, stop them in reverse.

A second signal changes nothing: whoever stops is left to finish.  Owns no task of its own, so that nothing here can
swallow the end of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class Service(Protocol):
    """Something with a life: started once, stopped as often as one likes."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@contextlib.asynccontextmanager
async def running(services: Sequence[Service]) -> AsyncIterator[None]:
    """All of these, started in order; stopped in reverse, also when one fails to start."""
    async with contextlib.AsyncExitStack() as stack:
        for service in services:
            stack.push_async_callback(service.stop)  # before start: half a start must be undone too
            await service.start()
        yield


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; signals after the first are harmless."""
    stopped, loop, numbers = asyncio.Event(), asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)  # or one that comes after the loop has closed would kill
        stopped.set()

    for number in numbers:
        loop.add_signal_handler(number, stop)
    return stopped


async def run_until_stopped(services: Sequence[Service]) -> None:
    """The whole life of a process."""
    stopped = stop_signal()
    async with running(services):
        await stopped.wait()


async def pause(stopped: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until stopped; says whether it was stopped."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()
    return stopped.is_set()
