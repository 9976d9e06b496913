"""Workers are killed, stopped and reloaded; a job does not notice, and a crash costs one process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.machine.processes import start_time
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import FINAL, Api, instant
from tests.journey.stack import Stack, running_stack
from tests.site.served import Site

NOT_BY_SILENCE = timedelta(seconds=11)  # a lease that ends by silence takes 15 s from a beat, and beats come every 3 s

OVER = -1


@pytest.fixture(scope="module")
def stack(places: Places, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own: its workers come and go."""
    web = {"WARREN_OUTBOUND_ALLOW": site.allowed, "WARREN_OUTBOUND_PORTS": "any", "WARREN_HOST_DELAY_SECONDS": "0"}
    with running_stack(places.amqp_url, places.database_url, tmp_path_factory.mktemp("stack"), **web) as one:
        yield one


async def test_a_killed_process_costs_one_process_and_no_job(api: Api, stack: Stack, tmp_path: Path) -> None:
    """
    Its job is taken over at once, because the supervisor writes down the death; no attempt is burned.
    """
    before, door = stack.worker_pids(), tmp_path / "door"
    job_id = await api.submit("hold", {"opens": str(door)}, max_retries=0)
    victim = await eventually(lambda: _runner(api, job_id))
    killed_at = datetime.now(UTC)
    os.kill(victim, signal.SIGKILL)
    door.touch()
    job = await api.finished(job_id)
    crashed, completed = await api.attempts(job_id)

    assert ("completed", 1, 2) == (job["state"], job["attempt"], job["result"]["starts"])
    assert ("crashed", 1, "WorkerLost") == (crashed["outcome"], crashed["attempt"], crashed["error"]["type"])
    assert crashed["worker"].endswith(f":{victim}")
    assert instant(completed["started_at"]) - killed_at < NOT_BY_SILENCE
    await eventually(lambda: _all_back(stack, before), within=60)
    assert set(before) - {victim} <= set(stack.worker_pids())
    await eventually(lambda: asyncio.to_thread(_counted, stack))


async def test_a_killed_process_that_only_held_deliveries_blames_nobody(api: Api, stack: Stack, tmp_path: Path) -> None:
    """
    What had not begun has no crash against it.
    """
    door = tmp_path / "door"
    ids = await asyncio.gather(*(api.submit("hold", {"opens": str(door)}) for _ in range(16)))
    victim = await eventually(lambda: _runner(api, ids[0]))
    os.kill(victim, signal.SIGKILL)
    door.touch()
    jobs = await api.all_finished(*ids)
    rows = await api.sql("SELECT crashes, (SELECT count(*) FROM attempts a WHERE a.job_id = id) AS leases FROM jobs")

    assert {"completed"} == {job["state"] for job in jobs}
    assert {1} == {job["attempt"] for job in jobs}
    assert all(row["crashes"] <= 1 for row in rows)
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)


async def test_a_crawl_whose_workers_are_killed_tells_each_document_once(api: Api, stack: Stack, site: Site) -> None:
    """
    What it has found outlives them; a document that was under way is asked for again, and no other.
    """
    start = {"url": site.url("/graph/tree/0", 30), "depth": 4, "pages": 100, "archive": False}
    job_id = await api.submit("crawl_url", start)
    for so_many in (5, 40):
        await eventually(lambda least=so_many: len(site.asked(host=30, path="/graph")) >= least)  # type: ignore[misc]
        await _kill_its_runner(api, job_id)
    job = await api.finished(job_id)
    told = [page["url"] for page in job["result"]["pages"]]
    asked = Counter(one.path for one in site.asked(host=30, path="/graph"))

    assert ("completed", 100, 100) == (job["state"], len(told), len(set(told)))
    assert {url.partition("/graph")[2] for url in told} == {path.partition("/graph")[2] for path in asked}
    assert asked.total() - len(asked) <= 2
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)


async def test_a_stop_lets_jobs_finish_and_interrupts_uncounted_what_takes_longer(api: Api, stack: Stack) -> None:
    """
    The long one runs again when workers are back, although it may not be retried at all.
    """
    short, long = await api.submit("nap", {"seconds": 1.0}), await api.submit("long_once")
    for job_id in (short, long):
        await eventually(lambda: api.has_started(job_id))  # noqa: B023 - called before the next turn
    code = await asyncio.to_thread(stack.stop, "actors")
    finished, interrupted = await api.job(short), await api.job(long)
    stack.workers()
    again = await api.finished(long, within=60)
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)

    assert (0, "completed", 1) == (code, finished["state"], finished["result"] and finished["result"]["starts"])
    assert ("queued", 0) == (interrupted["state"], interrupted["attempt"])
    assert ("completed", {"starts": 2, "attempt": 1}) == (again["state"], again["result"])
    assert ["interrupted", "completed"] == [attempt["outcome"] for attempt in await api.attempts(long)]


async def test_more_signals_to_all_processes_do_not_cut_the_drain_short(api: Api, stack: Stack) -> None:
    """
    What systemd sends to a control group, and an impatient operator after it.
    """
    job_id = await api.submit("nap", {"seconds": 1.5})
    await eventually(lambda: api.has_started(job_id))
    everybody = [stack.processes["actors"].pid, *stack.masters(), *stack.worker_pids()]
    for _ in range(3):
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):  # who has nothing to do ends at the first
                os.kill(pid, signal.SIGTERM)
    code = await asyncio.to_thread(stack.stop, "actors")
    job = await api.job(job_id)
    stack.workers()
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)

    assert (0, "completed", 1) == (code, job["state"], job["result"] and job["result"]["starts"])


async def test_workers_end_with_their_supervisor(api: Api, stack: Stack) -> None:
    """
    They drain: nobody would restart or end them otherwise.
    """
    job_id = await api.submit("nap", {"seconds": 0.8})
    await eventually(lambda: api.has_started(job_id))
    orphans = [*stack.masters(), *stack.worker_pids()]
    stack.kill("actors")
    job = await api.finished(job_id)
    await eventually(lambda: not any(map(start_time, orphans)))
    stack.workers()
    await eventually(lambda: asyncio.to_thread(stack.consuming, 2), within=60)

    assert ("completed", 1) == (job["state"], job["result"]["starts"])


async def test_watch_reloads_a_changed_module(api: Api, stack: Stack) -> None:
    """
    One that is wrong for a while, as half-written ones are, is waited for.
    """
    module = stack.folder / "watched.py"
    module.write_text(_watched("before"))
    stack.workers("watching", "--watch", "--queues", "watched", processes=1, WARREN_ACTORS="watched")
    await eventually(lambda: _is_registered(api, "watched"), within=60)
    before = await api.finished(await api.submit("watched"))
    module.write_text(_watched("after it was changed"))
    after = await eventually(lambda: _answers(api, "after it was changed"), within=60)
    module.write_text(_watched("unnamed").replace('"watched", queue', '"Capital Letters", queue'))
    await eventually(lambda: stack.logged("watching", "worker_waits_for_an_edit"), within=60)
    module.write_text(_watched("once it was mended"))
    mended = await eventually(lambda: _answers(api, "once it was mended"), within=60)
    code = await asyncio.to_thread(stack.stop, "watching")

    assert (0, "before", True, True) == (code, before["result"], after, mended)


FATAL = [
    ({"WARREN_ACTORS": "no_such_module"}, "WARREN_ACTORS names no_such_module, which cannot be imported"),
    ({"WARREN_ACTORS": "capital_letters"}, "the actor SendMail of capital_letters cannot be a job type"),
    ({"WARREN_ACTORS": "unknown_option"}, "options are undefined: store_results"),
    ({"WARREN_ACTORS": "own_broker"}, "own_broker of WARREN_ACTORS sets a broker of its own"),
    ({"WARREN_QUEUES": "nowhere"}, "WARREN_QUEUES names nowhere, which no job type uses; known: default"),
    ({"WARREN_PROCESES": "3"}, "unknown WARREN_PROCESES (WARREN_PROCESSES?)"),
]


async def test_a_wrong_configuration_ends_it_with_a_sentence(stack: Stack) -> None:
    """
    Exit code 2, at once: another try would say the same.
    """
    names = [f"wrong-{number}" for number in range(len(FATAL))]
    for name, (settings, _) in zip(names, FATAL, strict=True):
        stack.workers(name, processes=1, **settings)
    codes = [await asyncio.to_thread(stack.processes.pop(name).wait, 120) for name in names]
    said = [stack.log(name).read_text() for name in names]

    assert [2] * len(FATAL) == codes
    assert [] == [text for text, (_, sentence) in zip(said, FATAL, strict=True) if sentence not in text]
    assert [] == [text for text in said if "Traceback" in text]


async def _runner(api: Api, job_id: str) -> int | None:
    """The process that runs it."""
    job = await api.job(job_id)
    return int(job["worker"].rpartition(":")[2]) if job["state"] == "running" else None


async def _kill_its_runner(api: Api, job_id: str) -> None:
    """The process that runs it; nobody, where the job was over before that was told."""

    async def runner() -> int | None:
        return OVER if (await api.job(job_id))["state"] in FINAL else await _runner(api, job_id)

    if (pid := await eventually(runner)) != OVER:
        os.kill(pid or 0, signal.SIGKILL)


def _all_back(stack: Stack, before: list[int]) -> bool:
    return len(stack.worker_pids()) == len(before)


async def _is_registered(api: Api, name: str) -> bool:
    items = (await api.get("/api/v1/job-types"))["items"]
    return any(item["name"] == name and item["workers"] for item in items)


async def _answers(api: Api, word: str) -> Any:
    return word == (await api.finished(await api.submit("watched")))["result"]


def _watched(answer: str) -> str:
    return f'from warren import job\n\n\n@job("watched", queue="watched")\ndef watched():\n    return "{answer}"\n'


@pytest.fixture(scope="module", autouse=True)
def _wrong_modules(stack: Stack) -> None:
    """Modules that a person might write."""
    folder = Path(stack.folder)
    (folder / "capital_letters.py").write_text("import dramatiq\n\n\n@dramatiq.actor\ndef SendMail(): ...\n")
    option = "import dramatiq\n\n\n@dramatiq.actor(store_results=True)\ndef mail(): ...\n"
    broker = "from dramatiq.brokers.rabbitmq import RabbitmqBroker"
    (folder / "own_broker.py").write_text(f"import dramatiq\n{broker}\n\ndramatiq.set_broker(RabbitmqBroker())\n")
    (folder / "unknown_option.py").write_text(option)


def _counted(stack: Stack) -> bool:
    """Whether the death is in the figures, and the job that came after it."""
    told = stack.scrape("actors")
    done = told['warren_attempts_total{type="hold",outcome="completed"}']
    return (1, 2) == (told["warren_worker_deaths_total"], told["warren_worker_processes"]) and done >= 1
