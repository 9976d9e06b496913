"""Read a request's body: only plain JSON, only so many bytes, only so long.

The limit counts while bytes arrive, because a chunked body announces no length.  A compressed body is refused rather
than unpacked: 256 KiB of zeros fit into 300 bytes.  A form is refused by its content type, which is the one thing a
foreign web page cannot fake without asking us first.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web

from gateway.problems import Refusal

READ_SECONDS: Final = 15.0  # 256 KiB over a line of 20 kB/s


async def read_json_body(request: web.Request, max_bytes: int) -> bytes:
    """The whole body, or Refusal."""
    _check_content(request)
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(request, max_bytes)
    except TimeoutError:
        raise Refusal("slow_body", f"the body did not arrive within {READ_SECONDS:.0f} s", field="body") from None
    except (web.RequestPayloadError, ConnectionError) as e:
        raise Refusal("bad_http", "the body broke off or is not framed as announced", field="body") from e


async def _read(request: web.Request, max_bytes: int) -> bytes:
    chunks, size = [], 0
    while chunk := await request.content.readany():
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
    return b"".join(chunks)


def _check_content(request: web.Request) -> None:
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if encoding not in ("identity", ""):
        detail = f"Content-Encoding {encoding[:40]!r} is not taken"
        raise Refusal("unsupported_media", detail, field="Content-Encoding", remedy="send the JSON uncompressed")
    given = request.headers.get(hdrs.CONTENT_TYPE, "")
    kind = given.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        detail = f"Content-Type {given[:80]!r} is not JSON" if given else "Content-Type is missing"
        remedy = "send Content-Type: application/json"
        raise Refusal("unsupported_media", detail, field="Content-Type", remedy=remedy)
    if (request.charset or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
        detail = f"charset {(request.charset or '')[:40]!r} is not taken"
        raise Refusal("unsupported_media", detail, field="Content-Type", remedy="JSON is UTF-8: leave charset out")


def _too_large(max_bytes: int) -> Refusal:
    detail = f"the body has more than {max_bytes} bytes"
    return Refusal("too_large", detail, field="body", remedy="send a reference to the data instead")
