"""Read an answer, as far as it may go: headers, then the body, unpacked as it comes.

Gives way to other jobs between chunks, for a whole body can lie in the connection's buffer already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpcore
import httpx

from actors.trades.outbound.decode import Unpacking
from actors.trades.outbound.failures import TooLarge, Unreachable
from actors.trades.outbound.kept import kept
from actors.trades.outbound.line import LISTED

MOST_HEADER_BYTES: Final = 64 * 1024
LED: Final = frozenset({301, 302, 303, 307, 308})
MOST_DRAINED: Final = 64 * 1024  # of what comes with a redirect
PIECES: Final = 32  # that are taken before others have their turn


@dataclass(frozen=True, slots=True)
class Room:
    """How much may come, and whether what is beyond it is left off instead of refused."""

    most_bytes: int
    cut: bool = False
    into: Path | None = None  # a file that it goes to instead of memory


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one hop."""

    status: int
    headers: httpx.Headers
    body: bytes
    leads_to: str | None
    listed: bool  # whether only the allow-list made it possible
    version: str = "1.1"
    wired_bytes: int = 0
    whole: bool = True  # whether its connection can serve another


async def answered(response: httpcore.Response, method: str, place: str, room: Room) -> Answer:
    """The answer to a request of this method; what a redirect has to say beside where it leads is not kept."""
    headers, status = httpx.Headers(response.headers), response.status
    if sum(len(name) + len(value) for name, value in response.headers) > MOST_HEADER_BYTES:
        raise TooLarge(f"{place} answered with more than {MOST_HEADER_BYTES} bytes of headers")
    if status < 200:
        raise Unreachable(f"{place} wants to speak another protocol")
    listed = bool(response.extensions["network_stream"].get_extra_info(LISTED))
    version = bytes(response.extensions["http_version"]).decode("ascii").removeprefix("HTTP/")
    location = headers.get("location", "").strip() if status in LED else ""
    if location:
        whole = await _drained(response)
        return Answer(status, headers, b"", location.replace(" ", "%20"), listed, version, whole=whole)
    if method != "HEAD" and not room.cut:
        _announced(headers.get("content-length", ""), place, room.most_bytes)
    body, wired, whole = await _body(response, headers.get("content-encoding", ""), place, room)
    return Answer(status, headers, body, None, listed, version, wired, whole)


async def _drained(response: httpcore.Response) -> bool:
    """Whether there was little enough to keep the connection."""
    assert isinstance(response.stream, AsyncIterable)
    left = MOST_DRAINED
    async for piece in response.stream:
        left -= len(piece)
        if left < 0:
            return False
    return True


def _announced(length: str, place: str, most: int) -> None:
    if length.isascii() and length.isdigit() and int(length[:20]) > most:
        raise TooLarge(f"{place} announces {length[:20]} bytes; at most {most} are taken{_REMEDY}")


async def _body(response: httpcore.Response, encoding: str, place: str, room: Room) -> tuple[bytes, int, bool]:
    """The body, how many bytes came for it, and whether these were all."""
    unpacking, body, wired, pieces = Unpacking(encoding), kept(room.into), 0, 0
    assert isinstance(response.stream, AsyncIterable)
    async for packed in response.stream:
        wired += len(packed)
        for piece in unpacking.feed(packed):
            await body.add(piece)
            if body.size > room.most_bytes:
                if room.cut:
                    return await body.end(room.most_bytes), wired, False
                raise TooLarge(f"{place} sends more than {room.most_bytes} bytes{_REMEDY}")
        if wired > room.most_bytes:  # of which nothing came out
            raise TooLarge(f"{place} sends more than {room.most_bytes} bytes{_REMEDY}")
        pieces += 1
        if not pieces % PIECES:
            await asyncio.sleep(0)
    return await body.end(room.most_bytes), wired, True


_REMEDY: Final = " (WARREN_OUTBOUND_MAX_BYTES)"
