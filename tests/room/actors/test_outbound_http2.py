"""HTTP/2 is spoken where a server can, and a server that misuses it harms only its own answer."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import SecretStr

from actors.trades.outbound.failures import Forbidden, TooLarge, TooSlow, Unreachable
from actors.trades.outbound.fetch import fetch
from actors.trades.outbound.guard import Guard
from tests.room.actors.http2_server import Http2Server, Spoken, certified
from tests.room.actors.outbound_server import closing, ended
from tests.room.actors.outbound_world import Names
from wire.slices import Outbound

MIB = 1024 * 1024
OPEN = Outbound(allow=("localhost", "other.test"), ports="any", max_bytes=4 * MIB)
STRAY = b"\x00\x00\x01\x00\x00\x00\x00\x00\x00a"  # a piece of a body, of no stream
PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + bytes(8)
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x01"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certified(tmp_path_factory.mktemp("tls"))


async def flood(spoken: Spoken, stream: int) -> None:
    spoken.h2.send_headers(stream, [(":status", "200")])
    await spoken.pour(stream)


async def crumbs(spoken: Spoken, stream: int) -> None:
    spoken.h2.send_headers(stream, [(":status", "200")])
    while True:
        for _ in range(20):
            spoken.h2.send_data(stream, b"")
        await spoken.flush()
        await asyncio.sleep(0.005)


def repeated(frame: bytes) -> Callable[[Spoken, int], Awaitable[None]]:
    async def repeat(spoken: Spoken, stream: int) -> None:
        while True:
            spoken.writer.write(frame * 100)
            await spoken.writer.drain()

    return repeat


def at_once(say: Callable[[Spoken, int], object]) -> Callable[[Spoken, int], Awaitable[None]]:
    async def said(spoken: Spoken, stream: int) -> None:
        say(spoken, stream)
        await spoken.flush()

    return said


REPLIES: dict[str, Callable[[Spoken, int], Awaitable[None]]] = {
    "/flood": flood,
    "/crumbs": crumbs,
    "/pings": repeated(PING),
    "/settings": repeated(SETTINGS),
    "/silent": at_once(lambda spoken, stream: None),
    "/bomb": lambda spoken, stream: spoken.answer(stream, gzip.compress(bytes(8 * MIB)), ("content-encoding", "gzip")),
    # one of 4 kB, said a thousand times in a byte each
    "/headers": lambda spoken, stream: spoken.answer(stream, b"", *[("x-a", "a" * 4_000)] * 1_000),
    "/status": at_once(lambda spoken, stream: spoken.h2.send_headers(stream, [(":status", "abc")], end_stream=True)),
    "/goaway": at_once(lambda spoken, stream: spoken.h2.close_connection()),
    "/reset": at_once(lambda spoken, stream: spoken.h2.reset_stream(stream)),
    "/garbage": at_once(lambda spoken, stream: spoken.writer.write(STRAY)),
    "/to": at_once(
        lambda spoken, stream: spoken.h2.send_headers(
            stream, [(":status", "302"), ("location", "/there")], end_stream=True
        )
    ),
}


async def reply(spoken: Spoken, stream: int, path: str) -> None:
    """What is asked for by its path; any other path is said again."""
    known = REPLIES.get(path)
    await (known(spoken, stream) if known else spoken.answer(stream, path.encode()))


async def test_it_is_spoken_on_one_connection(both: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with Http2Server(reply).listening(both[0]) as server, Guard(OPEN, None, both[1]):
        first = await fetch(f"{server.url}/to")
        bodies = await asyncio.gather(*[fetch(f"{server.url}/{number}") for number in range(20)])
        connections = server.connections

    assert (b"/there", (f"{server.url}/there",)) == (first.body, first.redirects)
    assert [f"/{number}".encode() for number in range(20)] == [document.body for document in bodies]
    assert 1 == connections


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("/flood", TooLarge), ("/bomb", TooLarge), ("/headers", TooLarge), ("/status", Unreachable),
        ("/goaway", Unreachable), ("/reset", Unreachable), ("/garbage", Unreachable),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told(
    both: tuple[ssl.SSLContext, ssl.SSLContext], path: str, end: type[Exception]
) -> None:
    async with Http2Server(reply).listening(both[0]) as server, Guard(OPEN, None, both[1]):
        with pytest.raises(end):
            await fetch(server.url + path, seconds=60)
        document = await fetch(f"{server.url}/after", seconds=60)

    assert b"/after" == document.body


@pytest.mark.parametrize("path", ["/silent", "/pings", "/settings", "/crumbs"])
async def test_what_never_answers_is_left(both: tuple[ssl.SSLContext, ssl.SSLContext], path: str) -> None:
    async with Http2Server(reply).listening(both[0]) as server, Guard(OPEN, None, both[1]):
        with pytest.raises(TooSlow):
            await fetch(server.url + path, seconds=0.2)
        document = await fetch(f"{server.url}/after", seconds=60)

    assert b"/after" == document.body


async def test_answers_that_are_given_up_do_not_use_up_the_room_of_others(
    both: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """
    A connection has room for 16 MiB that nobody has read; half as many floods as fill it and it would stand still.
    """
    async with Http2Server(reply).listening(both[0]) as server, Guard(OPEN, None, both[1]):
        for _ in range(8):
            with pytest.raises(TooLarge):
                await fetch(f"{server.url}/flood", seconds=60)
        document = await fetch(f"{server.url}/after", seconds=60)

    assert b"/after" == document.body


async def test_whoever_shares_a_connection_with_one_that_is_given_up_gets_an_answer(
    both: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    held = asyncio.Event()

    async def some(spoken: Spoken, stream: int, path: str) -> None:
        if path == "/held" and server.paths.count("/held") == 1:
            held.set()  # the first time it never comes
            return
        await reply(spoken, stream, path)

    async with Http2Server(some).listening(both[0]) as server, Guard(OPEN, None, both[1]):
        await fetch(f"{server.url}/first")
        waiting = asyncio.create_task(fetch(f"{server.url}/held", seconds=60))
        await held.wait()
        with pytest.raises(TooLarge):
            await fetch(f"{server.url}/flood")
        document = await waiting

    assert b"/held" == document.body


async def test_a_certificate_for_another_name_is_not_taken(both: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    names = Names(other_test="127.0.0.1")
    async with Http2Server(reply).listening(both[0]) as server, Guard(OPEN, names, both[1]):
        with pytest.raises(Unreachable, match="certificate verify failed: Hostname mismatch"):
            await fetch(server.url.replace("localhost", "other.test"))
        with pytest.raises(Unreachable):
            await fetch(server.url.replace("https", "http"))

    assert [] == server.paths


async def test_by_a_proxy_the_name_is_still_the_one_that_is_proved(both: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """
    The proxy is told an address, the certificate is for the name.
    """
    async with Http2Server(reply).listening(both[0]) as server, tunnel() as (url, asked):
        rules = Outbound(allow=("127.0.0.0/8", "::1"), ports="any", proxy=SecretStr(url))
        async with Guard(rules, Names(localhost="127.0.0.1"), both[1]):
            document = await fetch(f"{server.url}/through")

    assert (b"/through", [f"CONNECT 127.0.0.1:{server.url.rpartition(':')[2]} HTTP/1.1"]) == (document.body, asked)


@contextlib.asynccontextmanager
async def tunnel() -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that does what it is told, and what it was told."""
    asked: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        async with closing(target):
            while said := await source.read(65_536):
                target.write(said)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.splitlines()[0])
        host, _, port = head.split()[1].rpartition(":")
        far = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        tasks.update((asyncio.create_task(pipe(reader, far[1])), asyncio.create_task(pipe(far[0], writer))))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        await ended(tasks, server)


async def test_nobody_is_trusted_who_is_not_known(both: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with Http2Server(reply).listening(both[0]) as server, Guard(OPEN):
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await fetch(server.url)


async def test_over_tls_a_name_is_judged_as_ever(both: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with Http2Server(reply).listening(both[0]) as server, Guard(Outbound(ports="any"), None, both[1]):
        with pytest.raises(Forbidden):
            await fetch(server.url)

    assert 0 == server.connections
