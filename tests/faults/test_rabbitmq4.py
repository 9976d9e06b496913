"""All of Warren on RabbitMQ 4.3, with either profile: the promises that its queues could break.

`quorum` is what `auto` chooses there.  Its queues have priorities of their own, count deliveries, give out first what
was returned and hand it on at least once; `classic` queues do none of this.  See tests/rabbitmq4.py for the node.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import drop_vhost, make_vhost
from persistence.migrations import upgrade
from tests.bench.backlog import preload
from tests.conftest import at, execute
from tests.eventually import eventually
from tests.journey.api import Api, client, instant
from tests.journey.stack import Stack, running_stack
from tests.rabbitmq4 import Given, On4, RabbitMQ4, rabbitmq4

pytestmark = [pytest.mark.long]

SLACK = timedelta(seconds=5)
UNIT = timedelta(milliseconds=100)  # of the delay ladder
patiently = partial(eventually, within=90.0)  # nothing here is measured by it, and the machine may be busy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ4 | Given]:
    with rabbitmq4(tmp_path_factory.mktemp("rabbitmq4")) as node:
        yield node


@pytest.fixture(scope="module", params=["classic", "quorum"])
def on4(
    request: pytest.FixtureRequest,
    server: RabbitMQ4 | Given,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[On4]:
    """`quorum` is left to `auto` to choose."""
    profile = request.param
    make_vhost(server.management_url, profile)
    asyncio.run(execute(postgres.dsn, f"CREATE DATABASE {profile}"))
    database_url = at(postgres.dsn, profile)
    upgrade(database_url)
    wanted = {"WARREN_PROFILE": "auto" if profile == "quorum" else profile}
    with running_stack(f"{server.url}{profile}", database_url, tmp_path_factory.mktemp("stack"), **wanted) as stack:
        yield On4(profile, stack, server)
    drop_vhost(server.management_url, profile)


@pytest.fixture(scope="module")
def stack(on4: On4) -> Stack:
    """A failure shows its logs."""
    return on4.stack


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


async def test_the_profile_is_chosen_once_and_pinned(api: Api, on4: On4) -> None:
    rows = await api.sql("SELECT value FROM pins WHERE name = 'profile'")
    ours = [queue for queue in await on4.queues() if not queue["name"].startswith(("control ", "delay."))]

    assert [on4.profile] == [row["value"] for row in rows]
    assert {on4.profile} == {queue["type"] for queue in ours}


async def test_a_job_runs_and_its_result_comes_back(api: Api, on4: On4) -> None:
    job = await api.finished(await api.submit("echo", {"message": "hello"}))

    assert ("completed", {"message": "hello"}) == (job["state"], job["result"])


async def test_retries_come_through_the_ladder_in_time(api: Api, on4: On4) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 3}))
    attempts = await api.attempts(job["id"])
    late = [_late(before, after) for before, after in pairwise(attempts)]

    assert ("completed", 4) == (job["state"], job["attempt"])
    assert all(timedelta(0) <= one <= UNIT + SLACK for one in late), late


async def test_a_delay_is_kept(api: Api, on4: On4) -> None:
    job_id = await api.submit("echo", delay=1.7)
    await api.finished(job_id)
    (row,) = await api.sql("SELECT started_at - scheduled_for AS late FROM jobs WHERE id = $1", job_id)

    assert timedelta(0) <= row["late"] <= UNIT + SLACK


async def test_a_job_that_was_cancelled_while_it_waited_does_not_run(api: Api, on4: On4) -> None:
    """
    Its message leaves the ladder a second before that of another job, which is the marker.
    """
    cancelled = await api.submit("nap", delay=0.5)
    await api.client.post(f"/api/v1/jobs/{cancelled}/cancel")
    await api.finished(await api.submit("echo", delay=1.5))
    job = await api.job(cancelled)

    assert ("cancelled", 0) == (job["state"], job["attempt"])


async def test_the_more_important_start_first(api: Api, on4: On4) -> None:
    """
    One slot and a window of one: the order is the broker's.
    """
    async with on4.without_workers():
        low = await _submit(api, 30, "echo", priority=2)
        high = await _submit(api, 10, "echo", priority=9)
        await patiently(lambda: _waits(on4, 40))
        on4.stack.workers("narrow", processes=1, WARREN_CONCURRENCY="1", WARREN_PREFETCH="1")
        await api.all_finished(*low, *high, within=60)
        on4.stack.stop("narrow")
    rows = await api.sql("SELECT id FROM jobs WHERE id = ANY($1) ORDER BY started_at LIMIT 10", [*low, *high])

    assert set(high) == {str(row["id"]) for row in rows}


async def test_an_important_job_does_not_wait_behind_what_was_put_back(api: Api, on4: On4) -> None:
    """
    A window that narrows puts back what is beyond it; a quorum queue would give that out before all else.
    """
    async with on4.without_workers(), on4.holding(most=50) as held:
        low = await _submit(api, 50, "echo", priority=1)
        await patiently(lambda: len(held.deliveries) == 50)
        await held.put_back()
        urgent = await api.submit("echo", priority=10)
        await patiently(lambda: _waits(on4, 51))
        first = await on4.next_job()
    jobs = await api.all_finished(urgent, *low, within=60)

    assert urgent == first
    assert {("completed", 1)} == {(job["state"], job["attempt"]) for job in jobs}


async def test_what_cannot_be_a_job_is_kept_and_can_be_sent_again(api: Api, on4: On4) -> None:
    body = b'{"type": "echo", "payload": {"message": "mended"}, "max_retries": "many"}'
    await _send(on4, "echo", body)
    (letter,) = await patiently(lambda: _letters(api, "echo"))
    mended = {"type": "echo", "payload": {"message": "mended"}}
    redriven = await api.client.post(f"/api/v1/dead-letters/{letter['id']}/redrive", json=mended)
    job = await api.finished(redriven.json()["id"])

    assert "max_retries" in letter["detail"]
    assert ("completed", {"message": "mended"}) == (job["state"], job["result"])


async def test_an_unknown_type_is_kept_with_its_reason(api: Api, on4: On4) -> None:
    await _send(on4, "ecko", b'{"type": "ecko", "payload": {}}')
    letters = await patiently(lambda: _letters(api, "ecko"))

    assert ["unroutable"] == [letter["reason"] for letter in letters]


async def test_a_killed_worker_costs_no_job(api: Api, on4: On4) -> None:
    ids = await _submit(api, 40, "nap", {"seconds": 1.0})
    await patiently(lambda: api.is_running(ids[-1]))
    os.kill(on4.stack.worker_pids()[0], signal.SIGKILL)
    jobs = await api.all_finished(*ids)
    await on4.workers_consume()

    assert {("completed", 1)} == {(job["state"], job["attempt"]) for job in jobs}


@pytest.mark.parametrize("turn", [1, 2, 3])
async def test_the_broker_is_killed_over_a_backlog_and_a_full_ladder(api: Api, on4: On4, turn: int) -> None:
    """
    All 500 complete.  On `quorum` by their own messages: the rescue of lost ones has nothing to do.
    """
    async with on4.without_workers():
        queued = await _submit(api, 250, "echo")
        hopping = await asyncio.gather(*(api.submit("echo", delay=3 + n / 20) for n in range(250)))
        await patiently(lambda: _outbox_is_empty(api))
        await patiently(lambda: _waits(on4, 260))  # the ladder is letting go
        await asyncio.to_thread(on4.server.kill)
        await asyncio.to_thread(on4.server.start)
    states = await _all_ended(api, [*queued, *hopping])
    rescued = await api.sql("SELECT id FROM jobs WHERE id = ANY($1) AND rescues > 0", [*queued, *hopping])

    assert {"completed": 500} == states
    assert not on4.quorum or [] == rescued


async def test_jobs_whose_queue_was_purged_are_rescued(api: Api, on4: On4) -> None:
    async with on4.scheduler(WARREN_RESCUE_SECONDS="1", WARREN_RESCUE_GRACE_SECONDS="1"):
        async with on4.without_workers():
            ids = await _submit(api, 100, "echo")
            await patiently(lambda: _waits(on4, 100))
            await on4.purge()
        states = await _all_ended(api, ids)

    assert {"completed": 100} == states


async def test_a_broker_that_lost_its_disk_is_given_all_waiting_jobs_again(api: Api, on4: On4) -> None:
    async with on4.without_workers():
        ids = await _submit(api, 100, "echo") + await _submit(api, 50, "echo", delay=3)
        await patiently(lambda: _outbox_is_empty(api))
        await on4.lose_the_disk()
    states = await _all_ended(api, ids)

    assert {"completed": 150} == states


async def test_a_message_that_killed_too_often_is_sent_again_and_not_failed(api: Api, on4: On4) -> None:
    """
    A quorum queue gives it up after 20 deaths; the recorder finds its row open.
    """
    runs = 2 if on4.quorum else 1
    async with on4.without_workers():
        job_id = await api.submit("echo")
        for _ in range(21):
            await patiently(on4.take_and_die)
        await patiently(lambda: _run_is(api, job_id, runs))
    job = await api.finished(job_id, within=60)

    assert ("completed", 1) == (job["state"], job["attempt"])
    assert [runs] == [attempt["run"] for attempt in await api.attempts(job_id)]


async def test_a_dead_letter_outlives_a_recorder_that_dies_of_it(api: Api, on4: On4) -> None:
    """
    A quorum queue without a way on would drop it after 20 deaths.
    """
    on4.stack.stop("recorder")
    await _send(on4, "missing", b'{"type": "missing", "payload": {}}')
    for _ in range(25):
        await patiently(lambda: on4.take_and_die("unrouted"))
    on4.stack.start("recorder", "persistence")
    letters = await patiently(lambda: _letters(api, "missing"))

    assert 1 == len(letters)


async def test_a_job_that_outlives_the_consumer_timeout_runs_once(api: Api, on4: On4) -> None:
    """
    The broker cancels the subscription and returns the message; it comes again to where its job runs.
    """
    if not on4.quorum:
        pytest.skip("on 4.3 only quorum queues have a consumer timeout of their own")
    async with on4.without_workers():  # a subscription keeps the limit that it began with
        await on4.be_impatient(1_500)
    lost = len(on4.stack.logged("actors", "consumer_lost"))
    job = await api.finished(await api.submit("nap", {"seconds": 5.0}))
    async with on4.without_workers():
        await on4.be_impatient(None)

    assert lost < len(on4.stack.logged("actors", "consumer_lost"))
    assert ("completed", 1, 1) == (job["state"], job["attempt"], job["result"]["starts"])


async def test_another_profile_is_refused_with_the_names_of_both(on4: On4) -> None:
    other = "classic" if on4.quorum else "quorum"
    on4.stack.start("stranger", "persistence", WARREN_PROFILE=other)
    refusals = await patiently(lambda: on4.stack.logged("stranger", "broker_away"))
    await asyncio.to_thread(on4.stack.stop, "stranger")

    assert f"WARREN_PROFILE is {other}, but this system was declared as {on4.profile}" in refusals[0]["error"]


async def test_a_backlog_drains(api: Api, on4: On4, tell: Callable[[str], None]) -> None:
    """
    5,000 no-ops; the rates are told, and no bound is set.
    """
    async with on4.without_workers():
        (row,) = await api.sql("SELECT clock_timestamp() AS began")
        await preload(on4.stack, "echo", 5_000)
    rate = await patiently(lambda: _rate(api, row["began"], 5_000))
    tell(f"{on4.profile} on RabbitMQ 4.3: {rate:,.0f} no-ops a second")

    assert rate > 0


async def test_nothing_that_we_declare_is_deprecated(server: RabbitMQ4 | Given, on4: On4) -> None:
    """
    A later release would refuse it.  The console's own way of counting is deprecated, and no affair of ours.
    """
    await on4.workers_consume()
    complaints = [line for line in server.said() if "is deprecated" in line and "management_metrics" not in line]

    assert [] == complaints


async def _submit(api: Api, count: int, job_type: str, payload: Any = None, **fields: Any) -> list[str]:
    return list(await asyncio.gather(*(api.submit(job_type, payload, **fields) for _ in range(count))))


async def _send(on4: On4, job_type: str, body: bytes) -> None:
    """As a foreign service does."""
    said = {"content_type": "application/json", "type": job_type, "message_id": str(uuid4())}
    await on4.rabbit.publish("jobs.in", f"job.{job_type}.p5", body, **said)


def _late(before: dict[str, Any], after: dict[str, Any]) -> timedelta:
    planned = instant(before["finished_at"]) + timedelta(seconds=before["retry_after_seconds"])
    return instant(after["started_at"]) - planned


async def _waits(on4: On4, messages: int) -> bool:
    return messages <= await on4.waiting()


async def _letters(api: Api, job_type: str) -> Any:
    return (await api.get(f"/api/v1/dead-letters?type={job_type}"))["items"]


async def _outbox_is_empty(api: Api) -> bool:
    return [] == await api.sql("SELECT FROM outbox LIMIT 1")


async def _run_is(api: Api, job_id: str, run: int) -> bool:
    return [run] == [row["run"] for row in await api.sql("SELECT run FROM jobs WHERE id = $1", job_id)]


async def _all_ended(api: Api, ids: list[str]) -> dict[str, int]:
    """How many are in which state, once none waits or runs any more."""

    async def states() -> dict[str, int]:
        rows = await api.sql("SELECT state, count(*) FROM jobs WHERE id = ANY($1) GROUP BY state", ids)
        found = {row["state"]: row["count"] for row in rows}
        return found if not found.keys() & {"scheduled", "queued", "retrying", "running"} else {}

    return await patiently(states)


async def _rate(api: Api, since: datetime, jobs: int) -> float:
    """Jobs a second, once so many have completed since then."""
    (row,) = await api.sql(
        "SELECT count(*) AS done, extract(epoch FROM max(finished_at) - min(started_at))::float8 AS took"
        "  FROM jobs WHERE created_at >= $1 AND state = 'completed'",
        since,
    )
    return row["done"] / row["took"] if row["done"] >= jobs else 0.0
