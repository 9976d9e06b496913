"""Services start in order and stop in reverse, whatever goes wrong between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
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


async def test_a_loop_in_which_somebody_takes_its_end_for_an_outage_ends_all_the_same() -> None:
    """
    As a client library does whose call is interrupted, and which finds its connection in use.
    """
    calls = asyncio.Semaphore(0)

    async def goes_on() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await calls.acquire()
        await calls.acquire()

    loop = asyncio.create_task(goes_on())
    await asyncio.sleep(0)
    await asyncio.wait_for(lifecycle.ended(loop, 0.0, again_seconds=0.01), 30)

    assert loop.cancelled()


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_life_of_a_process_and_a_second_one_is_harmless(diary: Diary, number: int) -> None:
    life = asyncio.create_task(lifecycle.run_until_stopped([diary.service("a")]))
    await diary.begun.wait()
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    await life

    assert ["start a", "stop a"] == diary.lines


@pytest.mark.usefixtures("signals")
async def test_between_two_signals_there_is_no_moment_in_which_the_second_kills() -> None:
    stopped, met = lifecycle.stop_signal(), set()
    sys.setprofile(lambda *_: met.add(signal.getsignal(signal.SIGTERM)))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopped.wait()
    finally:
        sys.setprofile(None)

    assert signal.SIG_IGN in met
    assert signal.SIG_DFL not in met


async def test_a_pause_ends_with_its_time_or_with_the_stop() -> None:
    stopped = asyncio.Event()
    after_its_time = await lifecycle.pause(stopped, 0)
    stopped.set()
    after_the_stop = await lifecycle.pause(stopped, 3_600)

    assert (False, True) == (after_its_time, after_the_stop)


ENDS = {
    "by an error of ours": "raise ZeroDivisionError('a fault of ours')",
    "by a library that cancels whoever waits for a stuck peer": "raise asyncio.CancelledError",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_lasting_loop_that_ends_takes_its_process_with_it(end: str) -> None:
    """
    A process that is up and has silently stopped half of its work is worse than one that is started again.
    """
    ended = run(f"async def loop():\n    {ENDS[end]}\n", "lifecycle.lasting(loop(), 'sweep'); await asyncio.sleep(30)")

    assert os.EX_SOFTWARE == ended.returncode
    assert "loop_broken" in ended.stdout
    assert "sweep" in ended.stdout


def test_a_lasting_loop_that_its_owner_stops_ends_alone() -> None:
    ended = run(
        "async def loop():\n    await asyncio.sleep(30)\n",
        "task = lifecycle.lasting(loop(), 'sweep'); await asyncio.sleep(0); task.cancel(); await asyncio.wait({task})",
    )

    assert (0, "") == (ended.returncode, ended.stdout)


async def test_a_stuck_peer_is_a_lost_connection_and_a_cancel_stays_a_cancel() -> None:
    async def asks(answer: asyncio.Future[None]) -> None:
        with lifecycle.stuck_peers_are_lost():
            await answer

    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]
    stuck, stopped = [asyncio.create_task(asks(answer)) for answer in answers]
    await asyncio.sleep(0)  # both wait
    answers[0].cancel()
    stopped.cancel()
    await asyncio.wait({stuck, stopped})

    assert isinstance(stuck.exception(), ConnectionError)
    assert stopped.cancelled()


def run(definition: str, body: str) -> subprocess.CompletedProcess[str]:
    program = (
        f"import asyncio\nfrom wire import lifecycle\n{definition}\nasync def main():\n    {body}\nasyncio.run(main())"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
