"""GET /jobs/{id}/why and /timeline over rows as the claim, the record, the heartbeat and the scheduler write them.

With processes at work: tests/journey/test_why.py; with a store away or an alarm: test_outages.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

import warren
from gateway.openapi.operations import OPERATIONS
from persistence.attempts.claim import Delivered, claim
from persistence.attempts.record import Ending
from persistence.crew import workers
from persistence.crew.crashes import bury
from persistence.crew.workers import Pulse, Worker
from persistence.letters.dead_letters import DeadLetter, keep
from tests.eventually import eventually
from tests.room.gateway.running import ECHO, JOBS, Running
from tests.room.persistence.rows import written
from wire.message import Incoming
from wire.states import Outcome, State

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEASE = 15.0


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def alone(running: Running) -> AsyncIterator[None]:
    """No worker but the test's own, and no job of another test ahead."""
    await running.sql("DELETE FROM warren.workers")
    await running.sql("UPDATE warren.jobs SET state = 'cancelled', finished_at = now() WHERE state <> 'completed'")
    await running.sql("TRUNCATE warren.pauses, warren.queue_marks, warren.outbox")
    yield


async def why(running: Running, job_id: str) -> dict[str, Any]:
    return await running.get(f"{JOBS}/{job_id}/why")


async def submitted(running: Running, **fields: object) -> str:
    """A job whose message RabbitMQ has."""
    job_id = str((await running.submit({**ECHO, **fields}))["id"])

    async def published() -> bool:
        return not await running.sql("SELECT FROM warren.outbox WHERE job_id = $1", UUID(job_id))

    await eventually(published)
    return job_id


async def worker(running: Running, **pulse: Any) -> UUID:
    """One that serves `echo`, after its first heartbeat; it lives however long the test takes."""
    session, said = uuid4(), {"free_slots": 10, "consuming": True, "idle_seconds": None, **pulse}
    await workers.arrive(running.room.database, Worker(session, f"w:{session}", "w", 1, ["default"], ["echo"], 10))
    await workers.beat(running.room.database, session, Pulse(**said))
    await running.sql("UPDATE warren.workers SET heartbeat_at = now() + interval '1 day' WHERE session = $1", session)
    return session


async def claimed(running: Running, session: UUID, job_id: str) -> Ending:
    """It runs there; this is how it would complete."""
    (row,) = await running.sql("SELECT run, body_hash, now() AS now FROM warren.jobs WHERE id = $1", UUID(job_id))
    delivered = Delivered(UUID(job_id), row["run"], row["body_hash"])
    start = (await claim(running.room.database, session, [delivered], LEASE))[UUID(job_id)]
    return Ending(
        UUID(job_id), start.lease, start.run, start.attempt, f"w:{session}", Outcome.COMPLETED, State.COMPLETED,
        row["now"], row["now"],
    )  # fmt: skip


async def ended(running: Running, ending: Ending, outcome: Outcome, **said: Any) -> None:
    fault = {"outcome": outcome, "state": State.RETRYING, "error_type": "HTTPStatusError", "error_message": "HTTP 503"}
    told = {name: getattr(ending, name) for name in ending.__struct_fields__}
    await written(running.room.database, [Ending(**{**told, **fault, **said})])


async def test_without_a_worker_it_says_when_the_last_one_was_seen(running: Running) -> None:
    job_id = await submitted(running)
    never = await why(running, job_id)
    session = await worker(running)
    await workers.end(running.room.database, session)
    await running.sql("UPDATE warren.workers SET heartbeat_at = now() - interval '3 hours'")
    gone = await why(running, job_id)

    assert ("no_worker", None) == (never["cause"], never["workers"]["last_seen_at"])
    assert "No worker serves the type echo from the queue default; the last one was seen 3 h ago." == gone["sentence"]
    assert {"connected": True, "alarm": False} == gone["broker"]


async def test_a_worker_that_takes_nothing_is_told(running: Running) -> None:
    job_id = await submitted(running)
    deaf = await worker(running, consuming=False)
    silent = await why(running, job_id)
    await workers.beat(running.room.database, deaf, Pulse(10, consuming=True, idle_seconds=None, draining=True))
    await running.sql("UPDATE warren.workers SET heartbeat_at = now() + interval '1 day'")
    draining = await why(running, job_id)

    assert ("not_consumed", 1, 0) == (silent["cause"], silent["workers"]["serving"], silent["workers"]["consuming"])
    assert ("not_consumed", 1) == (draining["cause"], draining["workers"]["draining"])


async def test_the_jobs_ahead_are_those_of_higher_or_equal_priority(running: Running) -> None:
    first, low, high = [await submitted(running, priority=priority) for priority in (5, 1, 9)]
    mine, later = [await submitted(running, priority=5) for _ in range(2)]
    await submitted(running, priority=9, delay=3600)
    await worker(running, free_slots=0)
    told = {job_id: await why(running, job_id) for job_id in (first, low, high, mine, later)}

    assert [1, 4, 0, 2, 3] == [answer["ahead"]["jobs"] for answer in told.values()]
    assert (
        "About 2 jobs of higher or equal priority are ahead of it in the queue default; 1 worker runs 10 at once."
        == (told[mine]["sentence"])
    )
    assert ("workers_busy", "behind_others") == (told[high]["cause"], told[low]["cause"])
    assert {False} == {answer["ahead"]["at_most"] for answer in told.values()}


async def test_far_back_in_a_long_queue_the_number_is_exact_and_in_the_middle_an_upper_bound(running: Running) -> None:
    """
    So many are looked at from either end; the sums say how many there are in all.
    """
    first = await submitted(running)
    await running.sql(
        "INSERT INTO warren.jobs (id, type, queue, state, priority, body, body_hash, max_retries, timeout_seconds, "
        "traceparent, created_at) SELECT gen_random_uuid(), type, queue, state, 5, body, body_hash, 3, 300, "
        "traceparent, created_at + n * interval '1 microsecond' "
        "FROM warren.jobs, generate_series(1, 5000) n WHERE id = $1",
        UUID(first),
    )
    rows = await running.sql("SELECT id FROM warren.jobs WHERE state = 'queued' ORDER BY created_at")
    told = [(await why(running, str(rows[place]["id"])))["ahead"] for place in (0, 500, 2_500, 4_500, 5_000)]

    assert [(0, False), (500, False), (4_000, True), (4_500, False), (5_000, False)] == [
        (ahead["jobs"], ahead["at_most"]) for ahead in told
    ]


async def test_the_next_one_with_free_hands_is_about_to_start(running: Running) -> None:
    await worker(running)
    told = await why(running, await submitted(running))

    assert ("starting", []) == (told["cause"], told["also"])


async def test_an_overtaken_job_has_lost_its_message(running: Running) -> None:
    job_id = await submitted(running)
    later = (await running.room.database.now()) + timedelta(minutes=2)
    await worker(running, marks={("default", 5): later}, free_slots=0)

    assert "message_lost" == (await why(running, job_id))["cause"]


async def test_a_job_that_nobody_takes_although_it_is_the_next_has_lost_its_message(running: Running) -> None:
    await worker(running)
    job_id = await submitted(running)
    first = await why(running, job_id)
    await running.sql("UPDATE warren.jobs SET created_at = now() - interval '2 minutes' WHERE id = $1", UUID(job_id))

    assert ("starting", "message_lost") == (first["cause"], (await why(running, job_id))["cause"])


async def test_a_message_that_nobody_publishes_is_told(running: Running) -> None:
    """
    It came through the SQL door, and there is no scheduler.
    """
    await worker(running)
    (row,) = await running.sql("SELECT warren.submit('echo', '{\"message\": \"hi\"}') AS id")
    told = await why(running, str(row["id"]))
    await running.sql("UPDATE warren.outbox SET publish_after = now() - interval '1 minute', tries = 3")
    late = await why(running, str(row["id"]))

    assert ("unpublished", told["created_at"]) == (told["cause"], told["outbox"]["since"])
    assert told["sentence"].startswith("It is not yet published: its message waits in the outbox since ")
    assert late["sentence"].endswith("is a scheduler running?")
    assert 3 == late["outbox"]["tries"]


async def test_a_failed_attempt_is_the_reason_of_the_wait(running: Running) -> None:
    session, job_id = await worker(running), await submitted(running)
    await ended(running, await claimed(running, session, job_id), Outcome.RETRY, again_after=timedelta(hours=1))
    told = await why(running, job_id)
    past = await running.get(f"{JOBS}/{job_id}/timeline")

    assert "retry_wait" == told["cause"]
    assert told["sentence"].endswith(" for attempt 2 of 4, because attempt 1 failed: HTTP 503.")
    assert ({"type": "HTTPStatusError", "message": "HTTP 503"}, "retry") == (
        told["last_attempt"]["error"], told["last_attempt"]["outcome"],
    )  # fmt: skip
    assert told["ahead"] is None
    assert ["accepted", "started", "ended", "due"] == [event["event"] for event in past["events"]]
    assert ("retry_wait", told["due_at"]) == (past["phase"], past["events"][-1]["at"])
    assert "It will be due." == past["events"][-1]["sentence"]


async def test_a_snooze_is_no_failure(running: Running) -> None:
    session, job_id = await worker(running), await submitted(running)
    snooze = {"again_after": timedelta(hours=1), "counted": False, "error_type": "Snooze", "error_message": "no news"}
    await ended(running, await claimed(running, session, job_id), Outcome.SNOOZED, **snooze)
    told = await why(running, job_id)

    assert ("snoozed", 0) == (told["cause"], told["attempt"])
    assert told["sentence"].endswith("because it put itself off: no news.")


async def test_a_running_job_tells_its_worker_and_what_becomes_of_it(running: Running) -> None:
    """
    Silent, lost, taken up again, alone.
    """
    session, job_id = await worker(running), await submitted(running)
    await claimed(running, session, job_id)
    await running.sql("UPDATE warren.jobs SET progress = 0.4, note = 'page 4' WHERE id = $1", UUID(job_id))
    runs = await why(running, job_id)
    await running.sql("UPDATE warren.workers SET heartbeat_at = now() - interval '20 seconds'")
    silent = await why(running, job_id)
    await bury(running.room.database, [session], silent_seconds=LEASE)
    lost = await why(running, job_id)
    heir = await worker(running)
    await _claim_none_of_the_suspects(running, heir, job_id)
    alone = await why(running, job_id)
    past = await running.get(f"{JOBS}/{job_id}/timeline")

    assert ["running", "worker_silent", "worker_lost", "runs_alone"] == [
        told["cause"] for told in (runs, silent, lost, alone)
    ]
    assert runs["sentence"].endswith(", attempt 1 of 4; it last said: 40%, page 4.")
    assert (f"w:{session}", {"fraction": 0.4, "note": "page 4"}) == (runs["worker"]["name"], runs["progress"])
    assert ["accepted", "started", "ended"] == [event["event"] for event in past["events"][:3]]
    assert "crashed" == past["events"][2]["outcome"]


async def test_a_running_job_that_was_asked_to_end(running: Running) -> None:
    session, job_id = await worker(running), await submitted(running)
    await claimed(running, session, job_id)
    await running.post(f"{JOBS}/{job_id}/cancel")
    told = await why(running, job_id)

    assert "cancelling" == told["cause"]
    assert told["sentence"].endswith(" to end.")


async def test_its_deadline_is_told_before_anything_else(running: Running) -> None:
    job_id = await submitted(running, delay=3600)
    await running.sql("UPDATE warren.jobs SET expires_at = now() - interval '1 minute' WHERE id = $1", UUID(job_id))
    told = await why(running, job_id)

    assert ("past_deadline", ["delayed", "no_worker"]) == (told["cause"], [one["cause"] for one in told["also"]])


async def test_an_unknown_job_is_not_found(running: Running) -> None:
    for what in ("why", "timeline"):
        problem = await running.get(f"{JOBS}/{uuid4()}/{what}", status=404)
        assert problem["type"].endswith("#not_found")
        assert "x" == (await running.get(f"{JOBS}/{uuid4()}/{what}?x=1", status=422))["field"]


async def test_a_message_that_was_refused_is_told(running: Running) -> None:
    job_id = str(uuid4())
    message = Incoming(b"{", "jobs.in", "job.echo.p5", "births", {}, job_id)
    await keep(running.room.database, [DeadLetter(message, "malformed", "body is not JSON")])
    problem = await running.get(f"{JOBS}/{job_id}/why", status=404)
    await running.get("/api/v1" + problem["remedy"].partition("/api/v1")[2])

    assert problem["detail"].endswith(f"no job {job_id}: its message was refused (malformed), body is not JSON")


async def test_the_client_and_the_command_say_the_same(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    job_id = await submitted(running)
    async with warren.Client(f"http://127.0.0.1:{running.port}") as client:
        told, past = await client.why(job_id), await client.timeline(job_id)
    code, missing = await _command(running, job_id, "--timeline"), await _command(running, str(uuid4()))
    said = capsys.readouterr()

    assert ("no_worker", 0, 4, 0) == (told.cause, told.workers.serving, told.max_attempts, told.attempt)
    assert (["accepted"], "queued") == ([event.event for event in past.events], past.phase)
    assert (0, 1) == (code, missing)
    assert {told.sentence, f"  (no_worker: job {job_id} of the type echo, queue default, queued)"} < set(
        said.out.splitlines()
    )
    assert "It was accepted." in said.out
    assert 1 == len([line for line in said.err.splitlines() if line.startswith("warren why:")])


@pytest.mark.parametrize("name", ["whyJob", "timelineOfJob"])
async def test_the_example_is_what_the_route_answers(running: Running, name: str) -> None:
    """
    Field by field; the fuzz holds answers and schemas together.
    """
    (operation,) = [operation for operation in OPERATIONS if operation.name == name]
    assert operation.examples
    (example,) = [json.loads(json.dumps(shown["value"])) for shown in operation.examples.values()]
    session, job_id = await worker(running), await submitted(running)
    await ended(running, await claimed(running, session, job_id), Outcome.RETRY, again_after=timedelta(hours=1))
    answer = await running.get(operation.path.replace("{id}", job_id))

    assert list(answer) == list(example)
    for field in ("workers", "last_attempt", "links", "spent_seconds", "broker"):
        assert list(answer.get(field, {})) == list(example.get(field, {}))
    if "events" in example:
        assert [list(event) for event in answer["events"]] == [list(event) for event in example["events"]]
        assert [(e["event"], e["spent"]) for e in answer["events"]] == [
            (e["event"], e["spent"]) for e in example["events"]
        ]


async def _claim_none_of_the_suspects(running: Running, session: UUID, job_id: str) -> None:
    """Another one runs there already."""
    (row,) = await running.sql("SELECT run, body_hash FROM warren.jobs WHERE id = $1", UUID(job_id))
    delivered = Delivered(UUID(job_id), row["run"], row["body_hash"])
    await claim(running.room.database, session, [delivered], LEASE, suspects=0)


async def _command(running: Running, *words: str) -> int:
    return await asyncio.to_thread(warren.main, ["why", *words, "--url", f"http://127.0.0.1:{running.port}"])
