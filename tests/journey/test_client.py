"""A program submits jobs and learns what became of them: with a loop and without, over HTTP and over AMQP."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.eventually import eventually
from tests.journey.stack import ROOT, Stack
from warren import Client, JobFailed, NotFound, StillOpen, SyncClient, new_job


@pytest.fixture
def blocking(stack: Stack) -> Iterator[SyncClient]:
    with SyncClient(stack.url) as client:
        yield client


async def test_a_job_is_submitted_and_waited_for(stack: Stack) -> None:
    async with Client(stack.url) as warren:
        job = await warren.wait(await warren.submit("flaky", {"times": 1}, priority="high", tags=["mine"]), within=60)

    assert ("completed", 2, 8, ("mine",)) == (job.state, job.result["attempt"], job.priority, job.tags)


def test_the_same_without_a_loop_and_from_any_thread(blocking: SyncClient) -> None:
    results: list[object] = []

    def run(word: str) -> None:
        results.append(blocking.wait(blocking.submit("echo", {"message": word}), within=60).result)

    threads = [threading.Thread(target=run, args=[word]) for word in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [{"message": word} for word in ("a", "b", "c")] == sorted(results, key=str)


def test_a_job_that_fails_is_an_exception_that_says_why(blocking: SyncClient) -> None:
    with pytest.raises(
        JobFailed, match=r"failed \(permanent\) at attempt 1: PermanentError: there is no such page"
    ) as e:
        blocking.wait(blocking.submit("hopeless"), within=60)

    assert ("failed", "hopeless") == (e.value.job.state, e.value.job.type)


def test_a_job_that_takes_longer_is_still_open(blocking: SyncClient) -> None:
    job_id = blocking.submit("endless")
    with pytest.raises(StillOpen, match=r"after 1\.5 s"):
        blocking.wait(job_id, within=1.5)
    blocking.cancel(job_id)
    with pytest.raises(JobFailed, match="cancelled"):
        blocking.wait(job_id, within=60)


def test_many_go_at_once(blocking: SyncClient) -> None:
    items = blocking.submit_many(new_job("echo", {"message": str(number)}) for number in range(50))
    done = [blocking.wait(item.id, within=60).result["message"] for item in items if item.id]

    assert [str(number) for number in range(50)] == done


def test_a_batch_is_waited_for_as_the_page_says(
    stack: Stack, blocking: SyncClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARREN_URL", stack.url)
    paste = (ROOT / "docs" / "batches.md").read_text().split("```python\n")[1].split("```")[0]
    exec(paste, made := dict[str, Any]())
    done = blocking.batch(made["batch"].id)
    told = blocking.wait(str(done.callback_id), within=60).result

    assert f"{done.counts}\n" == capsys.readouterr().out
    assert ("completed", 1_000) == (done.state, done.counts.completed)
    assert ("all rows are in", str(done.id), 1_000) == (
        told["message"],
        told["batch"]["id"],
        told["batch"]["completed"],
    )


async def test_a_program_near_the_broker_submits_through_it(stack: Stack) -> None:
    async with Client(stack.url, amqp_url=stack.amqp_url) as warren:
        job_id = await warren.submit("echo", {"message": "by AMQP"}, key="once")
        again = await warren.submit("echo", {"message": "by AMQP"}, key="once")
        await eventually(lambda: _is_there(warren, job_id), within=60)
        job = await warren.wait(job_id, within=60)

    assert (job_id, {"message": "by AMQP"}) == (again, job.result)


async def test_a_client_without_a_loop_does_not_hold_one_up(blocking: SyncClient) -> None:
    with pytest.raises(RuntimeError, match="use Client and await"):
        blocking.get(uuid4())


def test_a_forked_process_has_a_client_of_its_own(stack: Stack) -> None:
    """
    As a web server does that makes its client before it forks its workers.
    """
    program = """
import os
from warren import SyncClient
client = SyncClient()
client.submit("echo", {"message": "parent"})
child = os.fork()
job = client.wait(client.submit("echo", {"message": "child" if child == 0 else "parent"}), within=60)
if child == 0:
    os._exit(0 if job.result == {"message": "child"} else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), job.result["message"])
client.close()
"""
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "WARREN_URL": stack.url}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ("0 parent\n", "") == (told.stdout, told.stderr)


def test_a_client_does_not_load_the_engine() -> None:
    program = (
        "import sys\nfrom warren import Client, SyncClient, submit_in\n"
        "heavy = {'dramatiq', 'pika', 'aiohttp', 'aio_pika', 'asyncpg', 'sqlalchemy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == told.stdout.strip()


TYPED = """
from pydantic import BaseModel
from warren import Client, SyncClient, job, new_job

class Greeting(BaseModel):
    name: str

class Other(BaseModel):
    name: str

@job("typed.hello")
async def hello(payload: Greeting) -> str:
    return payload.name

@job("typed.tick")
def tick() -> None: ...

async def right(warren: Client, blocking: SyncClient) -> None:
    reveal_type(await warren.submit(hello, Greeting(name="x"), priority=3))
    await warren.submit(hello, {"name": "x"})
    await warren.submit("hello", {"name": "x"})
    await warren.submit(tick)
    reveal_type(blocking.submit(hello, Greeting(name="x"), tags=["a"]))
    reveal_type(blocking.get("x"))
    reveal_type(blocking.delete("x", purge=True))
    reveal_type(blocking.attempts("x"))
    reveal_type(blocking.redrive(7, instead=new_job(hello, Greeting(name="x"))))
    reveal_type(blocking.dead_letters(type=hello).items[0])
    reveal_type(hello)
    reveal_type(blocking.submit_batch([new_job(hello, Greeting(name="x"))], on_complete=new_job(tick)))

async def wrong(warren: Client, blocking: SyncClient) -> None:
    await warren.submit(hello, Other(name="x"))  # wrong
    blocking.submit(hello, Other(name="x"))  # wrong
    blocking.submit(hello, Greeting(name="x"), prioritty=3)  # wrong
    blocking.discard("7")  # wrong
    blocking.retry_batch("x", state="done")  # wrong
"""


def test_a_type_checker_knows_what_a_job_takes(tmp_path: Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir", ".mypy_cache"]
    told = subprocess.run(
        [*command, tmp_path / "typed.py"], cwd=ROOT, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    lines = told.stdout.splitlines()
    wrong = {str(number) for number, line in enumerate(TYPED.splitlines(), 1) if line.endswith("# wrong")}
    revealed = [line.split('"')[1] for line in lines if "Revealed" in line]

    job, attempts, letter = (f"gateway.client.replies.{name}" for name in ("Job", "Attempt", "DeadLetter"))
    assert [
        "uuid.UUID", "uuid.UUID", job, f"{job} | None", f"tuple[{attempts}, ...]", job, letter,
    ] == revealed[:7], told.stdout  # fmt: skip
    assert "gateway.client.replies.Batch" == revealed[8]
    assert revealed[7].startswith("dramatiq.actor.Actor[[payload: typed.Greeting], "), revealed
    assert wrong == {line.split(":")[1] for line in lines if ": error:" in line}, told.stdout


async def _is_there(warren: Client, job_id: object) -> bool:
    try:
        await warren.get(str(job_id))
    except NotFound:
        return False
    return True
