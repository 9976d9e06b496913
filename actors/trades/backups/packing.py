"""Pack a backup: zstd, then age.  Both are formats that other tools open.

Runs on a thread of its own, which is where the work is: a few hundred megabytes a second of compression, and half as
many of encryption.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, Protocol

from actors.ends import PermanentError

LEVEL: Final = 3  # of zstd: the next ones take twice the time for a few per cent
PIECE: Final = 128 * 1024


class Source(Protocol):
    """What is backed up, as it is read; `finish` says whether all of it was there."""

    extension: str
    left: list[str]  # what could not be read as it was; known when it has finished

    def read(self, size: int = -1, /) -> bytes: ...
    def finish(self) -> None: ...
    def stop(self) -> None: ...  # from another thread: whoever reads comes to an end
    def close(self) -> None: ...


class Sink(Protocol):
    def write(self, piece: bytes, /) -> int: ...


class Measured:
    """A source, and what has been read of it."""

    def __init__(self, source: Source, told: Callable[[int], None]) -> None:
        self._source, self._told, self._sum = source, told, hashlib.sha256()
        self.size = 0
        self.error: Exception | None = None

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._source.read(size)
        except Exception as e:
            self.error = e  # the library that encrypts keeps its words only
            raise
        self._sum.update(piece)
        self.size += len(piece)
        self._told(self.size)
        return piece


def pack(source: Source, sink: Sink, key: str, told: Callable[[int], None], *, compression: bool) -> Measured:
    """Read all of it and write it packed; without a key as it is."""
    import zstandard  # noqa: PLC0415 - a worker is light until it packs

    measured = Measured(source, told)
    packed: Any = measured
    if compression:
        packed = zstandard.ZstdCompressor(LEVEL, write_checksum=True).stream_reader(packed, read_size=PIECE)
    try:
        if key:
            _encrypt(packed, sink, key)
        else:
            while piece := packed.read(PIECE):
                sink.write(piece)
    except Exception:
        if measured.error:
            raise measured.error from None
        raise
    source.finish()
    return measured


def recipient(key: str) -> Any:
    """The public key, of which the secret one may have been given; PermanentError if it is none."""
    import pyrage  # noqa: PLC0415

    try:
        if key.startswith("age1"):
            return pyrage.x25519.Recipient.from_str(key)
        return pyrage.x25519.Identity.from_str(key).to_public()
    except (pyrage.IdentityError, pyrage.RecipientError):
        raise PermanentError("WARREN_BACKUP_KEY is no key of age: a character of it is wrong") from None


def _encrypt(packed: Any, sink: Sink, key: str) -> None:
    import pyrage  # noqa: PLC0415

    pyrage.encrypt_io(packed, sink, [recipient(key)])
