"""Politeness, by the site's own log: four worker processes ask a host as one would, whoever of them dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import Stack, running_stack
from tests.site.asked import gaps, most_at_once
from tests.site.served import Site

DELAY = 0.4
WORKERS = 4
HOSTS = (21, 22, 23)
VISITS = 6  # a host


@pytest.fixture(scope="module")
def stack(places: Places, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"WARREN_OUTBOUND_ALLOW": site.allowed, "WARREN_OUTBOUND_PORTS": "any", "WARREN_ACTORS": "polite_jobs"}
    with running_stack(
        places.amqp_url, places.database_url, tmp_path_factory.mktemp("stack"), workers=WORKERS,
        options=("--concurrency", "10"), WARREN_HOST_DELAY_SECONDS=str(DELAY), **settings,
    ) as one:  # fmt: skip
        yield one


async def test_four_workers_ask_a_host_as_one_would_and_a_death_changes_nothing(
    api: Api, stack: Stack, site: Site
) -> None:
    urls = [site.url(f"/articles/{number}", host) for number in range(VISITS) for host in HOSTS]
    types = ("visit_all", "visit_all", "visit_all_apart")  # the last in child processes
    jobs = [await api.submit(types[number // 3 % 3], {"urls": [url]}) for number, url in enumerate(urls)]
    await eventually(lambda: len(_asked(site)) >= VISITS)
    os.kill(stack.worker_pids()[0], signal.SIGKILL)
    ended = await api.all_finished(*jobs)
    asked = _asked(site)
    (row,) = await api.sql(
        "SELECT count(*) AS n FROM attempts WHERE outcome = 'snoozed' AND job_id = ANY($1::uuid[])", jobs
    )

    assert ["completed"] * len(jobs) == [job["state"] for job in ended]
    assert {} == {host: apart for host, apart in gaps(asked).items() if min(apart) < DELAY}
    assert len(HOSTS) >= most_at_once(asked)
    assert row["n"] <= 4 * len(jobs)  # once each, again where a worker died or a laden machine let a turn go by


def _asked(site: Site) -> list[object]:
    return [each for host in HOSTS for each in site.asked(host=host)]
