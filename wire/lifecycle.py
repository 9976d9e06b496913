"""Start services in order, wait for a signal, stop them in reverse.

A second signal changes nothing: whoever stops is left to finish.  Owns no task of its own, so that nothing here can
swallow the end of one; `lasting` is for those who own one, because a process that is up and has silently stopped half
of its work is worse than one that crashes and is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, Final, Protocol

import structlog

from wire.errors import TopologyMismatch

log = structlog.get_logger()

CANCEL_AGAIN_SECONDS: Final = 1.0  # time enough to tidy up after the first


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


class Together:
    """Services that do not need one another: started in order, stopped at once, so that their waits do not add up."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services

    async def start(self) -> None:
        for service in self._services:
            await service.start()

    async def stop(self) -> None:
        await asyncio.gather(*(service.stop() for service in self._services))


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; signals after the first are harmless."""
    stopped, loop, numbers = asyncio.Event(), asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)  # not in the handler: Python complains of one that came meanwhile
        stopped.set()

    for number in numbers:
        # Not by the loop, which returns a signal to its default for a moment: the second of two SIGTERMs would kill.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    return stopped


async def run_until_stopped(services: Sequence[Service]) -> None:
    """The whole life of a process."""
    stopped = stop_signal()
    async with running(services):
        spare_what_stays()
        await stopped.wait()


def spare_what_stays() -> None:
    """Keep modules and pools out of later garbage collections: to look through them holds the loop for 0.1 s."""
    gc.collect()
    gc.freeze()


async def pause(stopped: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until stopped; says whether it was stopped."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()
    return stopped.is_set()


def lasting(loop: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A task that lasts until its owner stops it; when it ends by an error of ours, the process ends with it."""
    task = asyncio.get_running_loop().create_task(loop, name=name)
    task.add_done_callback(_die_with)
    return task


async def ended(
    loop: asyncio.Task[None] | None, grace_seconds: float, again_seconds: float = CANCEL_AGAIN_SECONDS
) -> None:
    """Return when it has ended: by itself within its grace, or cut off, as a crash would."""
    if loop is None:
        return
    await asyncio.wait([loop], timeout=grace_seconds)
    while not loop.done():
        loop.cancel()  # more than once: what a library makes an error of its own of was a cancel that nobody saw
        await asyncio.wait([loop], timeout=again_seconds)


@contextlib.contextmanager
def stuck_peers_are_lost() -> Iterator[None]:
    """A client library cancels whoever waits for a peer that is stuck; to a task of ours that is a lost connection.

    Unless it is turned into an error, the task ends without one, and nobody notices.
    """
    try:
        yield
    except asyncio.CancelledError as e:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise  # somebody means it
        raise ConnectionError("the peer is stuck") from e


def _die_with(task: asyncio.Task[None]) -> None:
    if task.cancelled() and task.cancelling():
        return  # by its owner
    error = None if task.cancelled() else task.exception()
    if isinstance(error, TopologyMismatch):
        log.critical("topology_mismatch", error=str(error))  # names both profiles and the remedy
        os._exit(os.EX_CONFIG)  # whoever supervises need not start another
    if task.cancelled() or error is not None:
        log.critical("loop_broken", loop=task.get_name(), exc_info=error)
        os._exit(os.EX_SOFTWARE)  # whoever supervises starts another; what was in hand comes again
