"""A project written for Dramatiq runs unchanged: its actors, options, pipelines, callbacks and middleware."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack, running_stack

PROJECT = Path(__file__).parent / "project"
Entry = dict[str, Any]


@pytest.fixture(scope="module")
def stack(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    settings = {"WARREN_ACTORS": "kitchen", "PYTHONPATH": f"{ROOT}:{PROJECT}"}
    with running_stack(places.amqp_url, places.database_url, folder, workers=1, **settings) as one:
        yield one


async def order(stack: Stack, name: str) -> str:
    """Send from a process of its own; the id of the message."""
    command = [sys.executable, str(PROJECT / "order.py"), name]
    sent = await asyncio.to_thread(
        subprocess.run, command, env=stack.environment(), cwd=stack.folder, capture_output=True, text=True, check=False
    )

    assert 0 == sent.returncode, sent.stderr
    return sent.stdout.strip()


def diary(stack: Stack, event: str, **words: object) -> list[Entry]:
    """The entries of this event with these words in them."""
    entries = [json.loads(line) for line in stack.witness.read_text().splitlines()]
    return [e for e in entries if e["event"] == event and words.items() <= e.items()]


async def noted(stack: Stack, event: str, count: int = 1, **words: object) -> list[Entry]:
    """The same, once there are so many."""

    def enough() -> list[Entry]:
        found = diary(stack, event, **words)
        return found if len(found) >= count else []

    return await eventually(enough, within=60)


async def test_positional_and_keyword_arguments(api: Api, stack: Stack) -> None:
    message_id = await order(stack, "positional")
    (entry,) = await noted(stack, "washed", dish="plate")
    job = await eventually(lambda: _done(api, message_id))

    assert ("hot", message_id) == (entry["water"], entry["id"])
    assert {"args": ["plate"], "kwargs": {"water": "hot"}} == job["payload"]
    assert ("wash", "clean plate") == (job["type"], job["result"])


async def test_send_with_options(stack: Stack) -> None:
    await order(stack, "options")

    assert "warm" == (await noted(stack, "washed", dish="bowl"))[0]["water"]


async def test_a_delay_waits_in_the_ladder(api: Api, stack: Stack) -> None:
    """
    Stock Dramatiq would hold it in the worker's memory.
    """
    message_id = await order(stack, "delayed")
    await noted(stack, "washed", dish="late bowl")
    rows = await api.sql("SELECT scheduled_for - created_at AS wait, started_at >= scheduled_for AS kept FROM jobs"
                         " WHERE id = $1", message_id)  # fmt: skip

    assert rows[0]["kept"]
    assert rows[0]["wait"].total_seconds() <= 0.71


async def test_an_actor_with_a_queue_of_its_own(stack: Stack) -> None:
    await order(stack, "other_queue")

    await noted(stack, "dried", dish="fork")


async def test_a_pipeline_hands_each_result_on(stack: Stack) -> None:
    await order(stack, "pipeline")

    assert "top" == (await noted(stack, "stacked", dish="clean knife"))[0]["shelf"]


async def test_a_group_is_done(stack: Stack) -> None:
    await order(stack, "group")

    for number in range(5):
        await noted(stack, "washed", dish=f"glass {number}")


async def test_async_actors_run_beside_each_other_while_a_slow_middleware_blocks_threads(stack: Stack) -> None:
    """
    Ten sleep half a second on one loop, which the middleware's own sleeps do not stop; one after the other, the last
    would wake four seconds and a half after the first.
    """
    await order(stack, "async")
    soaked = await noted(stack, "soaked", count=10)
    before = await noted(stack, "before", actor="soak", count=10)

    assert {"lane"} == {entry["thread"] for entry in soaked}
    assert "lane" not in {entry["thread"] for entry in before}
    assert max(e["at"] for e in soaked) - min(e["at"] for e in soaked) < 4.4


async def test_retries_and_their_end(api: Api, stack: Stack) -> None:
    message_id = await order(stack, "retries")
    (told,) = await noted(stack, "gave_up", about="scrub")
    job = await eventually(lambda: _done(api, message_id))
    waits = [attempt["retry_after_seconds"] for attempt in (await api.attempts(message_id))[:2]]

    assert (3, 2) == (len(diary(stack, "scrubbed", pan="pan")), told["retries"])
    assert ("failed", "exhausted", "RuntimeError") == (job["state"], job["reason"], job["error"]["type"])
    assert all(base <= wait <= base * 1.25 for base, wait in zip((0.1, 0.2), waits, strict=True)), waits


@pytest.mark.parametrize(
    ("name", "event", "times", "reason"),
    [
        ("throws", "dropped", 1, "permanent"),
        ("retry_when", "waited", 2, "exhausted"),
        ("retry", "asked", 2, "exhausted"),
    ],
)
async def test_options_that_decide_on_a_retry(
    api: Api, stack: Stack, name: str, event: str, times: int, reason: str
) -> None:
    message_id = await order(stack, name)
    job = await eventually(lambda: _done(api, message_id))

    assert ("failed", reason, times) == (job["state"], job["reason"], len(diary(stack, event)))


async def test_a_message_that_is_too_old_expires(api: Api, stack: Stack) -> None:
    message_id = await order(stack, "too_late")
    job = await eventually(lambda: _done(api, message_id))

    assert ("expired", []) == (job["state"], diary(stack, "served"))


async def test_callbacks(stack: Stack) -> None:
    await order(stack, "success")
    await order(stack, "failure")

    assert "clean tray" == (await noted(stack, "cheered", about="wash"))[0]["result"]
    assert {"type": "RuntimeError", "message": "burnt on"} == (await noted(stack, "mourned", about="scrub"))[0]["error"]


async def test_what_an_actor_sends_is_sent_if_it_completes(api: Api, stack: Stack) -> None:
    """
    Stock Dramatiq sends at once; here the children and the outcome are one commit.
    """
    spilt = await order(stack, "spilt")
    await eventually(lambda: _done(api, spilt))
    await order(stack, "children")
    for dish in ("spoon", "ladle"):
        await noted(stack, "washed", dish=dish)

    assert [] == diary(stack, "washed", dish="saucer")


async def test_a_projects_own_middleware_sees_every_attempt(stack: Stack) -> None:
    message_id = await order(stack, "positional")
    (after,) = await noted(stack, "after", id=message_id)

    assert ("wash", "clean plate", None) == (after["actor"], after["result"], after["error"])
    assert 1 == len(diary(stack, "before", id=message_id))


async def _done(api: Api, message_id: str) -> Any:
    response = await api.client.get(f"/api/v1/jobs/{message_id}")
    return response.status_code == 200 and response.json()["finished_at"] and response.json()
