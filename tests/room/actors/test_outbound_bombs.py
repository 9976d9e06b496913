"""An answer ends: whatever a server sends, a job holds a bounded number of bytes for a bounded time.

What takes its time here is proved by a server that would never end: had the guard no bound, the test would hang.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from actors.trades.outbound.decode import CHUNK, Unpacking
from actors.trades.outbound.failures import Forbidden, TooLarge, TooSlow, Unreachable
from actors.trades.outbound.fetch import fetch
from actors.trades.outbound.guard import Guard
from tests.room.actors.outbound_server import CHUNKED, Asked, Reply, Server, endless, slow
from wire.slices import Outbound

MIB = 1024 * 1024
OPEN = Outbound(allow=("127.0.0.1",), ports="any", max_bytes=MIB)
Pack = Callable[[bytes], bytes]


def deflate(body: bytes) -> bytes:
    raw = zlib.compressobj(wbits=-15)
    return raw.compress(body) + raw.flush()


PACKED: dict[str, Pack] = {
    "gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "Deflate": deflate,
    "br": lambda body: brotli.compress(body, quality=3), "zstd": zstandard.compress,
    "gzip, br": lambda body: brotli.compress(gzip.compress(body)), "identity": bytes, "nonsense": bytes,
    "GZIP": lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:]),
    "ZSTD": lambda body: zstandard.compress(body[:5]) + zstandard.compress(body[5:]),
}  # fmt: skip


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_a_body_is_unpacked_however_it_comes_in_pieces(encoding: str, piece: int) -> None:
    body = random.Random(7).randbytes(20_000) + bytes(300_000)
    packed, unpacking = PACKED[encoding](body), Unpacking(encoding)

    assert body == b"".join(
        out for at in range(0, len(packed), piece) for out in unpacking.feed(packed[at : at + piece])
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, br", "br, zstd"])
def test_what_is_unpacked_at_once_has_a_bound(encoding: str) -> None:
    """
    64 MiB in a few bytes: what is held is a few chunks, whoever stops stops there.
    """
    packed: bytes = bytes(64 * MIB)
    for name in encoding.split(", "):
        packed = PACKED[name](packed)
    tracemalloc.start()
    pieces, largest = Unpacking(encoding).feed(packed), 0
    for _, piece in zip(range(8), pieces, strict=False):
        largest = max(largest, len(piece))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert 0 < largest <= 16 * CHUNK
    assert peak < 24 * MIB


def packed(encoding: str, body: bytes) -> Reply:
    async def reply(asked: Asked) -> None:
        await asked.answer("200 OK", f"Content-Encoding: {encoding}", body=body)

    return reply


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "br, gzip"])
async def test_a_bomb_is_put_out(encoding: str) -> None:
    bomb: bytes = bytes(32 * MIB)
    for name in encoding.split(", "):
        bomb = PACKED[name](bomb)
    async with Server(packed(encoding, bomb)).listening() as server, Guard(OPEN):
        with pytest.raises(TooLarge, match=r"more than 1048576 bytes \(WARREN_OUTBOUND_MAX_BYTES\)"):
            await fetch(server.url)


@pytest.mark.parametrize(
    ("encoding", "body", "end", "words"),
    [
        ("gzip, gzip, gzip", b"", TooLarge, "packed 3 times over"),
        ("gzip", b"not gzip at all", Unreachable, "not packed as its Content-Encoding says"),
        ("br", b"\xff\xff\xff\xff", Unreachable, "not packed as its Content-Encoding says"),
        ("zstd", b"not zstd", Unreachable, "not packed as its Content-Encoding says"),
        ("deflate", b"\xff\xff\xff", Unreachable, "not packed as its Content-Encoding says"),
        # a frame that asks its reader for a window of 2 GiB
        ("zstd", b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", Unreachable, "not packed"),
    ],
)
async def test_a_body_that_cannot_be_unpacked_says_so(
    encoding: str, body: bytes, end: type[Exception], words: str
) -> None:
    async with Server(packed(encoding, body)).listening() as server, Guard(OPEN):
        with pytest.raises(end, match=words):
            await fetch(server.url)


async def test_a_body_that_ends_too_soon_within_its_packing_is_given_as_far_as_it_goes() -> None:
    body = b"as browsers do " * 1_000
    async with Server(packed("gzip", gzip.compress(body, mtime=0)[:-12])).listening() as server, Guard(OPEN):
        document = await fetch(server.url)

    assert body.startswith(document.body)
    assert document.body


FLOODS: dict[str, tuple[bytes, bytes]] = {
    "a body without an end": (b"HTTP/1.1 200 OK\r\n\r\n", bytes(65_536)),
    "chunks without an end": (CHUNKED, b"10000\r\n" + bytes(65_536) + b"\r\n"),
    "one chunk of any size": (CHUNKED + b"FFFFFFFFFFFF\r\n", bytes(65_536)),
    "the name of a chunk": (CHUNKED + b"1;", b"a" * 4_096),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 64 + b"\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 4_096),
    "one status line": (b"HTTP/1.1 200 ", b"a" * 4_096),
    "no line at all": (b"", b"\x00" * 4_096),
    "trailers": (CHUNKED + b"0\r\n", b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_is_cut_off(what: str) -> None:
    async with Server(endless(*FLOODS[what])).listening() as server, Guard(OPEN):
        with pytest.raises((TooLarge, Unreachable)) as cut:
            await fetch(server.url, seconds=60)
        assert server.connections == 1 or isinstance(cut.value, Unreachable)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999999999999\r\n\r\n",
    ],
    ids=["one byte more", "exabytes", "no machine's number"],
)  # fmt: skip
async def test_what_is_announced_too_large_is_not_waited_for(said: bytes) -> None:
    async def reply(asked: Asked) -> None:
        await asked.send(said)

    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises((TooLarge, Unreachable)):
            await fetch(server.url, seconds=60)


async def test_the_largest_answer_that_is_taken_is_taken_whole() -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer(body=bytes(1_000))

    async with Server(reply).listening() as server, Guard(OPEN):
        document = await fetch(server.url, most_bytes=1_000)
        with pytest.raises(TooLarge, match="announces 1000 bytes; at most 999 are taken"):
            await fetch(server.url, most_bytes=999)

    assert 1_000 == len(document.body)


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br", "zstd"])
async def test_a_long_answer_can_be_left_off_instead(encoding: str) -> None:
    body = PACKED[encoding](b"0123456789" * 50_000)
    async with Server(packed(encoding, body)).listening() as server, Guard(OPEN):
        document = await fetch(server.url, most_bytes=25, cut=True)

    assert b"0123456789012345678901234" == document.body


@pytest.mark.parametrize(
    "pieces",
    [
        (), (b"HTTP/1.1 200 OK\r\nX-A: ",), (b"HTTP/1.1 200 OK\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",),
    ],
    ids=["status", "header", "body", "known length"],
)  # fmt: skip
async def test_a_slow_loris_is_left(pieces: tuple[bytes, ...]) -> None:
    async with Server(slow(*pieces)).listening() as server, Guard(OPEN):
        with pytest.raises(TooSlow, match=rf"{server.url} did not answer in full within 0.2 s"):
            await fetch(server.url, seconds=0.2)


async def test_informational_answers_do_not_stop_the_clock() -> None:
    reply = endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises(TooSlow):
            await fetch(server.url, seconds=0.2)


async def test_a_flood_of_crumbs_leaves_the_loop_to_others() -> None:
    """
    A byte a chunk, ten thousand of them: others have had their turn hundreds of times.
    """
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with Server(endless(CHUNKED, b"1\r\na\r\n" * 10_000)).listening() as server, Guard(OPEN):
        beside = asyncio.create_task(others())
        with pytest.raises(TooLarge):
            await fetch(server.url, seconds=60, most_bytes=10_000)
        beside.cancel()

    assert turns > 100


@pytest.mark.parametrize("path", ["/a", "/self"])
async def test_a_circle_of_redirects_ends(path: str) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer("302 Found", f"Location: { {'/a': '/b', '/b': '/a'}.get(asked.path, asked.path) }")

    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises(Forbidden, match="redirects in a circle"):
            await fetch(server.url + path)

    assert len(server.asked) <= 2


async def test_redirects_have_a_most() -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer("302 Found", f"Location: {asked.path}1")

    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises(Forbidden, match="more than 5 times"):
            await fetch(server.url)
        document = await fetch(server.url, redirects=0)

    assert (302, "/1") == (document.status, document.headers["location"])
    assert 6 + 1 == len(server.asked)


async def test_a_body_that_comes_with_a_redirect_is_not_read_to_its_end() -> None:
    flood = endless(
        b"HTTP/1.1 302 Found\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1000\r\n" + bytes(4096) + b"\r\n",
    )

    async def reply(asked: Asked) -> None:
        await (asked.answer() if asked.path == "/there" else flood(asked))

    async with Server(reply).listening() as server, Guard(OPEN):
        document = await fetch(server.url, seconds=60)

    assert (200, (f"{server.url}/there",)) == (document.status, document.redirects)
