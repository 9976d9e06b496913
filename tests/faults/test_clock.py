"""Clocks are killed, frozen and started at random, and the stores under them: each due time has one run and one job.

Nobody is told which clock holds what; the rows are compared with a count of seconds that asks nobody, and the jobs'
starts with the witness.  How late a run may be is held only in the long form, which has the machine to itself.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest
import pytest_asyncio

from deploy.servers.instance import Instance
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.faults.apart import apart
from tests.faults.clocks import NAMES, Blow, Clocks
from tests.faults.timetable import Run, Timetable, account, ended, wind
from tests.faults.witness import Witness
from tests.journey.api import Api, client
from tests.journey.stack import Stack

LATE_AFTER_KILL, LATE_AFTER_FREEZE = 2.0, 12.0  # the bars
SEED, AWAY_SECONDS = 7, 1.5
RUNS_OF = "SELECT count(*) AS runs FROM schedule_runs WHERE schedule_id = ANY($1::uuid[])"
Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def stack(postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Warren on the servers of the folder, with a database in which nobody else has jobs."""
    with apart(postgres, rabbitmq, tmp_path_factory.mktemp("clocks")) as one:
        one.stack.workers()
        one.stack.wait_until(lambda: one.stack.consuming(2), "2 workers consume")
        yield one.stack


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


async def test_clocks_that_are_killed_and_frozen_at_random_fire_each_due_time_once(
    api: Api, stack: Stack, tell: Tell, long: bool
) -> None:
    """
    Three of them, and never all hurt at once.
    """
    schedules, times, between = (200, 60, (1.0, 4.0)) if long else (30, 4, (0.3, 0.9))
    clocks, witness = Clocks(stack, dice=random.Random(SEED)), Witness(stack.timeline)
    await clocks.start_all()
    table = await wind(api, schedules, times)
    await clocks.hurt(times + 2, between)
    await ended(api, table, within=90)
    found = await account(api, table, witness)
    tell(f"clocks: {clocks.told()}; {found.line()}")

    assert {} == found.faults
    assert table.runs == len(found.runs)
    assert not long or [] == _too_late(found.runs, clocks.blows)


async def test_a_clock_that_wakes_without_its_segments_makes_no_run(
    api: Api, stack: Stack, tell: Tell, long: bool
) -> None:
    """
    It is frozen until Postgres has ended its session, and somebody else holds the segments when it wakes: though it
    has hundreds of due times before it, it makes none of their runs.  Given its segments back, it makes them all.
    """
    clocks, witness = Clocks(stack), Witness(stack.timeline)
    await clocks.only(NAMES[0])
    table = await wind(api, 10, 20 if long else 4)
    await eventually(lambda: _has_run(api, table, 10), within=60)
    clocks.freeze(NAMES[0])
    began = time.monotonic()
    if not long:
        await clocks.cut()
    await eventually(lambda: _nobody_holds(clocks), within=30)
    silence = time.monotonic() - began
    async with clocks.robbed():
        runs = await _runs(api, table)
        clocks.thaw(NAMES[0])
        await clocks.looks(NAMES[0], 3)
        made = await _runs(api, table) - runs
    await ended(api, table, within=90)
    found = await account(api, table, witness)
    tell(f"clock frozen: its segments were free after {silence:.1f} s; then {found.line()}")

    assert 0 == made
    assert {} == found.faults
    assert not long or silence < LATE_AFTER_FREEZE - LATE_AFTER_KILL


@pytest.mark.parametrize("store", ["postgres", "rabbitmq"])
async def test_a_store_that_is_killed_under_the_clocks_costs_no_due_time(
    api: Api, stack: Stack, postgres: Postgres, rabbitmq: RabbitMQ, tell: Tell, store: str, long: bool
) -> None:
    """
    It stays away while some are due: they are late then, and not missed.
    """
    server: Instance = postgres if store == "postgres" else rabbitmq
    schedules, times = (200, 40) if long else (15, 3)
    clocks, witness = Clocks(stack, NAMES[:2]), Witness(stack.timeline)
    await clocks.start_all()
    table = await wind(api, schedules, times)
    await eventually(lambda: _has_run(api, table, schedules), within=60)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(AWAY_SECONDS)  # the outage itself, not a wait for something
    await asyncio.to_thread(server.start)
    await ended(api, table, within=120)
    found = await account(api, table, witness)
    tell(f"{store} killed under two clocks: {found.line()}")

    assert {} == found.faults
    assert table.runs == len(found.runs)


async def test_clocks_whose_own_time_is_wrong_go_by_the_databases(api: Api, stack: Stack, tell: Tell) -> None:
    """
    Theirs jumps by two hours every second.
    """
    witness, wrong = Witness(stack.timeline), ("tests.faults.wrong_clock", "scheduler")
    await Clocks(stack).stop_all()
    clocks = Clocks(stack, ["scheduler-wrong", "scheduler-wrong-2"], command=wrong)
    await clocks.start_all()
    table = await wind(api, 20, 3)
    await ended(api, table, within=60)
    found = await account(api, table, witness)
    await clocks.stop_all()
    tell(f"clocks an hour ahead and behind: {found.line()}")

    assert {} == found.faults
    assert table.runs == len(found.runs)
    assert [] == [run for run in found.runs if run.late < 0]


async def _has_run(api: Api, table: Timetable, runs: int) -> bool:
    return await _runs(api, table) >= runs


async def _runs(api: Api, table: Timetable) -> int:
    (row,) = await api.sql(RUNS_OF, list(table.schedule_ids))
    return int(row["runs"])


async def _nobody_holds(clocks: Clocks) -> bool:
    return not await clocks.holders()


def _too_late(runs: Sequence[Run], blows: list[Blow]) -> list[tuple[Run, float]]:
    """A freeze explains the lateness of what is due until it is noticed, and a kill never more than its own bar."""
    frozen = [blow.at for blow in blows if blow.what == "frozen"]

    def allowed(run: Run) -> float:
        due = run.due_at.timestamp()
        near = any(at - LATE_AFTER_KILL <= due <= at + LATE_AFTER_FREEZE for at in frozen)
        return LATE_AFTER_FREEZE if near else LATE_AFTER_KILL

    return [(run, allowed(run)) for run in runs if run.late > allowed(run)]
