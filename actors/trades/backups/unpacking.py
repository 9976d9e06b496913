"""Open a packed backup, whose bytes come from a store: age, then zstd, into whatever takes the content.

Every sum is made again on the way.  What was cut, changed or added to is refused; a sink has taken a part of it by
then, so it must not count before this returns.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final

from actors.trades.backups.manifest import Manifest
from actors.trades.backups.packing import Sink
from wire.errors import Refused

PIECE: Final = 128 * 1024


class Coming:
    """A file to read from for a thread; its bytes come from the loop."""

    def __init__(self, pieces: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._pieces, self._loop = pieces, loop
        self._rest = memoryview(b"")
        self.size, self._sum = 0, hashlib.sha256()
        self.error: BaseException | None = None

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = memoryview(self._next())
        piece = bytes(self._rest[: size if size > 0 else len(self._rest)])
        self._rest = self._rest[len(piece) :]
        return piece

    def _next(self) -> bytes:
        try:
            piece = asyncio.run_coroutine_threadsafe(anext(self._pieces, b""), self._loop).result()
        except BaseException as e:
            self.error = e
            raise
        self._sum.update(piece)
        self.size += len(piece)
        return piece


class Checked:
    """A sink that takes no more than was promised, and knows what it took."""

    def __init__(self, sink: Sink | None, most: int) -> None:
        self._sink, self._most = sink, most
        self.size, self._sum = 0, hashlib.sha256()
        self.error: Exception | None = None

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def write(self, piece: bytes) -> int:
        try:
            self._take(piece)
        except Exception as e:
            self.error = e
            raise
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def _take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._most:
            raise Refused("backup", f"opens to more than the {self._most} bytes that its manifest tells of")
        self._sum.update(piece)
        if self._sink:
            self._sink.write(piece)


def unpack(coming: Coming, manifest: Manifest, key: str, sink: Sink | None) -> None:
    """Return when all of it has been written and every sum is right; Refused otherwise."""
    checked = Checked(sink, manifest.content_bytes)
    try:
        _open(coming, checked, manifest, key)
    except Refused:
        raise
    except Exception as e:  # noqa: BLE001 - whatever two libraries make of bytes that are not theirs
        if error := checked.error or coming.error:
            raise error from None
        raise Refused("backup", f"cannot be opened: {str(e) or type(e).__name__}") from None
    while coming.read(PIECE):  # what was added behind its end
        continue
    _equal("bytes", manifest.size_bytes, coming.size)
    _equal("sum", manifest.sha256, coming.sha256)
    _equal("bytes within", manifest.content_bytes, checked.size)
    _equal("sum within", manifest.content_sha256, checked.sha256)


def _open(coming: Coming, checked: Checked, manifest: Manifest, key: str) -> None:
    sink: Any = checked
    if manifest.compression:
        import zstandard  # noqa: PLC0415

        sink = zstandard.ZstdDecompressor().stream_writer(sink, closefd=False)
    if manifest.encryption:
        import pyrage  # noqa: PLC0415

        pyrage.decrypt_io(coming, sink, [_identity(key)])
    else:
        while piece := coming.read(PIECE):
            sink.write(piece)


def _identity(key: str) -> Any:
    import pyrage  # noqa: PLC0415

    if key.startswith("age1") or not key:
        raise Refused("WARREN_BACKUP_KEY", "is not the secret key that opens this backup", "set it: AGE-SECRET-KEY-1…")
    return pyrage.x25519.Identity.from_str(key)


def _equal(what: str, told: object, found: object) -> None:
    if told != found:
        raise Refused("backup", f"is not what was written: its {what} should be {told}, and found is {found}")
