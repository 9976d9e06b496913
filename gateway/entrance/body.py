"""Read a request's body: only plain JSON, only so many bytes, only so long.

The limit counts while bytes arrive, because a chunked body announces no length; another counts what has arrived of all
bodies together, because a hundred slow senders of large ones would else take the memory of all.  A compressed body is
refused rather than unpacked: 256 KiB of zeros fit into 300 bytes.  A form is refused by its content type, which is the
one thing a foreign web page cannot fake without asking us first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from gateway.entrance.door import RETRY_AFTER_SECONDS
from gateway.entrance.problems import Refusal

BODY_SECONDS: Final = web.AppKey("body_seconds", float)  # how long a body may take
MOST_ARRIVING_BYTES: Final = 268_435_456  # sixteen of the largest bulk requests
ALREADY_READ: Final = web.RequestKey("already_read", bytes)  # the body, where somebody has read it before its route


@dataclass(slots=True)
class Arriving:
    """How much is held of bodies whose end has not come."""

    most_bytes: int = MOST_ARRIVING_BYTES
    held_bytes: int = 0


ARRIVING: Final = web.AppKey("arriving", Arriving)


async def read_json_body(
    request: web.Request, max_bytes: int, *, also: Container[str] = (), longer_seconds: float = 0.0
) -> bytes:
    """The whole body, or Refusal; it may be of these other kinds, and take so much longer."""
    if ALREADY_READ in request:
        return request[ALREADY_READ]
    _check_content(request, also)
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    if request.content.is_eof() and request.content.exception() is None:  # it came with the head, as short ones do
        return _whole(request.content.read_nowait(), max_bytes)
    seconds = request.app[BODY_SECONDS] + longer_seconds
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, max_bytes)
    except TimeoutError:
        raise Refusal("slow_body", f"the body did not arrive within {seconds:g} s", field="body") from None
    except (web.RequestPayloadError, ConnectionError) as e:
        raise Refusal("bad_http", "the body broke off or is not framed as announced", field="body") from e


async def _read(request: web.Request, max_bytes: int) -> bytes:
    arriving = request.app[ARRIVING]
    chunks, size = [], 0
    try:
        while chunk := await request.content.readany():
            chunks.append(chunk)
            size += len(chunk)
            arriving.held_bytes += len(chunk)
            if size > max_bytes:
                raise _too_large(max_bytes)
            if arriving.held_bytes > arriving.most_bytes:
                raise _too_many()
    finally:
        arriving.held_bytes -= size
    return b"".join(chunks)


def _whole(body: bytes, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


def _check_content(request: web.Request, also: Container[str]) -> None:
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if encoding not in ("identity", ""):
        detail = f"Content-Encoding {encoding[:40]!r} is not taken"
        raise Refusal("unsupported_media", detail, field="Content-Encoding", remedy="send the JSON uncompressed")
    given = request.headers.get(hdrs.CONTENT_TYPE, "")
    kind = given.partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not is_json and kind not in also:
        detail = f"Content-Type {given[:80]!r} is not JSON" if given else "Content-Type is missing"
        remedy = "send Content-Type: application/json"
        raise Refusal("unsupported_media", detail, field="Content-Type", remedy=remedy)
    if (request.charset or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
        detail = f"charset {(request.charset or '')[:40]!r} is not taken"
        raise Refusal("unsupported_media", detail, field="Content-Type", remedy="JSON is UTF-8: leave charset out")


def _too_many() -> Refusal:
    headers: dict[str, str] = {hdrs.RETRY_AFTER: RETRY_AFTER_SECONDS}
    return Refusal("unavailable", "too many large bodies arrive at once", remedy="send it again", headers=headers)


def _too_large(max_bytes: int) -> Refusal:
    detail = f"the body has more than {max_bytes} bytes"
    return Refusal("too_large", detail, field="body", remedy="send a reference to the data instead")
