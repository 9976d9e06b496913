"""Bytes on their way from the thread that makes them to the loop that stores them, a few pieces at a time.

The thread waits while the store is slow.  Whoever gives up, on either side, is noticed by the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Final

PIECE: Final = 1024 * 1024
PIECES: Final = 2


class Abandoned(Exception):
    """Nobody stores these bytes any more."""


class Handover:
    """A file to write to for a thread, and what an object store reads for the loop on which it was made."""

    def __init__(self) -> None:
        self.size, self._sum = 0, hashlib.sha256()
        self._gathered = bytearray()
        self._pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(PIECES)
        self._loop = asyncio.get_running_loop()
        self._abandoned = False

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def write(self, piece: bytes) -> int:
        """On the thread."""
        self._gathered += piece
        if len(self._gathered) >= PIECE:
            self._flush()
        return len(piece)

    def flush(self) -> None:
        """Pieces have a size of their own."""

    def end(self, error: Exception | None = None) -> None:
        """On the thread: all has been written, or this came in between."""
        with contextlib.suppress(Abandoned):
            if error is None and self._gathered:
                self._flush()
            self._hand(error)

    def abandon(self) -> None:
        """On the loop: let the thread go."""
        self._abandoned = True
        while not self._pieces.empty():
            self._pieces.get_nowait()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def _flush(self) -> None:
        piece = bytes(self._gathered)
        self._gathered.clear()
        self.size += len(piece)
        self._sum.update(piece)
        self._hand(piece)

    def _hand(self, piece: bytes | Exception | None) -> None:
        if self._abandoned:
            raise Abandoned("nobody stores these bytes any more")
        asyncio.run_coroutine_threadsafe(self._pieces.put(piece), self._loop).result()
