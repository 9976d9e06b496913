"""A supervisor and its children over a real socket, and the port where the sum is read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from deploy.machine.ports import free_port
from tests.eventually import eventually
from wire.lifecycle import running
from wire.metrics import table
from wire.metrics.family import Gathering, Telling
from wire.metrics.kinds import GATEWAY, WORKER
from wire.metrics.listener import Exposed
from wire.metrics.snapshot import Snapshot, encode, summed
from wire.settings import Metrics

ECHOES: Snapshot = {"jobs_submitted_total": {("echo",): [3.0]}, "warren_worker_slots": {(): [100.0]}}


@pytest_asyncio.fixture
async def gathering() -> AsyncIterator[Gathering]:
    one = Gathering(listens=True)
    async with running([one]):
        yield one


@asynccontextmanager
async def child(gathering: Gathering, *told: Snapshot, trouble: str = "") -> AsyncIterator[None]:
    """One that tells this, and is then cut off in the middle of its next word."""
    before = len(gathering.snapshots())
    _, writer = await asyncio.open_unix_connection(gathering.socket)
    for snapshot in told:
        for frame in (encode(snapshot), trouble.encode()):
            writer.write(struct.pack(">I", len(frame)) + frame)
    writer.write(b"\0\0")
    await writer.drain()
    await eventually(lambda: len(gathering.snapshots()) > before and told[-1] in gathering.snapshots())
    yield
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    await eventually(lambda: len(gathering.snapshots()) == before)


def slots(gathering: Gathering) -> float:
    return sum(figures[0] for figures in summed(gathering.snapshots()).get("warren_worker_slots", {}).values())


def echoes(gathering: Gathering) -> float:
    return summed(gathering.snapshots())["jobs_submitted_total"]["echo",][0]


async def test_what_a_dead_child_counted_stays_and_what_stood_in_it_goes(gathering: Gathering) -> None:
    async with child(gathering, ECHOES):
        async with child(gathering, ECHOES):
            assert (200, 6) == (slots(gathering), echoes(gathering))

        assert (100, 6) == (slots(gathering), echoes(gathering))

    assert (0, 6) == (slots(gathering), echoes(gathering))


async def test_a_child_that_tells_again_counts_once(gathering: Gathering) -> None:
    more: Snapshot = {"jobs_submitted_total": {("echo",): [5.0]}}
    async with child(gathering, ECHOES, more):
        assert (0, 5) == (slots(gathering), echoes(gathering))


async def test_many_deaths_leave_one_sum(gathering: Gathering) -> None:
    """
    Nothing grows with the number of those that have died.
    """
    for _ in range(20):
        async with child(gathering, ECHOES):
            pass

    assert (1, 60) == (len(gathering.snapshots()), echoes(gathering))


async def test_a_child_tells_what_it_counts_until_its_end(gathering: Gathering) -> None:
    telling = Telling(gathering.socket, WORKER, [lambda: table.PREFETCH.set(7)])
    async with running([telling]):
        await eventually(lambda: any("warren_worker_prefetch" in told for told in gathering.snapshots()))
        table.DUPLICATES.add()
        counted = table.DUPLICATES.values[()]
    await eventually(lambda: len(gathering.snapshots()) == 1)
    total = summed(gathering.snapshots())

    assert [counted] == total["warren_duplicates_total"][()]
    assert "warren_worker_prefetch" not in total


async def test_a_child_whose_loop_stands_still_tells_its_last_words_from_another_thread(gathering: Gathering) -> None:
    """
    It is ended where it stands; what was counted meanwhile would be told by nobody.
    """
    telling, told, stands, go_on = (
        Telling(gathering.socket, WORKER, []),
        threading.Event(),
        threading.Event(),
        threading.Event(),
    )

    async def live() -> None:
        async with running([telling]):
            await asyncio.to_thread(told.wait)
            stands.set()
            go_on.wait()

    child = asyncio.create_task(asyncio.to_thread(asyncio.run, live()))
    await eventually(lambda: len(gathering.snapshots()) > 1)
    told.set()
    await asyncio.to_thread(stands.wait)
    table.FAILURES.add("last words", "poison")
    await asyncio.to_thread(telling.last_words)
    await eventually(lambda: ("last words", "poison") in summed(gathering.snapshots()).get("warren_failures_total", {}))
    go_on.set()
    await child


HELD_BY_A_GRANDCHILD = """
import os, socket, struct, sys, time
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.sendall(sys.stdin.buffer.read(int(sys.argv[2])))
if os.fork() == 0:
    os.setsid()
    print(os.getpid(), flush=True)
    time.sleep(600)
sys.stdin.buffer.read()  # it lives until its supervisor has met it, which asks the kernel whose session it is of
os._exit(0)
"""


async def test_a_dead_childs_gauges_go_although_a_process_of_its_holds_the_connection(gathering: Gathering) -> None:
    frames = b"".join(struct.pack(">I", len(frame)) + frame for frame in (encode(ECHOES), b"does not consume"))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HELD_BY_A_GRANDCHILD, gathering.socket, str(len(frames)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert child.stdin
    assert child.stdout
    child.stdin.write(frames)
    grandchild = int(await child.stdout.readline())
    await eventually(lambda: slots(gathering) == 100)
    await gathering.departed(child.pid + 1)  # somebody else's end
    still = slots(gathering), gathering.trouble()
    child.stdin.close()
    await eventually(lambda: child.returncode is not None)  # wait() would wait for the pipe that is held, too
    await gathering.departed(child.pid)
    await eventually(lambda: len(gathering.snapshots()) == 1)
    os.kill(grandchild, signal.SIGKILL)
    await child.stdout.read()

    assert (100, "a worker process does not consume") == still
    assert (0, 3, None) == (slots(gathering), echoes(gathering), gathering.trouble())


async def test_what_is_wrong_with_a_child_is_told_until_it_ends(gathering: Gathering) -> None:
    async with child(gathering, ECHOES), child(gathering, ECHOES, trouble="does not consume"):
        await eventually(lambda: gathering.trouble() == "a worker process does not consume")

    assert gathering.trouble() is None


async def test_a_child_without_a_supervisor_is_quiet() -> None:
    async with running([Telling("", WORKER, [])]):
        pass


async def ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ")[1]) if answer else 0, answer.partition(b"\r\n\r\n")[2]


@asynccontextmanager
async def exposed(port: int, trouble: str | None = None) -> AsyncIterator[None]:
    metrics = Metrics(metrics_port=port)  # type: ignore[call-arg]
    async with running([Exposed(metrics, GATEWAY, trouble=lambda: trouble)]):
        await eventually(lambda: _answers(port))
        yield


async def _answers(port: int) -> bool:
    try:
        return bool((await ask(port, b"GET /health/live HTTP/1.1\r\n\r\n"))[0])
    except OSError:
        return False


async def test_the_figures_are_read_over_http() -> None:
    port = free_port()
    async with exposed(port):
        status, text = await ask(port, b"GET /metrics?x=1 HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n")

    assert 200 == status
    assert b"\nwarren_build_info{version=" in text
    assert b"warren_worker_slots" not in text


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"HEAD /metrics HTTP/1.1", 200), (b"POST /metrics HTTP/1.1", 405), (b"GET /other HTTP/1.1", 404),
        (b"GET", 405), (b"\x16\x03\x01", 405), (b"x" * 20_000, 0),
    ],
)  # fmt: skip
async def test_anything_else_is_refused_and_harms_nobody(request_line: bytes, status: int) -> None:
    port = free_port()
    async with exposed(port):
        assert status == (await ask(port, request_line + b"\r\n\r\n"))[0]
        assert 200 == (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0]


async def test_trouble_is_told_where_the_figures_are() -> None:
    port = free_port()
    async with exposed(port, "does not consume"):
        told = await ask(port, b"GET /health/live HTTP/1.1\r\n\r\n")

    assert (503, b"does not consume\n") == told


async def test_a_port_that_is_taken_is_tried_again() -> None:
    port = free_port()
    metrics = Metrics(metrics_port=port)  # type: ignore[call-arg]
    holder = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    async with running([Exposed(metrics, GATEWAY, again_seconds=0.05)]):
        holder.close()
        await holder.wait_closed()
        await eventually(lambda: _answers(port))
