"""Where a body goes as it comes: into memory, or into a file that a job has named.

What goes into a file is written on a thread, some of it at once: a slow disk holds up this job and no other.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, Protocol

BLOCK: Final = 1024 * 1024


class Kept(Protocol):
    """A body so far."""

    size: int

    async def add(self, piece: bytes) -> None: ...

    async def end(self, most: int) -> bytes:
        """All of it that is in memory; not more than so many bytes are kept."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._body, self.size = bytearray(), 0

    async def add(self, piece: bytes) -> None:
        self._body += piece
        self.size += len(piece)

    async def end(self, most: int) -> bytes:
        return bytes(self._body[:most])


class InFile:
    """The file is written anew: what an earlier try has left in it is gone."""

    def __init__(self, path: Path) -> None:
        self._path, self._block, self.size = path, bytearray(), 0
        path.write_bytes(b"")

    async def add(self, piece: bytes) -> None:
        self._block += piece
        self.size += len(piece)
        if len(self._block) >= BLOCK:
            await self._write()

    async def end(self, most: int) -> bytes:
        await self._write()
        if self.size > most:
            with self._path.open("r+b") as file:
                file.truncate(most)
        return b""

    async def _write(self) -> None:
        block, self._block = self._block, bytearray()
        await asyncio.to_thread(_append, self._path, block)


def _append(path: Path, block: bytearray) -> None:
    with path.open("ab") as file:
        file.write(block)


def kept(into: Path | None) -> Kept:
    """A place for one body."""
    return InMemory() if into is None else InFile(into)
