"""Answer with an artifact's bytes: the head first, when the first bytes are in hand.

So a store that is away is a 503 and not an answer that breaks off.  One that goes away in the middle cuts the
connection, which a client tells from the end by the length that the head has promised.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog
from aiohttp import hdrs, web

from gateway.artifacts.headers import etag, headers_of
from gateway.artifacts.ranges import NotSatisfiable, Part, part_of
from gateway.entrance.door import request_id_of, stamp
from gateway.entrance.problems import Refusal
from persistence.artifacts.artifact import Artifact
from persistence.artifacts.object_store import BytesGone, ObjectStore
from wire.errors import ObjectStoreUnavailable

log = structlog.get_logger()

WRITE_SECONDS: Final = 60.0  # who takes nothing for so long is gone


async def stream(request: web.Request, store: ObjectStore, found: Artifact, *, download: bool) -> web.StreamResponse:
    """The whole, the part that is asked for, or the word that the client has it already."""
    headers = headers_of(found, download=download)
    if _has_it(request, found):
        return web.Response(status=304, headers=headers)
    part = _part(request, found)
    response = web.StreamResponse(status=206 if part.partial else 200, headers=headers)
    if part.partial:
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.end - 1}/{found.size_bytes}"
    response.content_length = part.end - part.start
    if request.method == hdrs.METH_HEAD:
        return await _begun(request, response)
    pieces = store.read(found.key, part.start, part.end)
    first = await _first(pieces, found)
    await _begun(request, response)
    await _send(response, first, pieces)
    return response


async def _first(pieces: AsyncIterator[bytes], found: Artifact) -> bytes:
    try:
        return await anext(pieces, b"")
    except BytesGone as e:
        log.error("artifact_without_bytes", artifact_id=str(found.id), error=str(e))
        remedy = "the gateway and the workers must have the same WARREN_ARTIFACTS_URL"
        detail = f"the object store of this gateway has no bytes of artifact {found.id}"
        raise Refusal("unavailable", detail, remedy=remedy, headers={hdrs.RETRY_AFTER: "5"}) from e


async def _begun(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    stamp(response, request_id_of(request))  # its head is gone before the door sees it
    await response.prepare(request)
    return response


async def _send(response: web.StreamResponse, first: bytes, pieces: AsyncIterator[bytes]) -> None:
    try:
        await _write(response, first)
        async for piece in pieces:
            await _write(response, piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError):
        response.force_close()  # the reader is gone
    except ObjectStoreUnavailable as e:
        log.warning("artifact_cut_off", error=str(e))
        response.force_close()


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(piece)


def _has_it(request: web.Request, found: Artifact) -> bool:
    known = request.if_none_match
    return known is not None and any(one.value in (found.sha256, "*") for one in known)


def _part(request: web.Request, found: Artifact) -> Part:
    condition = request.headers.get(hdrs.IF_RANGE)
    if condition is not None and condition.strip() != etag(found):
        return Part(0, found.size_bytes, partial=False)  # a part of something else would be glued to what it has
    try:
        return part_of(request.headers.get(hdrs.RANGE), found.size_bytes)
    except NotSatisfiable:
        detail = f"artifact {found.id} has {found.size_bytes} bytes, and the range begins behind them"
        headers: dict[str, str] = {hdrs.CONTENT_RANGE: f"bytes */{found.size_bytes}"}
        raise Refusal("bad_range", detail, field="Range", headers=headers) from None
