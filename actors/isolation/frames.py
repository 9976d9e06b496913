"""Messages on a socket between a worker and a process of its own: the size, then so many bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec

HEAD: Final = struct.Struct("!I")  # the size of what follows
MOST_BYTES: Final = 512 * 1024 * 1024
PIECE: Final = 1 << 20

_encode = msgspec.msgpack.Encoder().encode


def framed(message: msgspec.Struct) -> bytes:
    """The bytes of one message; ValueError if there are too many."""
    body = _encode(message)
    if len(body) > MOST_BYTES:
        raise ValueError(f"a message of {len(body)} bytes; at most {MOST_BYTES} go between two processes")
    return HEAD.pack(len(body)) + body


def received(peer: socket.socket) -> bytes:
    """The next message; none if the other side hung up."""
    head = _exactly(peer, HEAD.size)
    return _exactly(peer, HEAD.unpack(head)[0]) if head else b""


def _exactly(peer: socket.socket, size: int) -> bytes:
    """So many bytes; none if the other side hung up."""
    got = bytearray()
    while len(got) < size:
        piece = peer.recv(min(size - len(got), PIECE))
        if not piece:
            return b""
        got += piece
    return bytes(got)


class Frames(asyncio.Protocol):
    """The same on a loop: each message is handed over as it comes, in order."""

    def __init__(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._heard, self._lost = heard, lost
        self._got = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        start = 0
        while len(self._got) - start >= HEAD.size:
            (size,) = HEAD.unpack_from(self._got, start)
            if size > MOST_BYTES:
                raise ValueError(f"a message of {size} bytes")  # of a process that is out of its mind: it is hung up on
            end = start + HEAD.size + size
            if len(self._got) < end:
                break
            body, start = bytes(memoryview(self._got)[start + HEAD.size : end]), end
            self._heard(body)
        del self._got[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def say(self, message: msgspec.Struct) -> None:
        """Send it; what is said to a process that is gone is lost with it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(framed(message))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
