"""The threads of sync actors: no call waits while a thread is idle, and none sees what another has set."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest

from actors.attempts.threads import Threads
from tests.eventually import eventually

COUNT = 4
said = contextvars.ContextVar("said", default="nothing")


@pytest.fixture
async def threads() -> AsyncIterator[Threads]:
    found = Threads(COUNT)
    yield found
    found.stop()


async def test_a_call_runs_on_a_thread_and_what_follows_on_the_loop(threads: Threads) -> None:
    called, followed = list[int](), asyncio.get_running_loop().create_future()
    threads.run(lambda: called.append(threading.get_ident()), lambda: followed.set_result(threading.get_ident()))

    assert threading.get_ident() == await followed
    assert called != [threading.get_ident()]


async def test_quick_calls_pass_slow_ones_as_long_as_a_thread_is_left(threads: Threads) -> None:
    """
    Wherever the slow ones stand in the row: whoever could have been given a quick one together with them is held up.
    """
    over, slow, quick = threading.Event(), list[int](), list[int]()
    for number in range(40):
        if number in (3, 4, 20):
            threads.run(lambda: _wait_for(over), partial(slow.append, number))
        else:
            threads.run(_nothing, partial(quick.append, number))
    await eventually(lambda: len(quick) == 40 - 3)
    slow_then = list(slow)
    over.set()
    await eventually(lambda: len(slow) == 3)

    assert [] == slow_then


async def test_all_threads_wait_at_once(threads: Threads) -> None:
    """
    The wake-ups go on from thread to thread, and none is left out, however often.
    """
    met = list[int]()
    for number in range(1, 16):
        together = threading.Barrier(COUNT)
        for _ in range(COUNT):
            threads.run(partial(_meet, together), partial(met.append, number))
        await eventually(partial(_is_full, met, COUNT * number))

    assert COUNT * 15 == len(met)


async def test_calls_that_come_one_by_one_are_all_done(threads: Threads) -> None:
    ended = list[int]()
    for number in range(5_000):
        threads.run(_nothing, partial(ended.append, number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await eventually(lambda: len(ended) == 5_000)

    assert list(range(5_000)) == sorted(ended)


async def test_what_one_call_sets_no_other_sees(threads: Threads) -> None:
    seen, ended = list[str](), list[int]()

    def call() -> None:
        seen.append(said.get())
        said.set("something")

    for _ in range(3 * COUNT):
        threads.run(call, lambda: ended.append(1))
    await eventually(lambda: len(ended) == 3 * COUNT)

    assert {"nothing"} == set(seen)


async def test_calls_that_no_thread_has_begun_can_be_left(threads: Threads) -> None:
    """
    Those that run are left alone; the others are followed up, and never called.
    """
    over, begun, ended = threading.Event(), list[int](), list[int]()
    for number in range(COUNT):
        threads.run(partial(_begin, begun, over), partial(ended.append, number))
    await eventually(lambda: len(begun) == COUNT)
    for number in range(COUNT, COUNT + 10):
        threads.run(partial(begun.append, number), partial(ended.append, number))
    waited = await eventually(threads.waits)
    threads.leave()
    left = list(ended)
    over.set()
    await eventually(lambda: len(ended) == COUNT + 10)

    assert waited > 0 == threads.waits()
    assert list(range(COUNT, COUNT + 10)) == left
    assert COUNT == len(begun)


def _begin(begun: list[int], over: threading.Event) -> None:
    begun.append(1)
    over.wait(60)


def _nothing() -> None:
    pass


def _wait_for(fact: threading.Event) -> None:
    fact.wait(60)


def _meet(barrier: threading.Barrier) -> None:
    barrier.wait(60)


def _is_full(found: list[int], count: int) -> bool:
    return len(found) == count


async def test_a_call_that_ends_its_thread_does_not_end_it(threads: Threads) -> None:
    """
    A middleware's SystemExit, on each thread twice: what follows still follows, and there are threads for others.
    """
    followed = list[int]()

    def leave() -> None:
        raise SystemExit(1)

    for number in range(2 * COUNT):
        threads.run(leave, partial(followed.append, number))
    await eventually(lambda: len(followed) == 2 * COUNT)
    threads.run(_nothing, partial(followed.append, -1))

    assert await eventually(lambda: -1 in followed)
