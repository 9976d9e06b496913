"""Messages are taken away behind Warren's back: their jobs are found and done, each once, and no others are sent again.

The short form shortens what the rescue waits for; the long form waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.faults.apart import Apart, apart
from tests.journey.api import JOBS, Api, client
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack
from wire.ladder import LEVELS, level_name

WORK = "work.default"
LADDER = [level_name(level) for level in range(LEVELS)]


@dataclass(frozen=True, slots=True)
class Form:
    queued: int
    delayed: int
    delay: float
    backlog: int
    backlog_seconds: float  # of one of its jobs
    within: float
    settings: dict[str, str] = field(default_factory=dict)


SHORT = {"WARREN_RESCUE_SECONDS": "0.5", "WARREN_RESCUE_GRACE_SECONDS": "1", "WARREN_OVERTAKEN_SECONDS": "3",
         "WARREN_HEARTBEAT_SECONDS": "0.5"}  # fmt: skip


@pytest.fixture(scope="module")
def form(long: bool) -> Form:
    return Form(10_000, 1_000, 120.0, 4_000, 0.6, 500) if long else Form(500, 50, 5.0, 200, 0.6, 120, SHORT)


@pytest.fixture(scope="module")
def house(
    form: Form, postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apart]:
    """Few slots, so that there is a backlog."""
    with apart(postgres, rabbitmq, tmp_path_factory.mktemp("purge"), WARREN_CONCURRENCY="10", **form.settings) as one:
        one.stack.workers("actors", "--queues", "default", processes=2)
        one.stack.wait_until(lambda: one.stack.consuming(2), "the workers consume")
        yield one


@pytest.fixture(scope="module")
def stack(house: Apart) -> Stack:
    return house.stack


@pytest.fixture(scope="module")
def rabbit(house: Apart) -> Rabbit:
    return house.rabbit


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


async def test_a_long_honest_backlog_is_not_sent_again(
    api: Api, rabbit: Rabbit, form: Form, long: bool, tell: Callable[[str], None]
) -> None:
    """
    Its jobs wait many times longer than would make one suspicious in an empty queue.
    """
    ids = await rabbit.preload("nap", {"seconds": form.backlog_seconds}, form.backlog)
    await _all_done(api, ids, form.within)
    (waited,) = await api.sql("SELECT max(started_at - created_at) AS t FROM jobs WHERE id = ANY($1)", ids)
    sent_again = await api.sql("SELECT id FROM jobs WHERE id = ANY($1) AND (rescues > 0 OR run > 1)", ids)

    tell(f"the last of {form.backlog} jobs waited {waited['t'].total_seconds():.0f} s")
    assert waited["t"].total_seconds() > (90 if long else 4)
    assert [] == sent_again


async def test_what_was_purged_is_done_once(
    api: Api, stack: Stack, rabbit: Rabbit, form: Form, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """
    Every queue at once: what was queued, what waited in the ladder, what a worker holds meanwhile.  The workers get on
    with it only then, or they might be through before the recorder has all rows.
    """
    door = tmp_path / "door"
    delayed = await _delayed(api, form.delayed, seconds=form.delay)
    queued = await rabbit.preload("hold", {"opens": str(door)}, form.queued)
    await eventually(lambda: _are_rows(api, queued), within=60)
    purged = await _purge(rabbit, [WORK, *LADDER])
    await asyncio.to_thread(door.touch)
    took = await _all_done(api, [*queued, *delayed], form.within)

    tell(f"{purged} of {form.queued} + {form.delayed} messages purged; all done after {took:.1f} s")
    assert purged > (form.queued + form.delayed) / 2
    assert [] == _not_once(stack, [*queued, *delayed])


async def test_a_work_queue_deleted_with_its_messages_costs_no_job(
    api: Api, stack: Stack, rabbit: Rabbit, form: Form, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    door = tmp_path / "door"
    ids = await rabbit.preload("hold", {"opens": str(door)}, form.queued)
    await eventually(lambda: _are_rows(api, ids), within=60)
    there = await rabbit.ready(WORK)
    await rabbit.delete_queue(WORK)
    await asyncio.to_thread(door.touch)
    took = await _all_done(api, ids, form.within)

    tell(f"a queue of {there} messages deleted; all {form.queued} done after {took:.1f} s")
    assert there > form.queued / 2  # the rest lies with the workers
    assert [] == _not_once(stack, ids)


async def test_a_deleted_job_does_not_come_back_with_its_message(api: Api, stack: Stack, rabbit: Rabbit) -> None:
    """
    Its copy leaves the ladder after its row is gone; a marker that left with it shows that it was answered.
    """
    deleted = await api.submit("nap", delay=5.0)
    marker = await api.submit("nap", delay=5.2)
    answer = await api.client.delete(f"{JOBS}/{deleted}", params={"purge": "true"})
    await api.finished(marker)
    await eventually(lambda: _settled(rabbit), within=60)
    gone = await api.client.get(f"{JOBS}/{deleted}")
    letters = await api.sql("SELECT 1 FROM dead_letters WHERE message_id = $1", deleted)

    assert answer.status_code in (202, 204)
    assert (404, [], 0) == (gone.status_code, letters, _starts(stack)[deleted])


async def _all_done(api: Api, ids: Sequence[str], within: float) -> float:
    """Seconds until all of these have completed."""
    began = asyncio.get_running_loop().time()
    await eventually(lambda: _completed(api, ids), within=within)
    return asyncio.get_running_loop().time() - began


async def _completed(api: Api, ids: Sequence[str]) -> bool:
    return await _count(api, "state = 'completed'", ids) == len(ids)


async def _are_rows(api: Api, ids: Sequence[str]) -> bool:
    return await _count(api, "true", ids) == len(ids)


async def _count(api: Api, condition: str, ids: Sequence[str]) -> int:
    return int((await api.sql(f"SELECT count(*) AS n FROM jobs WHERE id = ANY($1) AND {condition}", ids))[0]["n"])


async def _delayed(api: Api, count: int, seconds: float) -> list[str]:
    gate = asyncio.Semaphore(100)

    async def one() -> str:
        async with gate:
            return await api.submit("nap", {"seconds": 0.0}, delay=seconds)

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def _purge(rabbit: Rabbit, queues: Sequence[str]) -> int:
    return sum([await rabbit.purge(queue) for queue in queues])


async def _settled(rabbit: Rabbit) -> bool:
    return not any([await rabbit.ready(WORK), await rabbit.unacked(WORK)])


def _not_once(stack: Stack, ids: Sequence[str]) -> list[tuple[str, int]]:
    """The jobs that did not run exactly once, by the witness."""
    starts = _starts(stack)
    return [(job_id, starts[job_id]) for job_id in ids if starts[job_id] != 1]


def _starts(stack: Stack) -> Counter[str]:
    lines = stack.witness.read_text().splitlines()
    return Counter(line.split()[0] for line in lines if line.endswith(" started"))
