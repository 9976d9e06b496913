"""Two versions of a worker at once, as in every rolling deploy: a type moves to another queue, a new type appears.

Real processes under load; the witness file counts what really ran.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, make_vhost
from persistence.migrations import upgrade
from tests.conftest import at, execute
from tests.eventually import eventually
from tests.journey.api import Api, client
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack

OLD, NEW = {"MOVER_QUEUE": "old-place"}, {"MOVER_QUEUE": "new-place", "NEWCOMER": "yes"}
KINDS: tuple[dict[str, Any], ...] = ({}, {"delay": 1.5}, {"priority": 9}, {"delay": 600})
RETRIED = {"ends": ["retry", "complete"], "seconds": 0.02}
SHORT = {"ends": ["complete"], "seconds": 0.02}


@pytest.fixture(scope="module")
def name() -> str:
    return f"moved_{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def stack(
    name: str, postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """No workers; the test starts an old one and a new one."""
    make_vhost(rabbitmq.management_url, name)
    asyncio.run(execute(postgres.dsn, f"CREATE DATABASE {name}"))
    amqp_url, database_url = urlunsplit(urlsplit(rabbitmq.url)._replace(path=f"/{name}")), at(postgres.dsn, name)
    upgrade(database_url)
    settings = {"WARREN_ACTORS": "family_jobs", "WARREN_CONCURRENCY": "4"}
    with running_stack(amqp_url, database_url, tmp_path_factory.mktemp("moved"), workers=0, **settings) as one:
        yield one


@pytest.fixture(scope="module")
def rabbit(name: str, rabbitmq: RabbitMQ, stack: Stack) -> Rabbit:
    return Rabbit(stack.amqp_url, rabbitmq.management_url, name)


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


async def test_a_type_moves_under_load_and_a_new_type_appears(
    api: Api, stack: Stack, rabbit: Rabbit, long: bool, tell: Callable[[str], None]
) -> None:
    """
    The old worker runs, jobs wait for it, lie in the ladder, are retried and go on arriving, by HTTP and by AMQP, while
    the new one boots; then it goes.  Each job is done, each was started as often as it had attempts, no letter is kept.
    The job that is ten minutes ahead is in nobody's way, and its row names the queue where it will be.
    """
    jobs = 2_000 if long else 300
    await _worker(stack, "old", OLD)
    load = asyncio.create_task(_load(api, rabbit, jobs))
    await eventually(lambda: _started(stack).total() > jobs // 10, within=60)
    await _worker(stack, "new", NEW)
    names = await asyncio.gather(*(api.submit("newcomer", {"name": str(n)}) for n in range(20)))
    await eventually(lambda: _only_way(rabbit, "new-place"), within=60)
    movers = await load
    await asyncio.to_thread(stack.stop, "old")
    far = [row["id"] for row in await api.sql("SELECT id FROM jobs WHERE scheduled_for > now() + interval '1 minute'")]
    await eventually(lambda: _done(api, left=len(far)), within=90)
    rows = await api.sql("SELECT id::text, state, queue, attempt, type FROM jobs")
    starts, by_id = _started(stack), {row["id"]: row for row in rows}
    tell(f"a type moved: {len(movers)} jobs, queues {dict(Counter(r['queue'] for r in rows))}")

    assert len(movers) // len(KINDS) >= len(far) > 0
    assert {"completed"} == {row["state"] for row in rows if row["id"] not in set(map(str, far))}
    assert {"new-place"} == {by_id[str(job_id)]["queue"] for job_id in far}
    assert {"old-place", "new-place"} == {row["queue"] for row in rows if row["type"] == "mover"}
    assert {} == {i: (starts[i], row["attempt"]) for i, row in by_id.items() if starts[i] != row["attempt"]}
    assert sorted([*names, *movers]) == sorted(by_id)
    assert 0 == (await api.sql("SELECT count(*) AS letters FROM dead_letters"))[0]["letters"]


async def test_who_boots_last_decides_who_connects_again_does_not_and_who_lives_takes_it_home(
    api: Api, stack: Stack, rabbit: Rabbit
) -> None:
    """
    The old version is started once more beside the new one, and has the type.  The new one's connection is cut, which
    changes nothing.  When the old one has gone, the new one has the type again, with what waited in the old place.
    """
    await _worker(stack, "old", OLD)
    await eventually(lambda: _only_way(rabbit, "old-place"))
    lives = len(stack.logged("new", "consuming"))
    await eventually(lambda: _are_listed(rabbit, stack.worker_pids("new")), within=60)  # or they would not be cut
    await rabbit.cut_connections()
    await eventually(lambda: len(stack.logged("new", "consuming")) > lives, within=60)
    kept = await _only_way(rabbit, "old-place")
    await asyncio.to_thread(stack.stop, "old")
    job = await api.finished(await api.submit("mover", SHORT), within=60)

    assert kept
    assert ("completed", "new-place") == (job["state"], job["result"])
    assert await _only_way(rabbit, "new-place")


async def _worker(stack: Stack, name: str, environment: dict[str, str]) -> None:
    """Start one, and wait until it consumes."""
    lives = len(stack.logged(name, "consuming")) if stack.log(name).exists() else 0
    stack.workers(name, processes=1, **environment)  # not on a thread: they end with the thread that starts them
    await eventually(lambda: len(stack.logged(name, "consuming")) > lives, within=60)


async def _load(api: Api, rabbit: Rabbit, jobs: int) -> list[str]:
    """Their ids; submitted a few at a time, so that they arrive before, while and after the type moves."""
    ids: list[str] = []
    while len(ids) < jobs:
        some = [api.submit("mover", RETRIED if n % 2 else SHORT, **KINDS[n % len(KINDS)]) for n in range(8)]
        ids += await asyncio.gather(*some)
        ids += await rabbit.preload("mover", SHORT, 2)
    return ids


async def _only_way(rabbit: Rabbit, queue: str) -> bool:
    """Whether both exchanges lead this type to this queue and to no other."""
    return {("jobs", f"work.{queue}"), ("delay.due", f"work.{queue}")} == {
        (source, target) for source, target in await rabbit.ways("job.mover.*") if target.startswith("work.")
    }


async def _done(api: Api, left: int) -> bool:
    rows = await api.sql("SELECT count(*) AS open FROM jobs WHERE finished_at IS NULL")
    return bool(rows[0]["open"] == left)


def _started(stack: Stack) -> Counter[str]:
    lines = stack.witness.read_text().splitlines()
    return Counter(line.split()[0] for line in lines if line.endswith(" started"))


async def _are_listed(rabbit: Rabbit, pids: list[int]) -> bool:
    """Whether RabbitMQ's console knows of both connections of each of these processes."""
    words = [name.split() for name in await rabbit.connection_names()]
    return all(sum(any(word.endswith(f":{pid}") for word in name) for name in words) >= 2 for pid in pids)
