"""Processes and servers are killed while a backlog drains: every accepted job ends, and is recorded once.

Each kill is a SIGKILL.  What is counted is counted by the witness; see ledger.py.  A worker's death may make a job run
twice, and only a job that it held; the death of anything else makes none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.servers.instance import Instance
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.faults.ledger import completed, ledger
from tests.faults.load import Callers, accept, feeding
from tests.faults.witness import Witness
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

HOLDS = 20
PATIENCE, PATIENCE_LONG = 10, 3  # a machine that is busy with other things; the figures that are told tell what it was
Tell = Callable[[str], None]


async def test_killed_workers_lose_no_job_and_record_none_twice(api: Api, stack: Stack, tell: Tell, long: bool) -> None:
    """
    Each time the one that dies has jobs in hand.
    """
    jobs, kills = (20_000, 6) if long else (1_400, 2)
    witness, began, killed, moments = Witness(stack.timeline), time.monotonic(), list[int](), list[float]()
    async with feeding(stack, jobs) as ids:
        for kill in range(1, kills + 1):
            await eventually(lambda: len(witness.look().starts()) >= kill * jobs / (kills + 2), within=120)  # noqa: B023
            killed.append(await eventually(lambda: _killed_at_work(stack, witness)))
            moments.append(time.time())
    await eventually(lambda: witness.look().ended() >= set(ids), within=120)
    await eventually(lambda: completed(api, ids), within=60)
    found = await ledger(api, witness, ids, killed)
    longest = max(witness.stall_after(moment) for moment in moments)
    tell(f"{kills} workers killed: {found.line()}; {_rate(jobs, began)}; longest stall {longest:.2f} s")

    assert {} == found.faults
    assert 0 < found.in_flight <= kills * 2 * 100  # else the kills came between jobs, or nothing was recorded
    assert longest < 2 * (PATIENCE_LONG if long else PATIENCE)


async def test_a_killed_rabbitmq_loses_no_job(
    api: Api, stack: Stack, rabbitmq: RabbitMQ, tmp_path: Path, tell: Tell, long: bool
) -> None:
    """
    Under a backlog, under callers, and under jobs that last longer than the outage: those run once.
    """
    jobs, kills = (20_000, 3) if long else (1_000, 1)
    stall = await _outages(api, stack, rabbitmq, tmp_path, tell, jobs=jobs, outages=[0.0] * kills)

    assert stall < 5 * (PATIENCE_LONG if long else PATIENCE)


async def test_a_killed_postgres_loses_no_job(
    api: Api, stack: Stack, postgres: Postgres, tmp_path: Path, tell: Tell, long: bool
) -> None:
    """
    The same, and at last it stays away for a while.
    """
    jobs, outages = (20_000, [0.0, 0.0, 0.0, 90.0]) if long else (1_000, [2.0])
    stall = await _outages(api, stack, postgres, tmp_path, tell, jobs=jobs, outages=outages)

    assert stall < 5 * (PATIENCE_LONG if long else PATIENCE)


async def test_a_killed_gateway_keeps_its_promises(api: Api, stack: Stack, tell: Tell, long: bool) -> None:
    """
    Whatever it answered 202 is done, though it was killed while callers were answered.
    """
    kills, calls = (6, 500) if long else (2, 150)
    witness = Witness(stack.timeline)
    async with Callers(stack.url, 16) as callers:
        for _ in range(kills):
            before = len(callers.accepted)
            await eventually(lambda: len(callers.accepted) >= before + calls, within=60)  # noqa: B023 - of this turn
            stack.kill("gateway")
            stack.start("gateway")
        before = len(callers.accepted)
        await eventually(lambda: len(callers.accepted) >= before + calls, within=60)
    ids = callers.accepted
    await eventually(lambda: witness.look().ended() >= set(ids), within=60)
    await eventually(lambda: completed(api, ids), within=60)
    found = await ledger(api, witness, ids)
    tell(f"gateway killed {kills} times: {found.line()}; {callers.unanswered} calls unanswered")

    assert {} == found.faults
    assert callers.unanswered


async def test_a_killed_scheduler_and_recorder_lose_no_job(
    api: Api, stack: Stack, rabbit: Rabbit, tell: Tell, long: bool
) -> None:
    """
    The jobs come by the public door, so that each needs the recorder for its row.
    """
    jobs, kills = (20_000, 3) if long else (1_000, 1)
    witness, began = Witness(stack.timeline), time.monotonic()
    ids = await rabbit.preload("step", {"seconds": 0.02}, jobs)
    for kill in range(1, kills + 1):
        await eventually(lambda: len(witness.look().starts()) >= kill * jobs / (kills + 2), within=120)  # noqa: B023
        before = len(stack.logged("scheduler", "broker_connected"))
        for name, command in (("recorder", "persistence"), ("scheduler", "scheduler")):
            stack.kill(name)
            stack.start(name, command)
    await eventually(lambda: len(stack.logged("scheduler", "broker_connected")) > before, within=60)
    await eventually(lambda: witness.look().ended() >= set(ids), within=120)
    await eventually(lambda: completed(api, ids), within=60)
    await eventually(lambda: _is_empty(rabbit, "births"), within=60)
    found = await ledger(api, witness, ids)
    tell(f"scheduler and recorder killed {kills} times: {found.line()}; {_rate(jobs, began)}")

    assert {} == found.faults
    assert [] == await api.sql("SELECT id FROM dead_letters WHERE job_id = ANY($1)", ids)


async def _outages(
    api: Api, stack: Stack, server: Instance, folder: Path, tell: Tell, *, jobs: int, outages: list[float]
) -> float:
    """The longest time until a job started after an outage."""
    witness, began, stalls, all_held = Witness(stack.timeline), time.monotonic(), list[float](), list[str]()
    async with Callers(stack.url, 4) as callers, feeding(stack, jobs) as fed:
        for number, seconds in enumerate(outages, 1):
            await eventually(lambda: len(witness.look().starts()) >= number * jobs / (len(outages) + 2), within=120)  # noqa: B023
            async with _held(stack, witness, folder / f"door {number}") as held:
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(seconds)  # the outage itself, not a wait for something
                await asyncio.to_thread(server.start)
                back = time.time()
                await eventually(lambda: witness.look().stall_after(back) < float("inf"), within=60)  # noqa: B023
            all_held += held
            stalls.append(witness.stall_after(back))
    ids = [*fed, *all_held, *callers.accepted]
    await eventually(lambda: witness.look().ended() >= set(ids), within=180)
    await eventually(lambda: completed(api, ids), within=60)
    found = await ledger(api, witness, ids)
    tell(
        f"{server.name} killed {len(outages)} times: {found.line()}; {_rate(len(ids), began)}; "
        f"first start after it was back: {', '.join(f'{stall:.2f}' for stall in stalls)} s; "
        f"{callers.refused} calls refused"
    )

    assert {} == found.faults
    assert 0 == found.ran_twice
    return max(stalls)


@asynccontextmanager
async def _held(stack: Stack, witness: Witness, door: Path) -> AsyncIterator[list[str]]:
    """Jobs that run from now on until this is over."""
    ids = await accept(stack, "hold", [{"opens": str(door)}] * HOLDS)
    await eventually(lambda: witness.look().starts().keys() >= set(ids), within=60)
    yield ids
    door.touch()  # noqa: ASYNC240 - a moment


def _killed_at_work(stack: Stack, witness: Witness) -> int | None:
    """A worker that was killed with jobs in hand; None when none had any."""
    for pid in random.sample(pids := stack.worker_pids(), len(pids)):
        with contextlib.suppress(ProcessLookupError):  # one of those that were killed before was still there
            os.kill(pid, signal.SIGSTOP)  # it must not end them while we look
            if witness.look().asleep_in(pid):
                os.kill(pid, signal.SIGKILL)
                return pid
            os.kill(pid, signal.SIGCONT)
    return None


async def _is_empty(rabbit: Rabbit, queue: str) -> bool:
    return 0 == await rabbit.ready(queue)


def _rate(jobs: int, began: float) -> str:
    seconds = time.monotonic() - began
    return f"drained in {seconds:.1f} s ({jobs / seconds:,.0f}/s)"
