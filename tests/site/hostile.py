"""What a crawler meets and must survive: redirects to nowhere, floods, bombs, silence, and answers that are cut off."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from functools import lru_cache

import brotli
import zstandard

from tests.site.server import Answer, Handler, Request, html

CHUNK = b"<p>" + b"na " * 21_844 + b"\n"  # 64 KiB
BOMB_BYTES = 64 * 1024 * 1024
MOST_SECONDS = 120.0  # a handler that waits for ever ends with the test that it is for


async def redirect(request: Request, writer: object) -> Answer:
    """`/redirect/<how>`: chain/<n>, loop, status/<s>?to=, self, empty, relative, and away to where nobody may go."""
    how, port = request.parts[1], request.host.rpartition(":")[2]
    status = int(request.parts[2]) if how == "status" else 302
    to = {
        "chain": lambda: f"/redirect/chain/{int(request.parts[2]) - 1}" if int(request.parts[2]) else "/articles/0",
        "loop": lambda: "/redirect/pool",
        "pool": lambda: "/redirect/loop",
        "self": lambda: request.path,
        "endless": lambda: f"/redirect/endless/{int(request.parts[2]) + 1}",
        "status": lambda: request.query.get("to", "/articles/0"),
        "relative": lambda: "../articles/1",
        "fragment": lambda: "/articles/1#part",
        "metadata": lambda: "http://169.254.169.254/latest/meta-data/",
        "loopback": lambda: f"http://127.0.0.1:{port}/articles/0",
        "file": lambda: "file:///etc/passwd",
        "credentials": lambda: f"http://user:word@{request.host}/articles/0",
        "port": lambda: f"http://{request.address}:22/",
        "host": lambda: f"http://{request.query['host']}:{port}/articles/0",
        "nonsense": lambda: "http://[::",
        "empty": lambda: "",
    }[how]()
    return Answer(status, {"Location": to} if to else {}, b"moved")


async def slow(request: Request, writer: asyncio.StreamWriter) -> Answer | None:
    """`/slow/headers` and `/slow/body`: a byte now and then; `/slow/silent`: nothing; `/slow/first?seconds=`: late."""
    how = request.parts[1]
    if how == "first":
        await asyncio.sleep(request.number("seconds", 1))
        return html("<title>Slow</title><p>Here at last.")
    if how == "silent":
        await asyncio.sleep(MOST_SECONDS)
        return None
    if how == "body":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000\r\n\r\n")
    else:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(int(MOST_SECONDS / 0.05)):
        writer.write(b"s")
        await writer.drain()
        await asyncio.sleep(0.05)
    return None


async def huge(request: Request, writer: asyncio.StreamWriter) -> Answer | None:
    """`/huge/body`: no end; `/huge/headers`: a megabyte of them; `/huge/many`: 20,000; `/huge/declared`: a claim."""
    how = request.parts[1]
    if how == "headers":
        return html("<p>x", x_long="x" * 1_000_000)
    if how == "many":
        return Answer(200, {f"X-{number}": "x" for number in range(20_000)}, b"<p>x")
    if how == "declared":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000000000\r\n\r\n<p>x")
        await writer.drain()
        return None
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(int(request.number("mb", 1_024)) * 16):
        writer.write(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return None


async def bomb(request: Request, writer: object) -> Answer:
    """`/bomb/gzip`, deflate, br, zstd: 64 MiB in a few KiB, twice: packed twice; deep, wide, attributes: of HTML."""
    how = request.parts[1]
    if how in ("deep", "wide", "attributes", "text", "unclosed"):
        return Answer(200, {"Content-Type": "text/html"}, await asyncio.to_thread(_heap, how))
    named = "gzip, gzip" if how == "twice" else how
    return Answer(200, {"Content-Type": "text/html", "Content-Encoding": named}, await asyncio.to_thread(_packed, how))


async def broken(request: Request, writer: asyncio.StreamWriter) -> Answer | None:
    """`/broken/<how>`: length, chunk, gzip, status, header, reset, nothing, html: cut off or not HTTP at all."""
    how = request.parts[1]
    if how == "gzip":
        cut = gzip.compress(CHUNK)[:-20]
        return Answer(200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, cut)
    if how == "lie":
        return Answer(200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, b"<p>this was never packed")
    if how == "html":
        return Answer(200, {"Content-Type": "text/html"}, b"<html><bo\x00dy><p>\xff\xfe cut o")
    if how == "reset":
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return None
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    writer.write(
        {
            "length": ok + b"Content-Length: 5000\r\n\r\n<p>only this",
            "chunk": ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<p>xx\r\nnot a number\r\n",
            "status": b"ICY 200 whatever\r\n\r\n<p>x",
            "header": b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n<p>x",
            "nothing": b"",
        }[how]
    )
    await writer.drain()
    return None


@lru_cache
def _packed(how: str) -> bytes:
    zeros = b"<p>" + b"\0" * BOMB_BYTES
    if how in ("gzip", "twice"):
        packed = gzip.compress(zeros, 9)
        return gzip.compress(packed, 9) if how == "twice" else packed
    if how == "deflate":
        return zlib.compress(zeros, 9)
    return bytes(brotli.compress(zeros, quality=5) if how == "br" else zstandard.compress(zeros))


@lru_cache
def _heap(how: str) -> bytes:
    return {
        "deep": b"<div>" * 200_000 + b"deep" + b"</div>" * 200_000,
        "wide": b"<p>wide</p>" * 300_000,
        "attributes": b"<p " + b" ".join(b"a%d=1" % number for number in range(100_000)) + b">x</p>",
        "text": b"<p>" + b"a" * 4_000_000,
        "unclosed": b"<b><i><a href=x>" * 50_000 + b"x",
    }[how]


HANDLERS: dict[str, Handler] = {"redirect": redirect, "slow": slow, "huge": huge, "bomb": bomb, "broken": broken}
