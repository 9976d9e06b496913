"""`warren demo` against a Warren whose workers do not know its types: every door, every end, and nobody left behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from actors.process.child import die_with_parent
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.stack import ROOT, Stack, running_stack

WITHIN_SECONDS = 120.0
SCHEDULES = "/api/v1/schedules?tag=demo"
FEW = 10  # orders; what came over AMQP is counted a moment after it was sent


@pytest.fixture(scope="module")
def stack(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """No worker: the demo brings its own."""
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(places.amqp_url, places.database_url, folder, workers=0, WARREN_ACTORS="") as one:
        yield one


def seen(stack: Stack) -> dict[str, int]:
    """How many have completed or wait, how many of each door have completed, and whether there are children."""
    jobs = stack.get("/api/v1/stats")["jobs"]["by_type"]
    ours = [states for name, states in jobs.items() if name.startswith("demo.")]
    by_state = {state: sum(states[state] for states in ours) for state in ("completed", "scheduled")}
    none = {"completed": 0, "total": 0}
    office = sum(states["completed"] for name, states in jobs.items() if not name.startswith("demo."))
    return by_state | {
        "of the office": office,
        "by sql": jobs.get("demo.stock", none)["completed"],
        "by http": jobs.get("demo.thumbnail", none)["completed"],
        "by amqp": jobs.get("demo.transfer", none)["completed"],
        "children": max(jobs.get("demo.parcel", none)["total"] - FEW, 0),
        "by the clock": sum(bool(one["last_run"]) for one in stack.get(SCHEDULES)["items"]),
    }


async def test_the_demo_goes_in_by_every_door_and_ends_when_it_is_asked(stack: Stack) -> None:
    """
    Without a terminal it writes lines.  It is asked to stop once all that was waited for has happened, by the signal
    that does not let it wait for the parcels of its last orders; its worker goes with it.
    """
    words = [sys.executable, "-m", "warren", "demo", "--rate", "80", "--duration", "0"]
    demo = subprocess.Popen(  # noqa: ASYNC220 - it goes on beside the test
        words,
        cwd=ROOT,
        env=stack.environment(WARREN_URL=stack.url, WARREN_ACTORS=""),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - a test run that is killed leaves none behind
    )
    try:
        await eventually(lambda: demo.poll() is not None or all(seen(stack).values()), within=WITHIN_SECONDS)
    finally:
        demo.terminate()
        told, _ = await asyncio.to_thread(demo.communicate, None, WITHIN_SECONDS)
    alive = stack.get("/api/v1/stats")["workers"]["alive"]

    assert 0 == demo.returncode, told
    assert [] == [word for word in (" http", " amqp", " sql", "children", "completed") if word not in told], told
    assert "left out" not in told or "is somebody else's" in told  # its own worker may read the suppliers' pages
    assert "\x1b" not in told
    assert 0 == alive
    assert [] == stack.get(SCHEDULES)["items"]
