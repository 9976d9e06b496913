"""A supervisor and its children: each child tells its figures over a socket, and the supervisor adds them up.

With them it tells what is wrong with it, if anything is.  What a child counted is told every second and when it ends;
what it had counted by then stays in the sum however it ended, and what stood in it (its slots, its memory) goes with
its connection.  A child that is killed takes with it what it counted since it last told: at most a second of figures,
never of jobs.  No file outlives anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from wire.alive import OLD_SECONDS, Trouble
from wire.metrics import upkeep
from wire.metrics.kinds import Role
from wire.metrics.listener import Look
from wire.metrics.snapshot import Snapshot, decode, encode, of_role, summed, without_gauges
from wire.metrics.upkeep import Lag

log = structlog.get_logger()

EVERY_SECONDS: Final = 1.0
LAST_SECONDS: Final = 1.0  # for what lies in the socket of a child that has ended
LARGEST: Final = 16 * 1024 * 1024  # of one telling: a hundred thousand series
_SIZE: Final = struct.Struct(">I")


class Telling:
    """In the child: tell the figures of this process, for as long as there is somebody who listens."""

    def __init__(self, socket: str, role: Role, looks: Sequence[Look], trouble: Trouble = lambda: None) -> None:
        self._socket, self._role, self._looks, self._trouble = socket, role, looks, trouble
        self._lag = Lag()
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        if self._socket:
            await self._lag.start()
            self._task = asyncio.create_task(self._work(), name="telling")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
            await self._tell()  # what was counted while it drained
            await self._lag.stop()
        if self._writer:
            await _close(self._writer)

    def last_words(self) -> None:
        """Tell once more, from another thread: this one's loop stands still, and the process is about to be ended."""
        writer = self._writer
        if writer is None or writer.is_closing() or writer.transport.get_write_buffer_size():
            return  # half a frame is on its way, and nobody will write the other half
        own = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
        with own, contextlib.suppress(OSError, RuntimeError):  # a figure may be new in this very moment
            own.settimeout(EVERY_SECONDS)
            own.sendall(self._frames())

    async def _work(self) -> None:
        while True:
            await self._tell()
            await asyncio.sleep(EVERY_SECONDS)

    async def _tell(self) -> None:
        for look in (upkeep.look_at_process, *self._looks):
            look()
        with contextlib.suppress(OSError):  # the supervisor is about to listen, very busy, or gone
            async with asyncio.timeout(EVERY_SECONDS):
                if self._writer is None:
                    _, self._writer = await asyncio.open_unix_connection(self._socket)
                # never a second connection: what was told by the first would count twice
                if not (self._writer.is_closing() or self._writer.transport.get_write_buffer_size()):
                    self._writer.write(self._frames())
                    await self._writer.drain()

    def _frames(self) -> bytes:
        frames = encode(of_role(self._role)), (self._trouble() or "").encode()
        return b"".join(_SIZE.pack(len(frame)) + frame for frame in frames)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = _SIZE.unpack(await reader.readexactly(_SIZE.size))[0]
    if size > LARGEST:
        raise ConnectionError("this is no child of ours")
    return await reader.readexactly(size)


def _session_of(writer: asyncio.StreamWriter) -> int:
    """Of the process that has connected, by the kernel's word; 0 where it tells none."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    credentials = struct.Struct("3i")
    told = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(credentials.unpack(told)[0])
    return 0


class _Child:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer, self.last = writer, Snapshot()
        self.session, self.over = _session_of(writer), asyncio.Event()
        self.heard_at, self.trouble = time.monotonic(), ""


class Gathering:
    """In the supervisor: the children's socket and the sum of what they told."""

    def __init__(self, *, listens: bool) -> None:
        self._listens = listens
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._server: asyncio.Server | None = None
        self._children: set[_Child] = set()
        self._departed: Snapshot = {}

    @property
    def socket(self) -> str:
        """Where a child tells; empty while nobody listens."""
        return str(Path(self._folder.name) / "figures") if self._folder else ""

    async def start(self) -> None:
        if self._listens:
            self._folder = tempfile.TemporaryDirectory(prefix="warren-")  # for this user alone
            self._server = await asyncio.start_unix_server(self._listen, self.socket)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()
        for child in list(self._children):
            await _close(child.writer)
        folder, self._folder = self._folder, None
        if folder:
            folder.cleanup()

    async def departed(self, session: int) -> None:
        """The leader of that session has ended: its figures end with it, whoever still holds its connection.

        A process that it has forked, and that has left its session, may hold it for ever.  What it had told is read
        first: without such a one that is all there is to wait for.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                for child in [one for one in self._children if one.session == session]:
                    await child.over.wait()
        for child in [one for one in self._children if one.session == session]:
            child.writer.close()

    def snapshots(self) -> list[Snapshot]:
        """Of those that live, and what is left of those that have ended."""
        return [self._departed, *(child.last for child in self._children)]

    def trouble(self) -> str | None:
        """Of any child; one whose loop stands still tells nothing."""
        now = time.monotonic()
        silent = max((now - child.heard_at for child in self._children), default=0.0)
        if silent > OLD_SECONDS:
            return f"a worker process has told nothing for {silent:.0f} s"
        return next((f"a worker process {child.trouble}" for child in self._children if child.trouble), None)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        child = _Child(writer)
        self._children.add(child)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    child.last = decode(await _frame(reader))
                    child.trouble, child.heard_at = (await _frame(reader)).decode(), time.monotonic()
        finally:
            self._children.discard(child)
            self._departed = summed([self._departed, without_gauges(child.last)])
            child.over.set()
            writer.close()
