"""Lines of a job as a client follows them: each once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from gateway.client.blocking import SyncClient
from gateway.client.calls import Client
from gateway.client.failures import NotFound
from gateway.client.replies import LogLine
from tests.room.gateway.commands import typed
from tests.room.gateway.running import Running
from tests.room.gateway.test_logs import said
from wire.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Cutting:
    """A wire to the gateway that is cut, once for each mark, where the gateway has said it."""

    def __init__(self, port: int, *marks: bytes) -> None:
        self._port, self.marks, self.heard = port, list(marks), list[bytes]()
        self.url, self.served = "", set[asyncio.Task[None] | None]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served.add(asyncio.current_task())
        out, into = await asyncio.open_connection("127.0.0.1", self._port)
        async with contextlib.aclosing(_Closing(into)), contextlib.aclosing(_Closing(writer)):
            self.heard.append(request := await reader.readuntil(b"\r\n\r\n"))
            into.write(request)
            while line := await out.readline():
                writer.write(line)
                await writer.drain()
                if self.marks and line.startswith(self.marks[0]):
                    self.marks.pop(0)
                    return


class _Closing:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def aclose(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def cutting(running: Running, *marks: bytes) -> AsyncIterator[Cutting]:
    one = Cutting(running.port, *marks)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield one
        for task in filter(None, one.served):
            task.cancel()  # the last one waits for what the gateway might say next
        await asyncio.gather(*filter(None, one.served), return_exceptions=True)


async def test_lines_are_followed_until_the_job_has_ended(running: Running) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2, 3)
    seen: list[LogLine] = []
    async with Client(f"http://127.0.0.1:{running.port}") as client:
        async for line in client.follow_logs(job_id, limit=2):
            seen.append(line)
            if line.number == 3:
                await said(running, job_id, 1, lease=2)
                await running.finish(job_id)

    assert [(1, 2), (1, 3), (2, 1)] == [(line.lease, line.number) for line in seen]


async def test_a_wire_that_is_cut_loses_no_line_and_repeats_none(running: Running) -> None:
    """
    Cut before the first line, in the midst of a line, and behind the end's id.
    """
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2, 3)
    await running.finish(job_id)
    async with cutting(running, b"retry: ", b"id: 1.2", b"id: 1.3.end") as wire, Client(wire.url) as client:
        lines = [line.number async for line in client.follow_logs(job_id)]

    assert ([1, 2, 3], []) == (lines, wire.marks)
    assert 4 == len(wire.heard)
    assert [False, False, True, True] == [b"Last-Event-ID: " in request for request in wire.heard]
    assert b"Last-Event-ID: 1.1\r\n" in wire.heard[2]


async def test_a_line_may_hold_what_other_readers_take_for_its_end(running: Running) -> None:
    job_id = (await running.submit())["id"]
    lines = '{"at": "2026-11-21T12:00:00Z", "level": "info", "logger": null, "event": "a\u2028b\x85c", "fields": {}}'
    await running.sql(
        "INSERT INTO warren.attempt_logs (job_id, lease, first, attempt, last, kept_from, lines)"
        " VALUES ($1, 1, 1, 1, 1, 1, $2)", job_id, lines,
    )  # fmt: skip
    await running.finish(job_id)
    async with Client(f"http://127.0.0.1:{running.port}") as client:
        assert ["a\u2028b\x85c"] == [line.event async for line in client.follow_logs(job_id)]


async def test_who_follows_no_job_or_no_gateway_is_told(running: Running) -> None:
    async with Client(f"http://127.0.0.1:{running.port}") as client:
        with pytest.raises(NotFound, match="there is no job"):
            await anext(client.follow_logs(uuid4()))
    async with Client("http://127.0.0.1:1", patience_seconds=0.1) as client:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await anext(client.follow_logs(uuid4()))


async def test_who_has_seen_enough_leaves_without_a_loop_of_his_own(running: Running) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2)

    def first() -> tuple[int, set[str]]:
        with SyncClient(f"http://127.0.0.1:{running.port}") as client:
            lines = client.follow_logs(job_id)
            number = next(lines).number
            lines.close()
        return number, {thread.name for thread in threading.enumerate()}

    number, threads = await asyncio.to_thread(first)
    with pytest.raises(RuntimeError, match="would hold up this loop"):
        next(SyncClient("http://127.0.0.1:1").follow_logs(job_id))

    assert (1, False) == (number, "warren client" in threads)


async def test_the_command_prints_a_line_a_line_and_ends_with_the_job(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2)
    await running.finish(job_id)
    all_of_it = await typed(running, capsys, "logs", job_id)
    followed = await typed(running, capsys, "logs", job_id, "--follow", "--limit", "1")
    nothing = [await typed(running, capsys, "logs", str(uuid4()), *rest) for rest in ([], ["-f"])]
    lines = [f"2026-11-21 12:00:00.000 #1 info    line {n} big=100000000000000000000" for n in (1, 2)]

    assert [(0, lines, []), (0, lines[1:], [])] == [all_of_it, followed]
    assert [(1, [], 1)] * 2 == [(code, out, len(err)) for code, out, err in nothing]
    assert all(err[0].startswith("warren logs: id: there is no job") for _, _, err in nothing)
