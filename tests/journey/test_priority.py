"""An important job starts after those that run and a moment of worker time, whatever waits; and nobody waits for ever.

Latencies are read from the rows: accepted and claimed, both by the database's clock.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack, running_stack

PROMISED = 0.05
MACHINE = 0.25  # what a laden machine adds to each of claim, record and delivery; nothing of it is a job's length
CONCURRENCY = 10


@dataclass(frozen=True, slots=True)
class Form:
    """The numbers of a run."""

    probes: int
    low_jobs: int
    low_seconds: float


@pytest.fixture(scope="module")
def form(long: bool) -> Form:
    return Form(probes=200, low_jobs=2_000, low_seconds=1.0) if long else Form(40, 600, 0.3)


@pytest.fixture(scope="module")
def stack(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Few slots, so that they are always taken."""
    options = ("--concurrency", str(CONCURRENCY), "--queues", "default")
    with running_stack(
        places.amqp_url, places.database_url, tmp_path_factory.mktemp("stack"), options=options, WARREN_PREFETCH="0"
    ) as one:
        yield one


@pytest.fixture(scope="module")
def rabbit(places: Places) -> Rabbit:
    return Rabbit(places.amqp_url, places.management_url, places.vhost)


async def test_with_a_backlog_an_important_job_waits_for_those_that_run(api: Api, rabbit: Rabbit, form: Form) -> None:
    low = await rabbit.preload("nap", {"seconds": form.low_seconds}, form.low_jobs, priority=1)
    await eventually(lambda: _have_started(api, low, 2 * CONCURRENCY), within=60)
    probes = await _probe(api, form.probes, within=form.low_seconds)
    figures = await _figures(api, probes, low)
    await _leave(api)

    print(figures)
    assert figures.waiting >= CONCURRENCY
    assert figures.p99 <= figures.longest_low + PROMISED + MACHINE


async def test_it_does_so_when_the_jobs_have_just_become_slow(api: Api, rabbit: Rabbit, form: Form) -> None:
    """
    The worker has learned a large window on short jobs, and holds slow ones in it now.
    """
    await rabbit.preload("echo", {}, 4_000, priority=1)
    low = await rabbit.preload("nap", {"seconds": form.low_seconds}, form.low_jobs, priority=1)
    await eventually(lambda: _have_started(api, low, 1), within=60)
    probes = await _probe(api, form.probes, within=form.low_seconds / 2)
    figures = await _figures(api, probes, low)
    await _leave(api)

    print(figures)
    assert figures.waiting >= CONCURRENCY
    assert figures.p99 <= figures.longest_low + PROMISED + MACHINE


async def test_under_endless_important_jobs_the_least_important_gets_one_start_in_fifty(
    api: Api, rabbit: Rabbit, long: bool
) -> None:
    """
    RabbitMQ gives out no p1 while a p10 is ready; the workers find it in its row.
    """
    high = await rabbit.preload("nap", {"seconds": 0.02}, 30_000 if long else 6_000, priority=10)
    low = await rabbit.preload("nap", {}, 1_000 if long else 400, priority=1)
    await eventually(lambda: _are_rows(api, low), within=60)
    await eventually(lambda: _have_started(api, high, len(high)), within=300)
    shares = await api.sql(
        "WITH w AS (SELECT (SELECT max(created_at) + interval '2 s' FROM jobs WHERE id = ANY($2)) AS since,"
        "                  (SELECT max(started_at) - interval '0.5 s' FROM jobs WHERE id = ANY($3)) AS until)"
        " SELECT count(*) FILTER (WHERE priority = 1) AS low, count(*) AS all FROM jobs, w"
        "  WHERE id = ANY($1) AND started_at BETWEEN since AND until",
        [*low, *high],
        low,
        high,
    )
    await _leave(api)

    print(dict(shares[0]))
    assert shares[0]["all"] >= 500
    assert shares[0]["low"] >= shares[0]["all"] // 50 - 2
    assert shares[0]["low"] <= shares[0]["all"] // 25


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, in seconds."""

    p50: float
    p99: float
    worst: float
    longest_low: float
    waiting: int  # low jobs that still waited at the end


async def _probe(api: Api, count: int, within: float) -> list[str]:
    """So many important jobs, one after the other at odd moments."""
    dice, ids = random.Random(7), []
    for _ in range(count):
        await asyncio.sleep(dice.uniform(0, within))  # odd moments are what is tested: no fact to wait for
        ids.append(await api.submit("nap", {"seconds": 0.0}, priority=10))
    await api.all_finished(*ids)
    return ids


async def _figures(api: Api, probes: Sequence[str], low: Sequence[str]) -> Figures:
    rows = await api.sql(
        "SELECT extract(epoch FROM started_at - created_at)::float8 AS s FROM jobs WHERE id = ANY($1)", probes
    )
    waits = sorted(row["s"] for row in rows)
    (lows,) = await api.sql(
        "SELECT extract(epoch FROM max(finished_at - started_at))::float8 AS longest,"
        "       count(*) FILTER (WHERE state <> 'completed') AS waiting FROM jobs WHERE id = ANY($1)",
        low,
    )
    at = int(len(waits) * 0.99) - 1
    return Figures(waits[len(waits) // 2], waits[at], waits[-1], lows["longest"], lows["waiting"])


async def _have_started(api: Api, ids: Sequence[str], at_least: int) -> bool:
    rows = await api.sql("SELECT count(*) AS n FROM jobs WHERE id = ANY($1) AND started_at IS NOT NULL", ids)
    return bool(rows[0]["n"] >= at_least)


async def _are_rows(api: Api, ids: Sequence[str]) -> bool:
    return bool((await api.sql("SELECT count(*) AS n FROM jobs WHERE id = ANY($1)", ids))[0]["n"] == len(ids))


async def _leave(api: Api) -> None:
    """Let the next test find an empty house: what still waits is cancelled, and the rows answer its messages."""
    await api.sql("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE state IN ('queued', 'scheduled')")
