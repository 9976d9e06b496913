"""A source that begins just when its job is cancelled is a program that nobody would end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from actors.trades.backups.make import begun


class Began:
    """A source that takes its time to begin."""

    extension, left = "x", list[str]()

    def __init__(self, on_its_way: asyncio.Event, may_begin: threading.Event) -> None:
        self._loop, self._on_its_way, self._may_begin = asyncio.get_running_loop(), on_its_way, may_begin
        self.closed = False

    def begin(self) -> Began:
        self._loop.call_soon_threadsafe(self._on_its_way.set)
        assert self._may_begin.wait(60)
        return self

    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError("nobody reads it")

    def finish(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None:
        self.closed = True


async def test_who_is_cancelled_while_it_begins_closes_it() -> None:
    on_its_way, may_begin = asyncio.Event(), threading.Event()
    source = Began(on_its_way, may_begin)
    waiting = asyncio.create_task(begun(source.begin))
    await on_its_way.wait()
    waiting.cancel()
    asyncio.get_running_loop().call_soon(may_begin.set)

    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert source.closed
