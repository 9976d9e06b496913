"""What a job gives us to keep, as one stream of pieces: measured, hashed, and cut off where it becomes too large.

A plain iterator or a file may block, so its next piece is asked for on a thread, in the context of the job that made
it; an asynchronous one stays on its loop.  What it raises is the job's own error and goes back to the job as it is.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, runtime_checkable

from wire.errors import Refused

PIECE: Final = 1024 * 1024  # that is read of a file at once
QUICK: Final = 256 * 1024  # bytes that are hashed faster than a thread is woken

Buffer = bytes | bytearray | memoryview
Content = Buffer | Path | BinaryIO | Iterable[Buffer] | AsyncIterable[Buffer]


@runtime_checkable
class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Measured:
    """An artifact's bytes on their way; asked for once."""

    def __init__(self, content: Content, most_bytes: int) -> None:
        self._pieces, self._most = pieces(content), most_bytes
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            self.size += len(piece)
            if self.size > self._most:
                raise _too_large(self._most)
            if len(piece) > QUICK:
                await asyncio.to_thread(self._hash.update, piece)
            else:
                self._hash.update(piece)
            yield piece


def pieces(content: Content) -> AsyncIterator[bytes]:
    """The pieces of whatever it is, or Refused."""
    if isinstance(content, Buffer):
        return _whole(bytes(content))
    if isinstance(content, str):
        raise Refused("content", "is text", "save the bytes: text.encode()")
    if isinstance(content, Path):
        return _from_file(content)
    if isinstance(content, AsyncIterable):
        return _from_async(content)
    if isinstance(content, _Readable):
        return _from_threads(iter(lambda: content.read(PIECE), b""))
    if isinstance(content, Iterable):
        return _from_threads(iter(content))
    raise Refused(
        "content", f"is a {type(content).__name__}", "save bytes, a path, a binary file or an iterator of bytes"
    )


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _from_file(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
    finally:
        file.close()


async def _from_async(pieces: AsyncIterable[Buffer]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield _checked(piece)


async def _from_threads(pieces: Iterator[Buffer]) -> AsyncIterator[bytes]:
    surroundings = contextvars.copy_context()
    while (piece := await asyncio.to_thread(surroundings.run, _next, pieces)) is not None:
        yield _checked(piece)


def _next(pieces: Iterator[Buffer]) -> Buffer | None:
    return next(pieces, None)


def _checked(piece: object) -> bytes:
    if not isinstance(piece, Buffer):
        raise Refused("content", f"has a piece that is a {type(piece).__name__}", "yield bytes")
    return bytes(piece)


def _too_large(most: int) -> Refused:
    remedy = "save it in parts, or raise WARREN_MAX_ARTIFACT_BYTES"
    return Refused("content", f"has more than {most} bytes", remedy, code="too_large")
