"""Unpack a body piece by piece, never more than a chunk at a time: a few bytes can stand for gigabytes.

What is cut short is given as far as it goes, as browsers do; whether the bytes on the wire were all there is known by
their length.  Refuses a body that was packed many times over.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

import brotli
import zstandard

from actors.trades.outbound.failures import TooLarge, Unreachable

CHUNK: Final = 256 * 1024  # bytes unpacked at once
MOST_TIMES: Final = 2
KNOWN: Final = "gzip, deflate, br, zstd"
_ZSTD_STEP: Final = 64  # bytes packed: a block of four bytes unpacks to 128 KiB
_ZSTD_WINDOW: Final = 8 * 1024 * 1024  # what every reader of the web must have, and none more
_GZIP: Final = zlib.MAX_WBITS | 16


class Codec(Protocol):
    def feed(self, packed: bytes) -> Iterator[bytes]: ...


class _Zlib:
    """gzip with any number of members, or deflate in either of its two shapes."""

    def __init__(self, bits: int) -> None:
        self._bits, self._head = bits, b""
        self._stream: Any = None

    def feed(self, packed: bytes) -> Iterator[bytes]:
        if self._stream is None:
            packed = self._head = self._head + packed
            if len(packed) < 2:  # by which the two shapes are told apart
                return
            self._stream = zlib.decompressobj(self._shape(packed))
        full = False
        while packed or full:
            if self._stream.eof:
                if self._bits != _GZIP or not packed.startswith(b"\x1f"):
                    return  # what follows the end is nobody's
                self._stream = zlib.decompressobj(self._bits)
            piece = self._stream.decompress(packed, CHUNK)
            packed = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            full = len(piece) == CHUNK
            if piece:
                yield piece

    def _shape(self, head: bytes) -> int:
        """Some servers leave out the two bytes that deflate begins with on the web."""
        bare = head[0] & 0x0F != zlib.DEFLATED or int.from_bytes(head[:2], "big") % 31
        return -self._bits if self._bits == zlib.MAX_WBITS and bare else self._bits


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while not self._stream.is_finished():
            piece = self._stream.process(packed, output_buffer_limit=CHUNK)
            packed = b""
            if piece:
                yield piece
            if self._stream.can_accept_more_data():
                return


class _Zstd:
    """Any number of frames."""

    def __init__(self) -> None:
        self._frames = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._stream = self._frames.decompressobj()

    def feed(self, packed: bytes) -> Iterator[bytes]:
        for begin in range(0, len(packed), _ZSTD_STEP):
            rest = packed[begin : begin + _ZSTD_STEP]
            while rest:
                if self._stream.eof:
                    self._stream = self._frames.decompressobj()
                piece = self._stream.decompress(rest)
                rest = self._stream.unused_data if self._stream.eof else b""
                if piece:
                    yield piece


class Unpacking:
    """A body on its way."""

    def __init__(self, content_encoding: str) -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        known = [codec for name in names if (codec := _codec(name)) is not None]
        if len(known) > MOST_TIMES:
            raise TooLarge(f"a body that is packed {len(known)} times over is not unpacked")
        self._codecs = list(reversed(known))

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """What these bytes unpack to, in chunks; Unreachable if they are not what the headers say."""
        pieces: Iterable[bytes] = (packed,)
        for codec in self._codecs:
            pieces = _through(codec, pieces)
        try:
            yield from pieces
        except (zlib.error, brotli.error, zstandard.ZstdError):
            raise Unreachable("the body is not packed as its Content-Encoding says") from None


def _through(codec: Codec, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from codec.feed(piece)


def _codec(name: str) -> Codec | None:
    """None for what is no packing, or none that we have asked for: it is left as it is."""
    if name in ("gzip", "x-gzip"):
        return _Zlib(_GZIP)
    if name == "deflate":
        return _Zlib(zlib.MAX_WBITS)
    return _Brotli() if name == "br" else _Zstd() if name == "zstd" else None
