"""What the README shows is the file in `examples/`, and it runs."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack

EXAMPLE = ROOT / "examples" / "hello_actors.py"
PATH = os.pathsep.join([str(ROOT), str(EXAMPLE.parent), os.environ.get("PYTHONPATH", "")])


def test_the_readme_shows_the_example() -> None:
    code = EXAMPLE.read_text().split('"""', 2)[2].strip()

    assert code in (ROOT / "README.md").read_text()


@pytest_asyncio.fixture
async def greeting(api: Api, stack: Stack) -> AsyncIterator[None]:
    """A worker that has the example's job; it stops as every worker does."""
    stack.workers("hello", processes=1, WARREN_ACTORS="hello_actors", PYTHONPATH=PATH)
    await eventually(lambda: _is_known(api), within=60)
    yield
    code = await asyncio.to_thread(stack.stop, "hello")

    assert 0 == code


@pytest.mark.usefixtures("greeting")
async def test_the_example_runs(api: Api) -> None:
    job = await api.finished(await api.submit("hello", {"name": "Ada"}))
    refused = await api.client.post("/api/v1/jobs", json={"type": "hello", "payload": {}})

    assert ({"text": "Hello, Ada!"}, "greetings") == (job["result"], job["queue"])
    assert (400, "payload") == (refused.status_code // 100 * 100, refused.json()["field"].split(".")[0])


@pytest.mark.usefixtures("greeting")
async def test_a_script_submits_to_it(stack: Stack) -> None:
    script = await asyncio.to_thread(_run, stack, "examples/plain_script.py", "Ada", "Bob")

    assert (0, "Hello, Ada!\nHello, Bob!\n") == (script.returncode, script.stdout), script.stderr


@pytest.mark.usefixtures("greeting")
async def test_a_process_that_imports_a_job_may_submit_it(api: Api, stack: Stack) -> None:
    """
    Without `warren.broker()` before it: the settings are read when something is sent, and the payload is checked here.
    """
    told = await asyncio.to_thread(_run, stack, "-c", IMPORTS)
    job_id, refusal = told.stdout.splitlines()
    await eventually(lambda: _is_there(api, job_id), within=60)
    job = await api.finished(job_id)

    assert ({"text": "Hello, Ada!"}, "payload.name") == (job["result"], refusal)


@pytest.mark.skipif(not importlib.util.find_spec("fastapi"), reason="FastAPI is not installed")
@pytest.mark.usefixtures("greeting")
async def test_a_web_service_submits_to_it(stack: Stack) -> None:
    service = await asyncio.to_thread(_run, stack, "-c", SERVICE)

    assert ["(202, 202, True)", "('completed', 'Hello, Eve!', 404, 422)"] == service.stdout.splitlines(), service.stderr


IMPORTS = """
from hello_actors import Greeting, hello
from warren import Refused, submit

print(submit(hello, Greeting(name="Ada")))
try:
    submit(hello, {"name": 1})
except Refused as e:
    print(e.field)
"""
SERVICE = """
import asyncio, httpx
from fastapi_app import app

async def ask():
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as browser:
            first, again = [
                await browser.post("/greetings", json={"name": "Eve"}, headers={"Idempotency-Key": "Eve's"})
                for _ in range(2)
            ]
            print((first.status_code, again.status_code, first.json() == again.json()))
            await app.state.warren.wait(first.json()["id"], within=60)
            greeted = (await browser.get(first.json()["read"])).json()
            missing = await browser.get("/greetings/00000000-0000-0000-0000-000000000000")
            wrong = await browser.post("/greetings", json={})
            print((greeted["state"], greeted["greeting"]["text"], missing.status_code, wrong.status_code))

asyncio.run(ask())
"""


def _run(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    environment = stack.environment(PYTHONPATH=PATH, WARREN_URL=stack.url)
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


async def _is_known(api: Api) -> bool:
    return any(item["name"] == "hello" for item in (await api.get("/api/v1/job-types"))["items"])


async def _is_there(api: Api, job_id: str) -> bool:
    return bool((await api.client.get(f"/api/v1/jobs/{job_id}")).status_code == 200)
