"""What is hardly HTTP, on the wire: a problem all the same, nothing stored, and never one request inside of another."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.eventually import eventually
from tests.room.gateway.running import ECHO, Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST_HEAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
RAW = {
    "no HTTP at all": b"hello\r\n\r\n",
    "TLS on a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "a header without a colon": b"GET /health HTTP/1.1\r\nHost localhost\r\n\r\n",
    "a header too long": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "too many headers": b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 1_000 + b"\r\n",
    "two lengths": b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a negative length": b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "length and chunks": (
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"
    ),
    "a length with a sign": POST_HEAD + b"Content-Length: +2\r\n\r\n{}",
    "a length in other digits": POST_HEAD + b"Content-Length: 0x2\r\n\r\n{}",
    "a list of lengths": POST_HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
    "a space before the colon": POST_HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": POST_HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks that are said twice": (
        POST_HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
    ),
    "an unknown transfer": POST_HEAD + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "a chunk's size with a sign": POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
    "a folded header": b"GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b: c\r\n\r\n",
    "a header without a name": b"GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
    "a line that ends early": b"GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\nX: a\rb: c\r\n\r\n",
    "a zero in a header": b"GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    "two hosts": b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "a host in the line": b"GET http://evil.example/api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a broken chunk": (
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
    ),
    "an unknown expectation": b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n\r\n",
    "no host": b"GET /api/v1/jobs HTTP/1.1\r\n\r\n",
    "bytes in a trace state": (
        b"GET /api/v1/jobs/x HTTP/1.1\r\nHost: localhost\r\ntracestate: a=\xff\xfe\r\nX-Request-ID: \xff\r\n\r\n"
    ),
}


@pytest.mark.parametrize("what", RAW)
async def test_what_is_hardly_http_gets_a_problem(running: Running, what: str) -> None:
    before = await _stored(running)
    answer = await _raw(running, RAW[what])
    head, _, body = answer.partition(b"\r\n\r\n")
    problem = json.loads(body)

    assert b"application/problem+json" in head
    assert 400 <= problem["status"] < 500
    assert str(problem["status"]).encode() in head.split(b"\r\n")[0]
    assert before == await _stored(running)
    assert {"status": "ok"} == await running.get("/health/live")


INNER = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: inner\r\n\r\n"
LAST = INNER.replace(b"inner", b"last")
REFUSED_EARLY = {
    "another media type": (b"POST /api/v1/jobs", b"Host: localhost\r\nContent-Type: text/plain"),
    "a compressed body": (b"POST /api/v1/jobs", b"Host: localhost\r\nContent-Encoding: gzip"),
    "a foreign host": (b"POST /api/v1/jobs", b"Host: evil.example"),
    "no such route": (b"POST /nowhere", b"Host: localhost"),
    "no such method": (b"PUT /api/v1/jobs", b"Host: localhost"),
    "a body nobody reads": (b"GET /health/live", b"Host: localhost"),
}


@pytest.mark.parametrize("what", REFUSED_EARLY)
async def test_a_body_that_is_not_read_never_becomes_a_request(running: Running, what: str) -> None:
    """
    A proxy before us counts requests; one that we find inside of another would answer somebody else.
    """
    line, headers = REFUSED_EARLY[what]
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    head = line + b" HTTP/1.1\r\n" + headers + b"\r\nContent-Length: %d\r\n\r\n" % len(INNER)
    writer.write(head + INNER + LAST)
    answers = await asyncio.wait_for(reader.readuntil(b"X-Request-ID: last"), 60)
    writer.close()

    assert 2 == answers.count(b"HTTP/1.1 ")
    assert b"X-Request-ID: inner" not in answers


async def test_a_body_that_stops_coming_is_told_so(stores: Stores) -> None:
    head = (
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    )
    async with gateway(stores, body_seconds=0.1) as hasty:
        answer = await _raw(hasty, head + b"{")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"within 0.1 s" in answer


async def test_a_client_that_leaves_in_the_middle_of_its_body_stores_nothing(running: Running) -> None:
    before = await _stored(running)
    _, writer = await asyncio.open_connection("127.0.0.1", running.port)
    head = POST_HEAD + b"Content-Length: 999\r\n\r\n"
    writer.write(head + json.dumps(ECHO).encode())
    await writer.drain()
    writer.close()
    server = running.room.listener._runner.server
    await eventually(lambda: all(c.transport is not None for c in server.connections))

    assert before == await _stored(running)


async def _raw(running: Running, sent: bytes) -> bytes:
    """The first answer to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        writer.write(sent)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        return head + await asyncio.wait_for(reader.readexactly(length), 60)
    finally:
        writer.close()


async def _stored(running: Running) -> int:
    rows = await running.sql("SELECT count(*) AS jobs FROM warren.jobs")
    return int(rows[0]["jobs"])
