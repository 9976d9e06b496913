"""What a function does to its child process costs its own attempt: its worker, here the test, has a reason."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import dramatiq
import pytest

from actors.broker import JobBroker
from actors.context import Context, current
from actors.ends import PermanentError, RetryAfter
from actors.isolation import memory
from actors.isolation.child import how_it_ended
from actors.isolation.children import Children
from actors.isolation.raised import ChildDied, TooMuchMemory
from tests.eventually import eventually
from tests.room.actors import isolated_jobs
from wire.metrics import table
from wire.settings import Children as ChildrenSettings
from wire.settings import Limits
from wire.tracing import Trace

NOWHERE = {"AMQP_URL": "amqp://u:p@127.0.0.1:1/", "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}
ALLOWED = {"WARREN_OUTBOUND_ALLOW": "127.0.0.1:1"}  # where nobody listens


class Worker:
    """Runs isolated jobs, and knows neither queues nor Postgres."""

    def __init__(self, **settings: float) -> None:
        self._broker = JobBroker(NOWHERE["AMQP_URL"], Limits(), "test")
        before = dramatiq.broker.global_broker
        dramatiq.set_broker(self._broker)
        isolated_jobs.declare()
        dramatiq.broker.global_broker = before
        environment = {**os.environ, **NOWHERE, **ALLOWED, "WARREN_ACTORS": isolated_jobs.__name__}
        self.children = Children(ChildrenSettings.model_validate(settings), environment)

    async def does(
        self, what: str, said: object = None, name: str = "apart_sync", job: Context | None = None
    ) -> object:
        """One attempt, by the way that the lane's take."""
        apart = self.children.apart(self._broker.actors[name])
        assert apart is not None
        current.set(job or context(name))
        return await apart(what=what, said=said)

    async def pid(self) -> int:
        found = await self.does("who")
        assert isinstance(found, dict)
        assert os.getcwd() == found["folder"]
        return int(found["pid"])


def context(name: str = "apart_sync") -> Context:
    return Context(uuid4(), name, "default", 1, 0, 5, Trace.begin(), in_function=True)


@contextlib.asynccontextmanager
async def working(**settings: float) -> AsyncIterator[Worker]:
    worker = Worker(**settings)
    try:
        yield worker
    finally:
        await worker.children.stop()


def lives(pid: int) -> bool:
    """Whether it is there, and no corpse that nobody has asked about yet."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_what_a_function_does_costs_its_own_attempt_and_perhaps_its_process(tmp_path: Path) -> None:
    """
    Errors cross as what they are, and are no reason to replace a process; so many jobs are, and what is left running.
    """
    job, before = context(), told()
    async with working(child_jobs=8) as worker:
        first = await worker.pid()
        held, at_rest = held_by(worker), dict(table.CHILDREN.values)
        with pytest.raises(PermanentError, match="never"):
            await worker.does("end", "permanent")
        with pytest.raises(RetryAfter) as later:
            await worker.does("end", "later", "apart")
        with pytest.raises(Exception, match="with its own name") as own:
            await worker.does("end", "own", "apart")
        odd = await worker.does("odd")
        with pytest.raises(Exception, match=r"\?"):
            await worker.does("end", "surrogate")
        await worker.does("move", str(tmp_path))
        last = await worker.pid()
        second = await worker.pid()
        fetched = await worker.does("fetch_apart")
        third = await worker.does("leave_a_process", str(tmp_path / "left"))
        with pytest.raises(ChildDied, match="was ended by SIGSEGV"):
            await worker.does("crash", job=job)
        with pytest.raises(TooMuchMemory, match="took more than 300 MB of memory"):
            await worker.does("take", 400)
        left = int((tmp_path / "left").read_text())
        await eventually(lambda: not lives(left))

    assert {"started": 4, "recycled": 2, "crashed": 1, "memory": 1} == told(before)
    assert ({("busy",): 0, ("free",): 1}, True) == (at_rest, held > 10_000_000)
    assert (first, second) == (last, third)
    assert len({first, second}) == 2
    assert [False, False] == [lives(first), lives(second)]
    assert ("Own", 60) == (type(own.value).__name__, later.value.after.total_seconds())
    assert "isolated_jobs.py" in own.value.told_stack  # type: ignore[attr-defined]
    assert str(fetched).startswith("Unreachable: ")  # a sync function's guard has the settings too
    assert "Out of range float" in str(odd)
    assert job.lines is not None
    assert "the last word" in str(job.lines.take())


async def test_who_is_asked_to_stop_ends_and_who_is_not_is_killed_with_all_it_has_started(tmp_path: Path) -> None:
    before = told()
    async with working(children=1, child_idle_seconds=0.01) as worker:
        interrupted = await stopped(worker, "wait_for_ever", tmp_path / "async", "apart")
        noticed = await stopped(worker, "ask_for_ever", tmp_path / "sync", "apart_sync")
        await eventually(lambda: not lives(int(noticed[1][0])))  # it had nothing to do
        killed = await stopped(worker, "hear_nothing", tmp_path / "deaf", "apart_sync", at_once=True)
        family = [int(pid) for pid in killed[1]]
        await eventually(lambda: not any(map(lives, family)))

    assert {"started", "idle", "timeout"} == told(before).keys()
    assert ["cancelled", "noticed", "cancelled"] == [interrupted[0], noticed[0], killed[0]]
    assert 3 == len(family)
    assert "interrupted" == (tmp_path / "async").read_text()


async def stopped(
    worker: Worker, what: str, place: Path, name: str, *, at_once: bool = False
) -> tuple[object, list[str]]:
    """How it ended that was stopped in the middle, and the processes it was."""
    job = context(name)
    attempt = asyncio.create_task(worker.does(what, str(place), name, job))
    said = await eventually(lambda: place.exists() and place.read_text().split())
    job.asked_to_stop, job.out_of_time = True, at_once
    attempt.cancel()
    await asyncio.wait({attempt})
    return "cancelled" if attempt.cancelled() else attempt.result(), list(said)


def told(before: dict[str, float] | None = None) -> dict[str, float]:
    """How many child processes were started, and by what words they ended; those since then."""
    now = {"started": table.CHILDREN_STARTED.values[()], **{w: n for (w,), n in table.CHILDREN_ENDED.values.items()}}
    return {word: count for word in now if (count := now[word] - (before or {}).get(word, 0.0)) or before is None}


def held_by(worker: Worker) -> float:
    """Bytes of memory, as the metrics have it."""
    worker.children.look()
    return table.CHILDREN_MEMORY.values[()]


async def test_a_child_that_cannot_start_says_why() -> None:
    async with working() as worker:
        worker.children = Children(ChildrenSettings(), {**os.environ, **NOWHERE, "WARREN_ACTORS": "nowhere"})
        with pytest.raises(ChildDied, match="could not start: WARREN_ACTORS names nowhere, which cannot be imported"):
            await worker.does("who")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended itself with exit code 0"),
        (-6, "was ended by SIGABRT"),
        (-9, "was ended by SIGKILL (by the kernel, where the machine's memory ended, or by hand)"),
        (-99, "was ended by signal 99"),
        (None, "has hung up"),
    ],
)
def test_an_exit_code_is_told_in_words(code: int | None, words: str) -> None:
    assert words == how_it_ended(code)


def test_memory_of_a_process_that_is_gone_is_none() -> None:
    assert (0, [2**22 + 1]) == (memory.taken(2**22 + 1), memory.family(2**22 + 1))
    assert memory.taken(os.getpid()) > 10_000_000
