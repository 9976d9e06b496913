"""Services start in order and stop in reverse, whatever goes wrong between."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from wire import lifecycle


class Diary:
    """What services have done, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.begun = asyncio.Event()

    def service(self, name: str, *, start: Exception | None = None, stop: Exception | None = None) -> Recorded:
        return Recorded(self, name, start, stop)


class Recorded:
    def __init__(self, diary: Diary, name: str, start: Exception | None, stop: Exception | None) -> None:
        self._diary, self._name, self._start, self._stop = diary, name, start, stop

    async def start(self) -> None:
        self._diary.lines.append(f"start {self._name}")
        self._diary.begun.set()
        if self._start:
            raise self._start

    async def stop(self) -> None:
        self._diary.lines.append(f"stop {self._name}")
        if self._stop:
            raise self._stop


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def signals() -> Iterator[None]:
    """Handlers that a test sets end with it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_services_start_in_order_and_stop_in_reverse(diary: Diary) -> None:
    async with lifecycle.running([diary.service("a"), diary.service("b"), diary.service("c")]):
        diary.lines.append("run")

    assert ["start a", "start b", "start c", "run", "stop c", "stop b", "stop a"] == diary.lines


async def test_half_a_start_is_undone(diary: Diary) -> None:
    services = [diary.service("a"), diary.service("b", start=OSError("port")), diary.service("c")]
    with pytest.raises(OSError, match="port"):
        async with lifecycle.running(services):
            diary.lines.append("run")

    assert ["start a", "start b", "stop b", "stop a"] == diary.lines


async def test_a_service_that_cannot_stop_does_not_keep_the_others(diary: Diary) -> None:
    with pytest.raises(OSError, match="stuck"):
        async with lifecycle.running([diary.service("a"), diary.service("b", stop=OSError("stuck"))]):
            pass

    assert ["start a", "start b", "stop b", "stop a"] == diary.lines


async def test_what_ends_the_body_stops_the_services(diary: Diary) -> None:
    with pytest.raises(ZeroDivisionError):
        async with lifecycle.running([diary.service("a")]):
            raise ZeroDivisionError

    assert ["start a", "stop a"] == diary.lines


async def test_a_cancelled_process_stops_its_services(diary: Diary) -> None:
    async def life() -> None:
        async with lifecycle.running([diary.service("a")]):
            await asyncio.Event().wait()

    task = asyncio.create_task(life())
    await diary.begun.wait()
    task.cancel()
    await asyncio.wait({task})

    assert ["start a", "stop a"] == diary.lines


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_life_of_a_process_and_a_second_one_is_harmless(diary: Diary, number: int) -> None:
    life = asyncio.create_task(lifecycle.run_until_stopped([diary.service("a")]))
    await diary.begun.wait()
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    await life

    assert ["start a", "stop a"] == diary.lines


async def test_a_pause_ends_with_its_time_or_with_the_stop() -> None:
    stopped = asyncio.Event()
    after_its_time = await lifecycle.pause(stopped, 0)
    stopped.set()
    after_the_stop = await lifecycle.pause(stopped, 3_600)

    assert (False, True) == (after_its_time, after_the_stop)
