"""Children: jobs that jobs submit exist if and only if the attempt completed, once each, however often it was tried.

The parent's worker does not serve its children's queue: what it submits, another one does.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import JOB_MODULES, ROOT, Stack, running_stack
from tests.journey.test_cancel import cancel

EXAMPLE = ROOT / "examples" / "order_actors.py"


@pytest.fixture(scope="module")
def stack(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder, options = tmp_path_factory.mktemp("stack"), ("--queues", "default")
    settings = {
        "WARREN_ACTORS": "family_jobs,order_actors",
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, JOB_MODULES, EXAMPLE.parent))),
    }
    with running_stack(places.amqp_url, places.database_url, folder, workers=2, options=options, **settings) as one:
        one.workers("children", "--queues", "children", processes=1)
        one.wait_until(lambda: one.consuming(3), "the children's worker consumes")
        yield one


ENDS = {
    "completed": ["complete"],
    "completed after retries": ["retry", "retry", "complete"],
    "completed after a snooze": ["snooze", "complete"],
    "completed after a kill": ["kill", "complete"],
    "failed": ["fail"],
    "exhausted": ["retry"],
    "timed out": ["hang", "fail"],  # it alone has little time: a slow machine must not end the others
    "unstorable": ["unstorable"],
}


async def test_children_exist_if_and_only_if_the_attempt_completed(api: Api, stack: Stack) -> None:
    """
    All parents at once; the one that is cancelled hangs until then.  A marker that comes after the last of them proves
    that nothing is still on its way.
    """
    parents = {
        name: await api.submit("parent", {"ends": ends, "children": 3}, timeout_seconds=1.5 if "hang" in ends else 60)
        for name, ends in ENDS.items()
    }
    cancelled = await api.submit("parent", {"ends": ["hang"], "children": 3})
    await eventually(lambda: runs(stack, f"{cancelled} started") == 1, within=60)
    await cancel(api, cancelled)
    jobs = await api.all_finished(*parents.values(), cancelled, within=60)
    await everything_done(api)
    born = {name: await children(api, parent) for name, parent in {**parents, "cancelled": cancelled}.items()}

    assert ["completed"] * 4 + ["failed"] * 4 + ["cancelled"] == [job["state"] for job in jobs]
    assert {name: 3 if name.startswith("completed") else 0 for name in born} == {n: len(c) for n, c in born.items()}
    assert [sorted(born[name]) for name in list(ENDS)[:4]] == [sorted(job["result"]) for job in jobs[:4]]
    assert all(runs(stack, f"{child} ran") == 1 for ids in born.values() for child in ids)


async def test_a_child_is_of_its_parents_trace(api: Api) -> None:
    parent = await api.finished(await api.submit("parent", {}))
    child = await api.finished(parent["result"][0])

    assert parent["trace_id"] == child["trace_id"] == child["result"]["trace_id"]


async def test_a_thousand_children_of_one_parent(api: Api, stack: Stack) -> None:
    parent = await api.finished(await api.submit("parent", {"children": 1_000}), within=60)
    await everything_done(api, within=60)

    assert 1_000 == len(set(parent["result"])) == len(await children(api, parent["id"]))
    assert 1_000 == runs(stack, f"ran of {parent['id']}")


async def test_what_is_sent_at_once_exists_whatever_becomes_of_the_parent_and_is_not_doubled_by_retries(
    api: Api, stack: Stack
) -> None:
    failed, retried = [
        await api.finished(await api.submit("parent", {"now": True, "ends": ends, "children": 2}))
        for ends in (["fail"], ["retry", "snooze", "kill", "complete"])
    ]
    await everything_done(api)
    born = [await children(api, parent["id"]) for parent in (failed, retried)]

    assert ("failed", "completed") == (failed["state"], retried["state"])
    assert [2, 2] == [len(ids) for ids in born]
    assert all(runs(stack, f"{child} ran") == 1 for ids in born for child in ids)


async def test_a_sync_actor_submits_with_the_same_call(api: Api) -> None:
    parent = await api.finished(await api.submit("sync_parent", {}))
    jobs = await api.all_finished(*parent["result"])

    assert ["completed", "completed"] == [job["state"] for job in jobs]


async def test_a_parent_has_not_completed_before_what_it_sent_is_safe(api: Api) -> None:
    """
    Though its author did not wait for it.
    """
    parent = await api.finished(await api.submit("careless", {}))

    assert "completed" == (await api.finished(parent["result"]))["state"]


async def test_a_thread_without_its_job_is_told_how_to_get_one(api: Api) -> None:
    job = await api.finished(await api.submit("orphaned_thread", {}))

    assert "this thread has no job" in job["result"]


async def test_a_script_submits_through_the_public_door(api: Api, stack: Stack) -> None:
    """
    With the same function, confirmed, and once for one key however often the script runs.
    """
    first, second = [await script(stack, KEYED) for _ in range(2)]
    job = await api.finished(first.split()[0])
    await everything_done(api)

    assert first == second
    assert ("completed", {"name": "from a script"}) == (job["state"], job["payload"])
    assert 1 == runs(stack, f"{job['id']} ran")


def test_the_page_shows_the_example() -> None:
    code = EXAMPLE.read_text().partition('@job("order")')[2].strip()

    assert code in (ROOT / "docs" / "jobs.md").read_text()


async def test_the_example_runs(api: Api) -> None:
    order = await api.finished(await api.submit("order", {"number": 7, "items": ["tea", "cake"]}))
    parcels = await api.all_finished(*order["result"])

    assert ["tea of order 7", "cake of order 7"] == [parcel["result"] for parcel in parcels]
    assert ["parcel"] == parcels[0]["tags"]


KEYED = """
from warren import submit, submit_now
payload = {"name": "from a script"}
print(submit("child", payload, key="once"), submit_now("child", payload, key="once").wait())
"""


async def script(stack: Stack, program: str) -> str:
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        env=stack.environment(), cwd=stack.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == told.returncode, told.stderr
    return told.stdout.strip()


async def children(api: Api, parent: str) -> list[str]:
    """The ids of the jobs that name this parent in their payload."""
    rows = await api.sql(
        "SELECT id FROM jobs WHERE type = 'child' AND position($1 IN convert_from(body, 'UTF8')) > 0", f"of {parent} "
    )
    return [str(row["id"]) for row in rows]


async def everything_done(api: Api, within: float = 60.0) -> None:
    """No job is open and no message is due: what does not exist now never will."""

    async def done() -> bool:
        (row,) = await api.sql(
            "SELECT NOT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL) AND NOT EXISTS (SELECT FROM outbox) AS done"
        )
        return bool(row["done"])

    await eventually(done, within)


def runs(stack: Stack, event: str) -> int:
    """How often the witness saw it."""
    return stack.witness.read_text().count(event)


async def test_work_that_is_asked_for_three_times_is_one_child(api: Api) -> None:
    """
    `submit_now` says which job it is; what `submit` would have made is not made.
    """
    name = uuid4().hex
    job = await api.finished(await api.submit("thrifty", {"name": name}))
    rows = await api.sql("SELECT id FROM jobs WHERE type = 'child' AND position($1::bytea IN body) > 0", name.encode())

    assert "completed" == job["state"]
    assert [str(rows[0]["id"])] * 2 == job["result"]
    assert 1 == len(rows)
