"""Why a job does not run, asked of a Warren at work: what its people, its actors and its workers did is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.eventually import eventually
from tests.journey.api import JOBS, Api, instant

API = "/api/v1"


async def why(api: Api, job_id: str) -> dict[str, Any]:
    return await api.get(f"{JOBS}/{job_id}/why")


async def told(api: Api, job_id: str, cause: str) -> dict[str, Any]:
    """The answer, once it is this."""

    async def so() -> bool:
        return bool((await why(api, job_id))["cause"] == cause)

    await eventually(so)
    return await why(api, job_id)


async def post(api: Api, path: str, **body: str) -> None:
    response = await api.client.post(f"{API}/{path}", json=body)

    assert response.is_success, response.text


async def _nobody_consumes(api: Api, queue: str) -> bool:
    return bool((await api.get(f"{API}/queues/{queue}"))["consumers"] == 0)


async def test_what_people_have_paused_and_who_waits_before_it(api: Api) -> None:
    await api.finished(await api.submit("tell"))
    await post(api, "queues/letters/pause", by="ada", note="the printer is on fire")
    try:
        await eventually(lambda: _nobody_consumes(api, "letters"))  # or one of them would take the first
        first, second = [await api.submit("tell") for _ in range(2)]
        late = await api.submit("tell", priority=1)
        await api.sql("UPDATE jobs SET expires_at = now() WHERE id = $1", UUID(late))
        paused, behind = await told(api, first, "queue_paused"), await told(api, second, "queue_paused")
        past = await told(api, late, "past_deadline")
    finally:
        await post(api, "queues/letters/resume")
    done, expired = await told(api, second, "completed"), await told(api, late, "expired")

    assert paused["sentence"].endswith(" by ada: the printer is on fire.")
    assert "ada" == paused["queue_paused"]["paused_by"]
    assert (1, ["behind_others"]) == (behind["ahead"]["jobs"], [one["cause"] for one in behind["also"]])
    assert ["queue_paused", "behind_others"] == [one["cause"] for one in past["also"]]
    assert done["sentence"].endswith(" after 1 attempt.")
    assert " had passed before it could start." in expired["sentence"]


async def test_a_paused_type(api: Api) -> None:
    await post(api, "job-types/nap/pause", by="ada")
    try:
        job_id = await api.submit("nap")
        paused = await told(api, job_id, "type_paused")
    finally:
        await post(api, "job-types/nap/resume")
    await told(api, job_id, "completed")

    assert paused["sentence"].startswith("The job type nap is paused since ")


async def test_waits_of_the_submitter_s_and_of_a_retry_s_making(api: Api) -> None:
    delayed, picky = await api.submit("echo", delay=3600), await api.submit("picky", {"seconds": 3600})
    later, closed = await told(api, delayed, "delayed"), await told(api, picky, "retry_wait")
    await post(api, f"jobs/{picky}/cancel")
    await post(api, f"jobs/{delayed}/cancel")
    cancelled, never = await why(api, picky), await why(api, delayed)

    assert later["sentence"].endswith(": its submitter delayed it.")
    assert closed["sentence"].endswith(" for attempt 2 of 4, because attempt 1 failed: the door is closed.")
    assert instant(closed["due_at"]) > instant(closed["now"])
    assert ("cancelled", "cancelled") == (cancelled["cause"], never["cause"])
    assert never["sentence"].endswith(" before it had started.")


async def test_a_job_that_runs_until_it_is_cancelled(api: Api) -> None:
    job_id = await api.submit("nap", {"seconds": 600})

    async def has_spoken() -> bool:
        return "it last said: 50%, asleep" in (await why(api, job_id))["sentence"]

    await eventually(has_spoken)
    runs = await why(api, job_id)
    await post(api, f"jobs/{job_id}/cancel")
    cancelled = await told(api, job_id, "cancelled")
    past = await api.get(f"{JOBS}/{job_id}/timeline")

    assert ("running", 0.5) == (runs["cause"], runs["progress"]["fraction"])
    assert runs["worker"]["name"] in runs["sentence"]
    assert "before it had started" not in cancelled["sentence"]
    assert {"started", "cancel_requested", "ended", "finished"} < {event["event"] for event in past["events"]}


async def test_a_failure_for_good(api: Api) -> None:
    job_id = await api.submit("hopeless")
    failed = await told(api, job_id, "failed")

    assert failed["sentence"].endswith(" in attempt 1 of 4, for good: there is no such page.")


async def test_a_timeline_adds_up(api: Api) -> None:
    """
    Two failures, then success: each part begins where the one before has ended, and the sum is its whole life.
    """
    job_id = await api.submit("flaky", {"times": 2}, delay=0.3)
    job = await api.finished(job_id)
    past = await api.get(f"{JOBS}/{job_id}/timeline")
    attempts, events = await api.attempts(job_id), past["events"]

    assert [
        "accepted", "due", "started", "ended", "due", "started", "ended", "due", "started", "ended", "finished",
    ] == [event["event"] for event in events]  # fmt: skip
    tried = ["queued", "running", "retry_wait"]
    assert [None, "delayed", *tried, *tried, "queued", "running", None] == [event["spent"] for event in events]
    assert [attempt["worker"] for attempt in attempts] == [e["worker"] for e in events if e["event"] == "started"]
    assert [attempt["finished_at"] for attempt in attempts] == [e["at"] for e in events if e["event"] == "ended"]
    assert ["retry", "retry", "completed"] == [e["outcome"] for e in events if e["event"] == "ended"]
    life = (instant(job["finished_at"]) - instant(job["created_at"])).total_seconds()
    assert abs(sum(past["spent_seconds"].values()) - life) < 0.01
    assert (None, job["trace_id"]) == (past["phase"], past["trace_id"])
    assert "Attempt 1 failed, and it is tried again: attempt 1 in " in events[3]["sentence"]
