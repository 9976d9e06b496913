"""How an attempt ends decides what becomes of its job: again at the planned time, later, or never."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.eventually import eventually
from tests.journey.api import FINAL, Api, instant

UNIT = timedelta(milliseconds=100)  # of the delay ladder: a delay is rounded up to it
SLACK = timedelta(seconds=9)  # hops of the ladder on a busy machine; the rescue of what was lost takes ten


async def test_a_retry_runs_at_its_planned_time(api: Api) -> None:
    """
    Never early, and late by the ladder's rounding at most: one unit and 0.8 % of the wait.
    """
    ids = [await api.submit("flaky", {"times": 1})]
    planned = await eventually(lambda: _planned(api, ids))
    job_id = ids[-1]
    job = await api.finished(job_id)
    first, second = await api.attempts(job_id)
    wait = timedelta(seconds=first["retry_after_seconds"])

    assert ("completed", 2, {"attempt": 2}) == (job["state"], job["attempt"], {"attempt": job["result"]["attempt"]})
    assert timedelta(seconds=0.3) <= wait <= timedelta(seconds=0.3 * 1.25)
    assert timedelta(0) <= instant(second["started_at"]) - planned <= UNIT + wait * 0.008 + SLACK


async def test_attempts_come_as_the_plan_said(api: Api, long: bool) -> None:
    """
    The plan is read before the first attempt, which knows the waits, and again while the second is awaited, which knows
    times.  Each wait lies within the plan; each attempt comes when its wait is over, and late by the ladder's rounding
    at most.
    """
    retries = 5 if long else 3
    job_id = await api.submit("flaky", {"times": retries}, max_retries=retries, delay=0.3)
    promised = (await api.job(job_id))["retry_plan"]
    timed = await eventually(lambda: _timed_plan(api, job_id))
    await api.finished(job_id, within=60)
    attempts = await api.attempts(job_id)
    waits = [timedelta(seconds=attempt["retry_after_seconds"]) for attempt in attempts[:-1]]
    late = [
        instant(after["started_at"]) - instant(before["finished_at"]) - wait
        for before, after, wait in zip(attempts, attempts[1:], waits, strict=False)
    ]

    assert [p["attempt"] for p in promised] == [attempt["attempt"] for attempt in attempts[1:]]
    assert all(_within(plan, wait) for plan, wait in zip(promised, waits, strict=True)), (promised, waits)
    assert all(timedelta(0) <= one <= UNIT + wait / 128 + SLACK for one, wait in zip(late, waits, strict=True)), late
    assert timed == {n: at for n, at in timed.items() if at <= instant(attempts[n - 1]["started_at"])}


async def test_attempts_are_listed_with_their_outcome_worker_and_error(api: Api) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 2}))
    attempts = await api.attempts(job["id"])

    assert ["retry", "retry", "completed"] == [a["outcome"] for a in attempts]
    assert [(1, 1, 1), (2, 2, 2), (3, 3, 3)] == [(a["lease"], a["run"], a["attempt"]) for a in attempts]
    assert ["ConnectionError", "ConnectionError"] == [a["error"]["type"] for a in attempts[:2]]
    assert "raise ConnectionError" in attempts[0]["error"]["traceback"]
    assert all(a["worker"] for a in attempts)


async def test_the_wait_doubles(api: Api) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 3}))
    waits = [a["retry_after_seconds"] for a in (await api.attempts(job["id"]))[:3]]

    assert all(base <= wait <= base * 1.25 for base, wait in zip((0.3, 0.6, 1.2), waits, strict=True)), waits


async def test_retries_end_with_the_budget(api: Api) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 99}, max_retries=1))

    assert ("failed", "exhausted", 2) == (job["state"], job["reason"], job["attempt"])
    assert job["next_attempt_at"] is None


async def test_no_retries_means_one_attempt(api: Api) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 99}, max_retries=0))

    assert ("failed", "exhausted", 1) == (job["state"], job["reason"], len(await api.attempts(job["id"])))


async def test_an_actor_may_name_its_own_wait(api: Api) -> None:
    job = await api.finished(await api.submit("picky", {"seconds": 0.7}))
    first, second = await api.attempts(job["id"])
    waited = instant(second["started_at"]) - instant(first["finished_at"])

    assert (0.7, "RetryAfter", "the door is closed") == (
        first["retry_after_seconds"], first["error"]["type"], first["error"]["message"],
    )  # fmt: skip
    assert timedelta(seconds=0.7) <= waited <= timedelta(seconds=0.7) + UNIT + SLACK
    assert {"attempt": 2} == job["result"]


async def test_a_snooze_burns_no_attempt(api: Api) -> None:
    """
    Its type has no retries at all, and snoozes twice.
    """
    job = await api.finished(await api.submit("sleepyhead", {"times": 2}))

    assert ("completed", 1, {"attempt": 1}) == (job["state"], job["attempt"], job["result"])
    assert ["snoozed", "snoozed", "completed"] == [a["outcome"] for a in await api.attempts(job["id"])]


async def test_a_permanent_error_is_not_tried_again(api: Api) -> None:
    job = await api.finished(await api.submit("hopeless"))

    assert ("failed", "permanent", 1) == (job["state"], job["reason"], job["attempt"])
    assert {"type": "PermanentError", "message": "there is no such page"} == job["error"]


async def test_an_attempt_beyond_its_time_limit_is_interrupted_and_retried(api: Api) -> None:
    job = await api.finished(await api.submit("slow"))
    attempts = await api.attempts(job["id"])

    assert ("failed", "timeout", 2) == (job["state"], job["reason"], job["attempt"])
    assert ["retry", "failed"] == [a["outcome"] for a in attempts]
    assert all(_took(a) < timedelta(seconds=0.4) + SLACK for a in attempts)


async def test_a_job_may_bring_its_own_time_limit(api: Api) -> None:
    job = await api.finished(await api.submit("nap", {"seconds": 60}, timeout_seconds=0.2, max_retries=0))

    assert ("failed", "timeout") == (job["state"], job["reason"])


@pytest.mark.parametrize("kind", ["nan", "nul", "surrogate", "deep", "object"])
async def test_a_result_that_cannot_be_stored_fails_alone(api: Api, kind: str) -> None:
    """
    Its neighbours in the same batch complete.
    """
    kinds = ["plain", "plain", kind, "plain", "plain"]
    ids = await asyncio.gather(*(api.submit("returns", {"kind": one}) for one in kinds))
    jobs = await api.all_finished(*ids)

    assert ["completed", "completed", "failed", "completed", "completed"] == [job["state"] for job in jobs]
    assert ("unstorable_result", "UnstorableResult") == (jobs[2]["reason"], jobs[2]["error"]["type"])
    assert jobs[2]["error"]["message"].startswith("result: ")


async def test_an_error_that_cannot_be_stored_is_kept_as_far_as_it_can(api: Api) -> None:
    job = await api.finished(await api.submit("raises_nul"))

    assert ("failed", "exhausted", "ValueError") == (job["state"], job["reason"], job["error"]["type"])
    assert job["error"]["message"].startswith("a\ufffdb")


def _took(attempt: dict[str, Any]) -> timedelta:
    return instant(attempt["finished_at"]) - instant(attempt["started_at"])


async def _planned(api: Api, ids: list[str]) -> Any:
    """When the last of them is tried again; one that was over before anybody had looked is followed by another."""
    job = await api.job(ids[-1])
    if job["state"] in FINAL:
        ids.append(await api.submit("flaky", {"times": 1}))
    return job["state"] == "retrying" and instant(job["next_attempt_at"])


async def _timed_plan(api: Api, job_id: str) -> dict[int, Any]:
    """When each attempt that is left comes at the earliest, once the second is awaited."""
    job = await api.job(job_id)
    return {p["attempt"]: instant(p["earliest_at"]) for p in job["retry_plan"]} if job["state"] == "retrying" else {}


def _within(planned: dict[str, Any], wait: timedelta) -> bool:
    return timedelta(seconds=planned["after_seconds"]) <= wait <= timedelta(seconds=planned["at_most_seconds"])
