"""What the README shows is the file in `examples/`, and it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack

EXAMPLE = ROOT / "examples" / "hello_actors.py"


def test_the_readme_shows_the_example() -> None:
    code = EXAMPLE.read_text().split('"""', 2)[2].strip()

    assert code in (ROOT / "README.md").read_text()


async def test_the_example_runs(api: Api, stack: Stack) -> None:
    stack.workers("hello", processes=1, WARREN_ACTORS="hello_actors", PYTHONPATH=_path(EXAMPLE.parent))
    await eventually(lambda: _is_known(api), within=20)
    job = await api.finished(await api.submit("hello", {"name": "Ada"}))
    refused = await api.client.post("/api/v1/jobs", json={"type": "hello", "payload": {}})
    code = await asyncio.to_thread(stack.stop, "hello")

    assert (0, {"text": "Hello, Ada!"}, "greetings") == (code, job["result"], job["queue"])
    assert (400, "payload") == (refused.status_code // 100 * 100, refused.json()["field"].split(".")[0])


def _path(folder: Path) -> str:
    return f"{ROOT}:{folder}"


async def _is_known(api: Api) -> bool:
    return any(item["name"] == "hello" for item in (await api.get("/api/v1/job-types"))["items"])
