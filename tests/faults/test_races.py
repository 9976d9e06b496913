"""Cancels that race claims, due times and records; children that are born while a server is away."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ, make_vhost
from persistence.migrations import upgrade
from tests.conftest import at, execute
from tests.eventually import eventually
from tests.journey.api import JOBS, Api, client, instant
from tests.journey.stack import Stack, running_stack

AT_ONCE: Final = 16
DICE: Final = random.Random(9)


@dataclass(frozen=True, slots=True)
class Race:
    """A job, and when it is cancelled, in seconds since its submission began: about when its state changes."""

    type: str
    payload: dict[str, Any]
    fields: dict[str, Any]
    between: tuple[float, float]


RACES: Final = {
    "with the claim": Race("nap", {"seconds": 0.05}, {}, (0.0, 0.05)),
    "while it runs": Race("nap", {"seconds": 2.0}, {}, (0.1, 0.5)),
    "with the record": Race("nap", {"seconds": 0.1}, {}, (0.1, 0.25)),
    "with the due time": Race("nap", {"seconds": 0.05}, {"delay": 0.2}, (0.15, 0.3)),
    "with the retry": Race("parent", {"ends": ["retry", "complete"], "children": 0, "seconds": 0.05}, {}, (0.1, 0.3)),
}
BY_STATUS: Final = {200: "waiting", 202: "running", 409: "too late"}


@pytest.fixture(scope="module")
def stack(postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Warren of its own on the servers of the folder, with the family's job types."""
    name = f"races_{uuid.uuid4().hex[:8]}"
    make_vhost(rabbitmq.management_url, name)
    asyncio.run(execute(postgres.dsn, f"CREATE DATABASE {name}"))
    amqp_url, database_url = urlunsplit(urlsplit(rabbitmq.url)._replace(path=f"/{name}")), at(postgres.dsn, name)
    upgrade(database_url)
    folder = tmp_path_factory.mktemp("races")
    with running_stack(amqp_url, database_url, folder, WARREN_ACTORS="journey_jobs,family_jobs") as one:
        yield one


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with client(stack.url, stack.database_url) as one:
        yield one


async def test_a_cancel_that_races_ends_in_cancelled_or_completed_and_its_answer_was_true(
    api: Api, stack: Stack, long: bool, tell: Callable[[str], None]
) -> None:
    """
    200 says that it waited: it never runs again.  202 says that it ran and was asked: either end is honest.  409 says
    that it had completed.
    """
    each, gate = (200 if long else 40), asyncio.Semaphore(AT_ONCE)
    races = [race for race in RACES.values() for _ in range(each)]
    answers = dict(await asyncio.gather(*(_cancelled(api, gate, race) for race in races)))
    await eventually(lambda: _everything_done(api), within=60)
    ends = await _ends(api, list(answers))
    starts = _starts(stack)
    found = Counter((answers[job_id], end["state"]) for job_id, end in ends.items())
    tell(f"cancel races: {dict(found)}")

    assert set(found) <= {
        ("waiting", "cancelled"), ("running", "cancelled"), ("running", "completed"), ("too late", "completed"),
    }  # fmt: skip
    assert {"waiting", "running", "too late"} == {answer for answer, _ in found}
    assert len(races) == len(ends)
    assert {} == {i: e for i, e in ends.items() if e["completed"] != (e["state"] == "completed")}
    assert {} == {i: (starts[i], e["attempts"]) for i, e in ends.items() if starts[i] > e["attempts"]}
    assert [] == [i for i, e in ends.items() if e["state"] == "completed" and not starts[i]]


@pytest.mark.parametrize("away", ["postgres", "rabbitmq"])
async def test_children_are_born_once_though_a_server_is_away_when_their_parents_end(
    api: Api, stack: Stack, postgres: Postgres, rabbitmq: RabbitMQ, away: str
) -> None:
    """
    Half of them are submitted with the outcome, half at once; with Postgres away these go through the public door.
    """
    server = postgres if away == "postgres" else rabbitmq
    parents = await asyncio.gather(
        *(api.submit("parent", {"children": 5, "now": n % 2 == 0, "seconds": 0.5})
          for n in range(20))
    )  # fmt: skip
    await eventually(lambda: sum(_starts(stack)[parent] for parent in parents) >= 20, within=60)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    jobs = await api.all_finished(*parents, within=60)
    await eventually(lambda: _everything_done(api), within=60)
    rows = await api.sql("SELECT id::text, state FROM jobs WHERE type = 'child' AND created_at > $1", _since(jobs))
    witness = stack.witness.read_text()

    assert {"completed"} == {job["state"] for job in jobs}
    assert sorted(child for job in jobs for child in job["result"]) == sorted(row["id"] for row in rows)
    assert {"completed"} == {row["state"] for row in rows}
    assert [] == [row["id"] for row in rows if witness.count(f"{row['id']} ran") != 1]
    assert 0 == (await api.sql("SELECT count(*) AS letters FROM dead_letters"))[0]["letters"]


async def _cancelled(api: Api, gate: asyncio.Semaphore, race: Race) -> tuple[str, str]:
    """Submit it and cancel it at its moment, which may come before the answer; the id, and what was said of it."""
    async with gate:
        job_id = str(uuid.uuid4())
        submitted = asyncio.create_task(api.submit(race.type, race.payload, id=job_id, **race.fields))
        await asyncio.sleep(DICE.uniform(*race.between))  # not to wait for something: to meet it
        while (answer := await api.client.post(f"{JOBS}/{job_id}/cancel")).status_code == 404:
            pass  # not accepted yet
        await submitted
        return job_id, BY_STATUS[answer.status_code]


async def _ends(api: Api, ids: list[str]) -> dict[str, Any]:
    rows = await api.sql(
        "SELECT j.id::text, j.state, count(a) AS attempts, count(a) FILTER (WHERE a.outcome = 'completed') AS completed"
        " FROM jobs j LEFT JOIN attempts a ON a.job_id = j.id WHERE j.id = ANY($1) GROUP BY j.id",
        ids,
    )
    return {row["id"]: row for row in rows}


async def _everything_done(api: Api) -> bool:
    (row,) = await api.sql(
        "SELECT NOT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL) AND NOT EXISTS (SELECT FROM outbox) AS done"
    )
    return bool(row["done"])


def _starts(stack: Stack) -> Counter[str]:
    lines = stack.witness.read_text().splitlines()
    return Counter(line.split()[0] for line in lines if line.endswith(" started"))


def _since(jobs: list[dict[str, Any]]) -> Any:
    return min(instant(job["created_at"]) for job in jobs)
