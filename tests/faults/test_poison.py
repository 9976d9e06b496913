"""Jobs and messages that kill: the culprit is taken out, its neighbours are done, no death repeats for ever."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.faults.apart import Apart, apart
from tests.faults.strangers import STRANGERS, publish
from tests.journey.api import Api, client
from tests.journey.stack import Stack

STUCK_SECONDS, LEASE_SECONDS = 10.0, 4.0  # a machine that stands still for moments is between the two, too
BLAMED = "convictions > 0 OR reason IS NOT NULL OR state <> 'completed'"


@dataclass(frozen=True, slots=True)
class Form:
    ways: Sequence[str]
    running: int
    running_seconds: float
    prefetched: int
    within: float


@pytest.fixture(scope="module")
def form(long: bool) -> Form:
    return Form(("exit", "segfault", "kill"), 100, 3.0, 400, 600) if long else Form(("exit",), 10, 1.0, 40, 300)


@pytest.fixture(scope="module")
def house(postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Leases and patience shortened."""
    settings = {
        "WARREN_ACTORS": "journey_jobs,deadly_jobs",
        "WARREN_HEARTBEAT_SECONDS": "0.3",
        "WARREN_LEASE_SECONDS": f"{LEASE_SECONDS}",
        "WARREN_STUCK_SECONDS": f"{STUCK_SECONDS}",
    }
    with apart(postgres, rabbitmq, tmp_path_factory.mktemp("poison"), **settings) as one:
        yield one


@pytest.fixture(scope="module")
def stack(house: Apart) -> Stack:
    return house.stack


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


async def test_messages_that_no_reader_expects_stop_nobody(api: Api, stack: Stack, house: Apart) -> None:
    """
    Each is done or becomes a dead letter; no connection and no process falls over any of them.
    """
    await _work(stack, "strangers", processes=2)
    await asyncio.to_thread(publish, stack.amqp_url, STRANGERS)
    await eventually(lambda: _all_settled(api), within=60)
    marker = await api.finished(await api.submit("echo"))
    found = {one.name: await _fate(api, one.message_id) for one in STRANGERS}
    lost = [stack.logged(name, event) for name, event in (("strangers", "consumer_lost"), ("recorder", "broker_lost"))]
    died = stack.logged("strangers", "worker_died")
    await asyncio.to_thread(stack.stop, "strangers")

    assert {one.name: one.reason or "completed" for one in STRANGERS} == found
    assert ("completed", [[], []], []) == (marker["state"], lost, died)


async def test_a_blocked_loop_keeps_its_leases_and_ends_with_its_culprit_named(api: Api, stack: Stack) -> None:
    """
    For less than the bound nobody takes its jobs over; beyond it the process ends, and only the culprit is charged.
    """
    await _work(stack, "blocked", "--concurrency", "50", processes=2)
    honest = await _submit(api, "nap", 20, seconds=LEASE_SECONDS + 0.8)
    await eventually(lambda: _running(api, honest))
    short = await api.submit("blocks", {"seconds": LEASE_SECONDS + 0.8})
    await api.all_finished(short, *honest)
    kept = await api.sql("SELECT id FROM jobs WHERE id = ANY($1) AND lease > 1", [short, *honest])

    neighbours = await _submit(api, "nap", 20, seconds=STUCK_SECONDS + 2)
    await eventually(lambda: _running(api, neighbours))
    culprit = await api.submit("blocks", {"seconds": 120})
    jobs = await api.all_finished(culprit, *neighbours, within=60)
    (told,) = stack.logged("blocked", "loop_blocked")
    rows = await api.sql("SELECT id, lease, crashes, convictions FROM jobs WHERE id = ANY($1)", [culprit, *neighbours])
    charged = {str(row["id"]): (row["crashes"], row["convictions"]) for row in rows if row["crashes"]}
    interrupted = [row for row in rows if row["lease"] > 1]
    await asyncio.to_thread(stack.stop, "blocked")

    assert [] == kept
    assert {"completed"} == {job["state"] for job in jobs}
    assert (culprit, "blocks") == (told["job_id"], told["type"])
    assert "deadly_jobs.py" in told["stack"]
    assert "in blocks" in told["stack"]
    assert {culprit: (1, 1)} == charged
    assert 2 <= len(interrupted) < len(rows)


async def test_the_poison_of_a_blocked_loop_is_counted_although_its_process_ends(api: Api, stack: Stack) -> None:
    await _work(stack, "last_words", processes=1)
    job_id = await api.submit("blocks", {"seconds": 120}, delay=1.5)
    await api.sql("UPDATE jobs SET crashes = 2, convictions = 2 WHERE id = $1", job_id)
    job = await api.finished(job_id, within=60)
    series = 'warren_failures_total{type="blocks",reason="poison"}'
    await eventually(lambda: _is_counted(stack, series))
    await asyncio.to_thread(stack.stop, "last_words")

    assert ("failed", "poison") == (job["state"], job["reason"])


async def test_a_killer_is_failed_as_poison_and_its_neighbours_are_done_unblamed(
    api: Api, stack: Stack, form: Form, tell: Callable[[str], None]
) -> None:
    """
    Beside it jobs run, and more lie in the same process; a job is convicted only where it is the sole suspect.
    """
    slots = form.running + len(form.ways)
    window = str(slots + form.prefetched)
    await _work(
        stack, "crowded", "--queues", "default", "--concurrency", str(slots), processes=1, WARREN_PREFETCH=window
    )
    killers = [await api.submit("dies", {"way": way}) for way in form.ways]
    running = await _submit(api, "bystands", form.running, seconds=form.running_seconds)
    await eventually(lambda: _running(api, [*killers, *running]), within=60)
    prefetched = await _submit(api, "nap", form.prefetched, seconds=0.0)
    await eventually(lambda: _held(api, form.prefetched // 2))
    stack.witness.with_name(stack.witness.name + ".go").touch()
    await eventually(lambda: _all_ended(api, [*killers, *running, *prefetched]), within=form.within)
    ends = await api.sql("SELECT state, reason, convictions FROM jobs WHERE id = ANY($1)", killers)
    blamed = await api.sql(f"SELECT * FROM jobs WHERE id = ANY($1) AND ({BLAMED})", [*running, *prefetched])
    (spared,) = await api.sql("SELECT count(*) AS n FROM jobs WHERE id = ANY($1) AND crashes = 0", prefetched)
    deaths = len(stack.logged("crowded", "worker_died"))
    await asyncio.to_thread(stack.stop, "crowded")

    tell(f"{deaths} deaths, {spared['n']} of {form.prefetched} prefetched jobs never ran beside a killer")
    assert [("failed", "poison", 3)] * len(killers) == [tuple(row.values()) for row in ends]
    assert [] == blamed
    assert deaths <= 1 + 6 * len(killers)


async def test_a_crash_apart_costs_an_attempt_and_a_killed_worker_leaves_no_process(api: Api, stack: Stack) -> None:
    """
    The crash is told and no worker dies of it; the worker is killed while a child process is at work, and so is what
    that has started; its job runs again elsewhere.
    """
    await _work(stack, "isolating", processes=1)
    crash = await api.finished(await api.submit("crashes_apart"))
    unhurt = not stack.logged("isolating", "worker_died")
    lasting = await api.submit("lasts_apart")
    others = await _submit(api, "nap", 30, seconds=0.2)
    apart = stack.witness.with_name(stack.witness.name + ".apart")
    await eventually(lambda: apart.exists() and apart.read_text().endswith("\n"))
    (worker,) = stack.worker_pids("isolating")
    os.kill(worker, signal.SIGKILL)
    pids = [int(pid) for pid in apart.read_text().split()]
    await eventually(lambda: not any(map(_lives, pids)))
    jobs = await api.all_finished(lasting, *others)
    await asyncio.to_thread(stack.stop, "isolating")

    assert (True, "failed", "exhausted") == (unhurt, crash["state"], crash["reason"])
    assert "the child process was ended by SIGSEGV" in crash["error"]["message"]
    assert {"completed"} == {job["state"] for job in jobs}
    assert (2, 2) == (len(pids), jobs[0]["result"])


async def _is_counted(stack: Stack, series: str) -> bool:
    return (await asyncio.to_thread(stack.scrape, "last_words"))[series] > 0


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def _work(stack: Stack, name: str, *options: str, processes: int, **settings: str) -> None:
    stack.workers(name, *options, processes=processes, **settings)
    await eventually(lambda: asyncio.to_thread(stack.consuming, processes), within=60)


async def _submit(api: Api, job_type: str, count: int, **payload: float) -> list[str]:
    return list(await asyncio.gather(*(api.submit(job_type, payload) for _ in range(count))))


async def _running(api: Api, ids: Sequence[str]) -> bool:
    return len(ids) == await _count(api, "state = 'running'", ids)


async def _all_ended(api: Api, ids: Sequence[str]) -> bool:
    return len(ids) == await _count(api, "state IN ('completed', 'failed', 'cancelled', 'expired')", ids)


async def _count(api: Api, condition: str, ids: Sequence[str]) -> int:
    return int((await api.sql(f"SELECT count(*) AS n FROM jobs WHERE id = ANY($1) AND {condition}", ids))[0]["n"])


async def _held(api: Api, at_least: int) -> bool:
    """Whether so many lie in a worker, unclaimed, by its own word."""
    rows = await api.sql("SELECT 1 FROM workers WHERE ended_at IS NULL AND waiting >= $1", at_least)
    return bool(rows)


async def _all_settled(api: Api) -> bool:
    return None not in [await _fate(api, one.message_id) for one in STRANGERS]


async def _fate(api: Api, message_id: str) -> str | None:
    """What became of a message: its job's state, or its dead letter's reason; None as long as it is on its way."""
    rows = await api.sql(
        "SELECT coalesce((SELECT state FROM jobs WHERE id::text = $1 AND state = 'completed'),"
        "                (SELECT min(reason) FROM dead_letters WHERE message_id = $1)) AS fate",
        message_id,
    )
    fate = rows[0]["fate"]
    return None if fate is None else str(fate)
