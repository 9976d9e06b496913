"""What is no answer, ends early or comes from nobody is told in a sentence, and leaves no connection behind."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
from typing import Any

import pytest

from actors.trades.outbound import here
from actors.trades.outbound.failures import Forbidden, TooLarge, TooSlow, Unreachable
from actors.trades.outbound.fetch import fetch
from actors.trades.outbound.guard import Guard
from tests.eventually import eventually
from tests.room.actors.outbound_server import CHUNKED, Asked, Server, slow
from wire.slices import Outbound

OPEN = Outbound(allow=("127.0.0.1",), ports="any", max_bytes=1024 * 1024)
BROKEN = [
    b"", b"\r\n", b"garbage\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 99 Low\r\n\r\n",
    b"HTTP/1.1 1000 High\r\n\r\n", b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", CHUNKED + b"xyz\r\nabc\r\n",
    CHUNKED + b"5\r\nabc", CHUNKED + b"-5\r\nabc\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ESMTP\r\n",
    b"\x15\x03\x01\x00\x02\x02\x28", b"-ERR unknown command\r\n",
]  # fmt: skip


@pytest.mark.parametrize("said", BROKEN, ids=lambda said: repr(said)[:60])
async def test_what_is_no_answer_is_told_as_such(said: bytes) -> None:
    async def reply(asked: Asked) -> None:
        await asked.send(said)
        raise ConnectionError

    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises((Unreachable, Forbidden)):
            await fetch(server.url, seconds=60)


async def test_whatever_is_said_ends_in_a_document_or_a_failure_of_ours() -> None:
    """
    Answers with random bytes changed, cut and repeated.
    """
    dice = random.Random(8)
    sound = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    sound += b"17\r\n" + gzip.compress(b"abc", mtime=0) + b"\r\n0\r\n\r\n"

    async def reply(asked: Asked) -> None:
        said = bytearray(sound)
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(said))
            said[at : at + dice.randrange(4)] = dice.randbytes(dice.randrange(4))
        await asked.send(bytes(said))
        raise ConnectionError

    ends = dict[str, int]()
    async with Server(reply).listening() as server, Guard(OPEN):
        for _ in range(200):
            try:
                end: Any = await fetch(server.url, seconds=60)
            except (Forbidden, TooLarge, TooSlow, Unreachable) as e:
                end = e
            ends[type(end).__name__] = ends.get(type(end).__name__, 0) + 1

    assert ends.keys() >= {"Document", "Unreachable"}


async def test_nobody_there_is_told_without_a_trace() -> None:
    async def reply(asked: Asked) -> None:
        raise AssertionError

    async with Server(reply).listening() as server:
        url = server.url
    async with Guard(OPEN):
        with pytest.raises(Unreachable, match="does not answer at port"):
            await fetch(url)
        with pytest.raises((Unreachable, TooSlow)):  # a name server may take its time to say no
            await fetch("http://nothing.invalid/")


async def test_requests_without_a_worker_do_not_share_a_guard() -> None:
    """
    In a script, or a test of a job: the first that ends takes nobody else's connection with it.
    """
    ends = await asyncio.gather(*(fetch(f"http://{name}.invalid/") for name in "ab"), return_exceptions=True)

    assert {type(end) for end in ends} <= {Unreachable, TooSlow}
    assert here.guard is None


async def test_a_connection_that_is_given_up_is_closed() -> None:
    """
    A job that is cancelled, one that is too slow and one that is too large leave no connection behind.
    """
    ended = 0

    async def reply(asked: Asked) -> None:
        nonlocal ended
        with contextlib.suppress(ConnectionError):
            await slow(b"HTTP/1.1 200 OK\r\n\r\n")(asked)
        ended += 1
        raise ConnectionError

    async with Server(reply).listening() as server, Guard(OPEN):
        cancelled = asyncio.create_task(fetch(server.url))
        await eventually(lambda: server.asked)
        cancelled.cancel()
        with pytest.raises(TooSlow):
            await fetch(server.url, seconds=0.1)
        with pytest.raises(TooLarge):
            await fetch(server.url, most_bytes=3)

        await eventually(lambda: ended == len(server.asked))  # the one that was too slow may not have asked yet

    assert len(server.asked) >= 2


async def test_a_kept_connection_that_was_closed_meanwhile_costs_nothing() -> None:
    """
    A server may close what it has kept open just as the next request is on its way.
    """

    async def reply(asked: Asked) -> None:
        if server.connections == 1 and len(server.asked) == 2:
            raise ConnectionError
        await asked.answer(body=b"here")

    async with Server(reply).listening() as server, Guard(OPEN):
        bodies = [(await fetch(server.url)).body for _ in range(3)]
        asked, connections = len(server.asked), server.connections

    assert [b"here"] * 3 == bodies
    assert (4, 2) == (asked, connections)


async def test_what_may_have_had_its_effect_is_not_sent_twice() -> None:
    async def reply(asked: Asked) -> None:
        if asked.method == "POST":
            raise ConnectionError
        await asked.answer()

    async with Server(reply).listening() as server, Guard(OPEN):
        await fetch(server.url)
        with pytest.raises(Unreachable):
            await fetch(server.url, method="POST", content=b"once")

    assert ["GET", "POST"] == [asked.method for asked in server.asked]
