"""/api/v1/schedules over real Postgres: made, read, edited, listed, paused, triggered; no clock runs here."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest

from tests.room.gateway.running import JOBS, Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEDULES = "/api/v1/schedules"
NIGHTLY = {
    "name": "nightly", "job_type": "echo", "payload": {"message": "hi"}, "cron_expression": "30 2 * * *",
    "timezone": "Europe/Berlin",
}  # fmt: skip
FULL = {
    **NIGHTLY, "description": "all of it", "priority": "high", "max_retries": 1, "timeout_seconds": 9.0,
    "tags": ["a", "b"], "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2031-01-01T00:00:00Z", "max_runs": 7,
    "exclude": ["2030-12-24"], "jitter_seconds": 5, "spread_seconds": 60, "dst_gap": "skip", "dst_overlap": "both",
    "overlap": "buffer_one", "catch_up": "all", "catch_up_window_seconds": 600, "pause_after_failures": 3,
}  # fmt: skip
KEY, OTHER_KEY = "a-good-key-of-32-characters-or-so", "another-key-of-32-characters-or-so"


async def asked(
    running: Running, method: str, path: str, body: object = None, status: int = 200, **headers: str
) -> dict[str, Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with running.client.request(method, path, json=body, headers=given) as response:
        text = await response.text()
        assert status == response.status, text
        answer: dict[str, Any] = json.loads(text) if text else {}
        return answer | {name: response.headers[name] for name in ("ETag", "Location") if name in response.headers}


async def made(running: Running, **fields: object) -> dict[str, Any]:
    return await asked(running, "POST", SCHEDULES, NIGHTLY | fields, 201)


def at(schedule: dict[str, Any], rest: str = "") -> str:
    return str(schedule["links"]["self"]) + rest


def instant(text: str) -> datetime:
    """As text, a whole second comes behind its own fractions."""
    return datetime.fromisoformat(text)


async def test_a_schedule_is_read_as_it_was_made(running: Running) -> None:
    schedule = await asked(running, "POST", SCHEDULES, FULL, 201)
    read = await asked(running, "GET", at(schedule))

    assert (at(schedule), '"1"') == (schedule.pop("Location"), schedule["ETag"])
    assert schedule == read
    assert {**FULL, "priority": 8} == {name: read[name] for name in FULL}
    assert ("active", "waiting", None, 0) == (
        read["state"], read["why"]["cause"], read["last_run"], read["missed_count"],
    )  # fmt: skip
    assert "2030-01-01T01:30:00Z" == read["next_due_at"]
    assert instant(read["next_due_at"]) <= instant(read["next_run_time"])


async def test_what_is_not_said_holds_by_itself(running: Running) -> None:
    said = {"name": "n", "job_type": "anything", "cron_expression": ["@hourly", "5 4 * * *"]}
    read = await asked(running, "POST", SCHEDULES, said, 201)

    assert ({}, None, "UTC", "skip", "latest", "shift", "first", []) == tuple(
        read[name]
        for name in ("payload", "priority", "timezone", "overlap", "catch_up", "dst_gap", "dst_overlap", "tags")
    )
    assert ["0 * * * *", "5 4 * * *"] == [one.replace("@hourly", "0 * * * *") for one in read["cron_expression"]]


async def test_a_payload_stays_byte_for_byte(running: Running) -> None:
    payload = '{"b": 1.50,  "a": 10000000000000000000000}'
    body = f'{{"name": "n", "job_type": "anything", "payload": {payload}, "interval_seconds": 60}}'
    async with running.client.post(SCHEDULES, data=body, headers={"Content-Type": "application/json"}) as response:
        text = await response.text()

    assert f'"payload":{payload},' in text


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("cron_expresion", {"cron_expresion": "* * * * *"}),
        ("name", {"name": None}),
        ("name", {"name": ""}),
        ("job_type", {"job_type": None}),
        ("job_type", {"job_type": "ecoh"}),
        ("job_type", {"job_type": "Echo"}),
        ("payload.message", {"payload": {"message": 7}}),
        ("payload", {"payload": [1]}),
        ("payload", {"payload": {"message": "x" * 261_900}}),
        ("priority", {"priority": 11}),
        ("timezone", {"timezone": "Europe/Berlim"}),
        ("cron_expression", {"cron_expression": "61 * * * *"}),
        ("cron_expression", {"cron_expression": "1--100000000 * * * *"}),
        ("cron_expression", {"cron_expression": None}),
        ("cron_expression", {"cron_expression": "0 0 30 2 *"}),
        ("interval_seconds", {"interval_seconds": 60}),
        ("once_at", {"once_at": "2020-01-01T00:00:00Z", "cron_expression": None}),
        ("ends_at", {"ends_at": "2020-01-01T00:00:00Z"}),
        ("overlap", {"overlap": "queue"}),
        ("catch_up", {"catch_up": True}),
        ("max_runs", {"max_runs": 0}),
        ("dst_gap", {"dst_gap": "jump"}),
        ("id", {"id": "1"}),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_by_name(running: Running, field: str, change: dict[str, Any]) -> None:
    problem = await asked(running, "POST", SCHEDULES, NIGHTLY | change, 413 if "x" * 99 in str(change) else 422)

    assert field == problem["field"], problem


async def test_a_typo_is_told_its_near_miss(running: Running) -> None:
    problem = await asked(running, "POST", SCHEDULES, NIGHTLY | {"time_zone": "UTC"}, 422)

    assert problem["remedy"].startswith("timezone? ")


async def test_the_same_request_makes_one_schedule(running: Running) -> None:
    key, schedule_id = uuid4().hex, str(uuid4())
    first = await asked(running, "POST", SCHEDULES, NIGHTLY, 201, Idempotency_Key=key)
    again = await asked(running, "POST", SCHEDULES, NIGHTLY, 200, Idempotency_Key=key)
    named = await made(running, id=schedule_id, interval_seconds=60, cron_expression=None)
    twice = await asked(running, "POST", SCHEDULES, {**NIGHTLY, "id": schedule_id, "interval_seconds": 60,
                                                     "cron_expression": None})  # fmt: skip
    other = await asked(running, "POST", SCHEDULES, {**NIGHTLY, "id": schedule_id}, 409)

    assert (first["id"], True) == (again["id"], again["duplicate"])
    assert (schedule_id, schedule_id, True) == (named["id"], twice["id"], twice["duplicate"])
    assert "/problems#id_reused" == other["type"]


async def test_an_edit_changes_what_it_says_and_nothing_else(running: Running) -> None:
    before = await asked(running, "POST", SCHEDULES, FULL, 201)
    edit = {"interval_seconds": 90, "max_runs": None, "payload": {"message": "ho"}, "tags": []}
    after = await asked(running, "PATCH", at(before), edit)
    changed = {name for name in before if name in after and before[name] != after[name]}

    assert {
        "interval_seconds", "cron_expression", "max_runs", "payload", "tags", "version", "updated_at", "ETag",
        "next_run_time", "next_due_at", "why",
    } >= changed  # fmt: skip
    assert (90.0, None, None, {"message": "ho"}, [], 2, '"2"') == tuple(
        after[name]
        for name in ("interval_seconds", "cron_expression", "max_runs", "payload", "tags", "version", "ETag")
    )


async def test_an_edit_of_its_words_leaves_its_next_due_time(running: Running) -> None:
    before = await made(running, interval_seconds=3600, cron_expression=None)
    after = await asked(running, "PATCH", at(before), {"description": "said anew"})

    assert before["next_due_at"] == after["next_due_at"]


async def test_a_put_says_all_of_it(running: Running) -> None:
    before = await asked(running, "POST", SCHEDULES, FULL, 201)
    after = await asked(running, "PUT", at(before), NIGHTLY | {"name": "anew"})
    refused = await asked(running, "PUT", at(before), {"name": "anew"}, 422)

    assert (before["id"], "anew", "", None, "skip", before["created_at"]) == tuple(
        after[name] for name in ("id", "name", "description", "max_runs", "overlap", "created_at")
    )
    assert "job_type" == refused["field"]


async def test_an_edit_of_an_old_version_is_told_so(running: Running) -> None:
    schedule = await made(running)
    first = await asked(running, "PATCH", at(schedule), {"name": "one"}, If_Match=schedule["ETag"])
    late = await asked(running, "PATCH", at(schedule), {"name": "two"}, 412, If_Match=schedule["ETag"])
    whatever = await asked(running, "PUT", at(schedule), NIGHTLY, 200, If_Match="*")
    wrong = await asked(running, "PUT", at(schedule), NIGHTLY, 422, If_Match="2")

    assert ("one", "If-Match", "If-Match") == (first["name"], late["field"], wrong["field"])
    assert 3 == whatever["version"]


async def test_edits_at_once_are_all_kept(running: Running) -> None:
    schedule = await made(running)
    edits = [{"description": "d"}, {"priority": 9}, {"max_runs": 3}, {"timeout_seconds": 8}]
    await asyncio.gather(*(asked(running, "PATCH", at(schedule), edit) for edit in edits))
    read = await asked(running, "GET", at(schedule))

    assert ("d", 9, 3, 8.0) == tuple(read[name] for name in ("description", "priority", "max_runs", "timeout_seconds"))


async def test_a_deleted_schedule_is_gone(running: Running) -> None:
    schedule = await made(running)
    await asked(running, "DELETE", at(schedule), status=204)

    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/runs"), ("GET", "/preview"), ("POST", "/trigger"),
                         ("POST", "/pause"), ("POST", "/resume")):  # fmt: skip
        problem = await asked(running, method, at(schedule, path), status=404)
        assert "id" == problem["field"], (method, path)


async def test_lists_are_filtered_and_paged(running: Running) -> None:
    tag = uuid4().hex
    ids = [(await made(running, tags=[tag], name=f"s{n}"))["id"] for n in range(5)][::-1]
    await asked(running, "POST", f"{SCHEDULES}/{ids[0]}/pause")
    first = await asked(running, "GET", f"{SCHEDULES}?tag={tag}&limit=3")
    rest = await asked(running, "GET", f"{SCHEDULES}?tag={tag}&limit=3&cursor={first['next_cursor']}")
    paused = await asked(running, "GET", f"{SCHEDULES}?tag={tag}&state=paused")
    named = await asked(running, "GET", f"{SCHEDULES}?tag={tag}&name=s2&job_type=echo")

    assert (ids[:3], ids[3:], None) == (
        [one["id"] for one in first["items"]], [one["id"] for one in rest["items"]], rest["next_cursor"],
    )  # fmt: skip
    assert ([ids[0]], [ids[2]]) == ([one["id"] for one in paused["items"]], [one["id"] for one in named["items"]])
    for wrong in ("state=open", "status=paused", "fate=fired", "cursor=x", "job_type=A"):
        await asked(running, "GET", f"{SCHEDULES}?{wrong}", status=422)


async def test_a_pause_is_told_and_a_resume_goes_on(running: Running) -> None:
    schedule = await made(running)
    paused = await asked(
        running, "POST", at(schedule, "/pause"), {"by": "ada", "note": "the mail server is being moved"}
    )
    again = await asked(running, "POST", at(schedule, "/pause"), {"note": "twice"})
    resumed = await asked(running, "POST", at(schedule, "/resume"))

    assert ("paused", "person", None) == (paused["state"], paused["paused_because"], paused["next_run_time"])
    assert "by ada: the mail server is being moved." in paused["why"]["sentence"]
    assert (paused["paused_at"], "paused") == (again["paused_at"], again["why"]["cause"])
    assert ("active", schedule["next_run_time"], None) == (
        resumed["state"], resumed["next_run_time"], resumed["paused_note"],
    )  # fmt: skip


async def test_many_are_paused_and_resumed_by_a_filter(running: Running) -> None:
    tag = uuid4().hex
    for _ in range(3):
        await made(running, tags=[tag])
    paused = await asked(running, "POST", f"{SCHEDULES}/pause", {"tag": tag, "note": "move"})
    none = await asked(running, "POST", f"{SCHEDULES}/pause", {"tag": tag})
    resumed = await asked(running, "POST", f"{SCHEDULES}/resume", {"tag": tag})
    typo = await asked(running, "POST", f"{SCHEDULES}/pause", {"tags": tag}, 422)

    assert (3, 0, 3) == (paused["changed"], none["changed"], resumed["changed"])
    assert "tag? " in typo["remedy"]


async def test_a_trigger_makes_a_job_that_knows_its_schedule(running: Running) -> None:
    schedule = await made(running, priority=9)
    run = await asked(running, "POST", at(schedule, "/trigger"), status=202)
    job = await asked(running, "GET", run["Location"])
    why = await asked(running, "GET", f"{run['Location']}/why")
    jobs = await asked(running, "GET", f"{JOBS}?schedule_id={schedule['id']}&state=queued")
    runs = await asked(running, "GET", at(schedule, "/runs"))
    read = await asked(running, "GET", at(schedule))

    assert ("triggered", "fired", job["id"]) == (run["kind"], run["fate"], run["job_id"])
    assert (schedule["id"], run["due_at"], 9, {"message": "hi"}) == (
        job["schedule_id"], job["due_at"], job["priority"], job["payload"],
    )  # fmt: skip
    assert (schedule["id"], "nightly", read["why"]["sentence"]) == (
        why["schedule"]["id"], why["schedule"]["name"], why["schedule"]["sentence"],
    )  # fmt: skip
    assert [job["id"]] == [one["id"] for one in jobs["items"]]
    assert [(job["id"], job["state"])] == [(one["job_id"], one["state"]) for one in runs["items"]]
    assert (job["id"], 0) == (read["last_run"]["job_id"], read["fired_count"])


async def test_a_trigger_that_comes_twice_makes_one_run(running: Running) -> None:
    schedule, now = await made(running), datetime.now(UTC).isoformat()
    first = await asked(running, "POST", at(schedule, "/trigger"), {"at": now}, 202)
    again = await asked(running, "POST", at(schedule, "/trigger"), {"at": now}, 202)
    wrong = await asked(running, "POST", at(schedule, "/trigger"), {"at": "2020-01-01T00:00:00Z"}, 422)

    assert (first["job_id"], "at") == (again["job_id"], wrong["field"])


async def test_what_is_due_is_judged_by_the_clock_of_postgres(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that is behind it would fire what came due during a pause, and one that is ahead what is to come."""
    one, other = await made(running, tags=["by whose clock"]), await made(running)
    for schedule in (one, other):
        await asked(running, "POST", at(schedule, "/pause"))
    their_now = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(running.room.database, "now", AsyncMock(return_value=their_now))
    await asked(running, "POST", f"{SCHEDULES}/resume", {"tag": "by whose clock"})
    resumed = [await asked(running, "GET", at(one)), await asked(running, "POST", at(other, "/resume"))]
    run = await asked(running, "POST", at(one, "/trigger"), status=202)
    yesterday = {"since": their_now.isoformat(), "until": (their_now - timedelta(minutes=1)).isoformat()}
    refused = await asked(running, "POST", at(one, "/backfill"), yesterday, 422)
    named = await asked(running, "POST", at(one, "/trigger"), {"at": their_now.isoformat()}, 202)

    assert all(datetime.fromisoformat(schedule["next_due_at"]) > their_now for schedule in resumed)
    assert their_now == datetime.fromisoformat(run["due_at"]) == datetime.fromisoformat(named["due_at"])
    assert "is before since" in refused["detail"]


async def test_runs_are_paged_by_due_time(running: Running) -> None:
    schedule = await made(running)
    jobs = [(await asked(running, "POST", at(schedule, "/trigger"), status=202))["job_id"] for _ in range(3)][::-1]
    first = await asked(running, "GET", at(schedule, "/runs?limit=2"))
    rest = await asked(running, "GET", at(schedule, f"/runs?limit=2&cursor={first['next_cursor']}"))
    missed = await asked(running, "GET", at(schedule, "/runs?fate=missed"))

    assert (jobs[:2], jobs[2:]) == tuple([one["job_id"] for one in page["items"]] for page in (first, rest))
    assert (None, []) == (rest["next_cursor"], missed["items"])


async def test_a_backfill_is_counted_before_it_is_made(running: Running) -> None:
    schedule = await made(running, cron_expression="0 * * * *", timezone="UTC")
    day = {"since": "2024-01-01T00:00:00Z", "until": "2024-01-01T23:59:00Z"}
    counted = await asked(running, "POST", at(schedule, "/backfill"), {**day, "dry_run": True})
    begun = await asked(running, "POST", at(schedule, "/backfill"), day, 202)

    assert (24, 24, True, False) == (counted["runs"], begun["runs"], counted["dry_run"], begun["dry_run"])
    assert at(schedule, "/runs") == begun["Location"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for field, wrong in (
        ("until", {"until": tomorrow}),
        ("until", {"until": "2023-01-01T00:00:00Z"}),
        ("until", {"since": "2000-01-01T00:00:00Z"}),
        ("since", {"since": None}),
        ("dryrun", {"dryrun": True}),
    ):
        assert field == (await asked(running, "POST", at(schedule, "/backfill"), day | wrong, 422))["field"]


async def test_what_nobody_can_read_any_more_is_told_and_can_be_said_anew(running: Running) -> None:
    schedule = await made(running, tags=[tag := uuid4().hex])
    await running.sql("UPDATE warren.schedules SET spec = '{\"cron\": 1}' WHERE id = $1", schedule["id"])
    await asked(running, "POST", at(schedule, "/pause"))
    (listed,) = (await asked(running, "GET", f"{SCHEDULES}?tag={tag}"))["items"]
    for method, path in (("GET", "/preview"), ("POST", "/resume")):
        assert "/problems#wrong_state" == (await asked(running, method, at(schedule, path), status=409))["type"]
    await asked(running, "PATCH", at(schedule), {"name": "m"}, 422)
    edited = await asked(running, "PATCH", at(schedule), {"cron_expression": "@daily"})
    resumed = await asked(running, "POST", at(schedule, "/resume"))

    assert (None, "active") == (listed["cron_expression"], resumed["state"])
    assert ("nightly", [tag]) == (edited["name"], edited["tags"])


@pytest.mark.parametrize("path", ["/pause", "/resume", "/preview"])
async def test_a_fixed_path_is_no_id(running: Running, path: str) -> None:
    async with running.client.get(SCHEDULES + path) as response:
        assert (405, "POST") == (response.status, response.headers["Allow"])


async def test_the_id_of_a_schedule_is_told_where_a_job_is_asked_for(running: Running) -> None:
    schedule = await made(running)
    await asked(running, "POST", at(schedule, "/pause"), {"note": "moving"})
    problem = await asked(running, "GET", f"{JOBS}/{schedule['id']}/why", status=404)

    assert {"schedule", "moving."} <= set(problem["detail"].split())


async def test_an_api_key_has_a_limit_of_its_own(stores: Stores) -> None:
    async with gateway(stores, api_keys=f"{KEY},{OTHER_KEY}", schedules_per_key=2) as guarded:
        mine = [await asked(guarded, "POST", SCHEDULES, NIGHTLY, 201, X_API_Key=KEY) for _ in range(2)]
        full = await asked(guarded, "POST", SCHEDULES, NIGHTLY, 409, X_API_Key=KEY)
        await asked(guarded, "POST", SCHEDULES, NIGHTLY, 201, X_API_Key=OTHER_KEY)
        await asked(guarded, "DELETE", at(mine[0]), status=204, X_API_Key=KEY)
        await asked(guarded, "POST", SCHEDULES, NIGHTLY, 201, X_API_Key=KEY)

    assert "/problems#limit_reached" == full["type"]
