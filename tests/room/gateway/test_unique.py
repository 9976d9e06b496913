"""`unique`: an earlier job stands for a new one, however many ask at once and through whichever door."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.room.gateway.running import Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

BULK = "/api/v1/jobs/bulk"


async def test_the_earlier_job_is_the_answer(running: Running) -> None:
    url = fresh_url()
    first = await submit(running, url)
    second = await submit(running, url, priority=9, tags=["other"])

    assert "unique" not in first
    assert (first["id"], True, True) == (second["id"], second["duplicate"], second["unique"])
    assert (first["trace_id"], first["created_at"]) == (second["trace_id"], second["created_at"])
    assert first["links"] == second["links"]


async def test_of_a_hundred_that_ask_at_once_one_is_made(running: Running) -> None:
    url = fresh_url()
    answers = await asyncio.gather(*[submit(running, url) for _ in range(100)])

    assert 1 == len({answer["id"] for answer in answers})
    assert 99 == sum(answer.get("unique", False) for answer in answers)
    assert 1 == await jobs_of(running, url)


async def test_two_gateways_make_one(running: Running, stores: Stores) -> None:
    """
    Each groups for itself; what holds them apart is Postgres.
    """
    urls = [fresh_url() for _ in range(20)]
    async with gateway(stores) as other:
        answers = await asyncio.gather(
            *[submit(one, url) for _ in range(5) for url in urls for one in (running, other)]
        )  # fmt: skip

    assert 20 == len({answer["id"] for answer in answers})
    assert [1] * 20 == [await jobs_of(running, url) for url in urls]


async def test_what_by_does_not_name_may_differ(running: Running) -> None:
    url = fresh_url()
    first = await submit(running, url, more="a")
    same = await submit(running, url, more="b")
    whole = await submit(running, url, more="b", unique=True)
    again = await submit(running, url, more="b", unique={})

    assert first["id"] == same["id"]
    assert first["id"] != whole["id"] == again["id"]


async def test_equal_values_are_equal_however_they_are_spelt(running: Running) -> None:
    url = fresh_url()
    first = await submit(running, url, more={"b": "é", "a": 1}, unique=True)
    body = f'{{"type":"anything","payload":{{"more":{{"a":1,"b":"\\u00e9"}}, "url":"{url}"}},"unique":true}}'
    async with running.client.post(
        "/api/v1/jobs", data=body.encode(), headers={"Content-Type": "application/json"}
    ) as response:
        second = await response.json()

    assert first["id"] == second["id"]


async def test_another_type_is_another_work(running: Running) -> None:
    message = {"message": uuid4().hex}
    echo = await running.submit({"type": "echo", "payload": message, "unique": True})
    other = await running.submit({"type": "anything", "payload": message, "unique": True})

    assert echo["id"] != other["id"]


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "expired"])
async def test_the_end_of_its_holder_releases_a_key(running: Running, end: str) -> None:
    url = fresh_url()
    first = await submit(running, url)
    await state(running, first, end)
    second = await submit(running, url)
    third = await submit(running, url)

    assert first["id"] != second["id"] == third["id"]


async def test_a_deleted_holder_releases_a_key_and_leaves_nothing(running: Running) -> None:
    url = fresh_url()
    first = await submit(running, url)
    await running.finish(first["id"])
    await running.delete(first["links"]["self"])
    left = await running.sql("SELECT 1 FROM warren.unique_jobs WHERE job_id = $1", UUID(first["id"]))
    second = await submit(running, url)

    assert [] == left
    assert first["id"] != second["id"]


async def test_the_states_are_the_asker_s(running: Running) -> None:
    url = fresh_url()
    first = await submit(running, url)
    await running.finish(first["id"])
    stands = await submit(running, url, unique={"by": ["payload.url"], "states": ["queued", "completed"]})
    fresh = await submit(running, url, unique={"by": ["payload.url"], "states": ["queued"]})

    assert (first["id"], "completed") == (stands["id"], stands["state"])
    assert first["id"] != fresh["id"]


async def test_the_window_passes(running: Running) -> None:
    url, window = fresh_url(), {"by": ["payload.url"], "within_seconds": 60}
    first = await submit(running, url, unique=window)
    await aged(running, first, 59)
    within = await submit(running, url, unique=window)
    await aged(running, first, 2)
    beyond = await submit(running, url, unique=window)

    assert first["id"] == within["id"]
    assert first["id"] != beyond["id"]


async def test_a_repeated_request_is_its_own_job_and_not_another_s(running: Running) -> None:
    """
    The id answers first: after the key has passed to another job, its own is still the answer.
    """
    url, key = fresh_url(), uuid4().hex
    first = await submit(running, url, idempotency_key=key)
    await running.finish(first["id"])
    other = await submit(running, url)
    again = await submit(running, url, idempotency_key=key)

    assert first["id"] != other["id"]
    assert (first["id"], True) == (again["id"], again["duplicate"])
    assert "unique" not in again


async def test_in_bulk_each_job_is_asked_for_itself(running: Running) -> None:
    url, other = fresh_url(), fresh_url()
    held = await submit(running, url)
    jobs = [job(url), job(other), job(other), job(other, unique=None), job(url)]
    async with running.client.post(BULK, json=jobs) as response:
        items = (await response.json())["items"]

    assert 200 == response.status
    assert ["duplicate", "accepted", "duplicate", "accepted", "duplicate"] == [item["status"] for item in items]
    assert [True, None, True, None, True] == [item.get("unique") for item in items]
    assert held["id"] == items[0]["id"] == items[4]["id"]
    assert items[1]["id"] == items[2]["id"] != items[3]["id"]


async def test_a_bulk_of_equal_jobs_is_one_job(running: Running) -> None:
    url = fresh_url()
    async with running.client.post(BULK, json=[job(url)] * 2_000) as response:
        answer = await response.json()

    assert (1, 1_999) == (answer["accepted"], answer["duplicate"])
    assert 1 == await jobs_of(running, url)


async def test_jobs_that_never_ask_leave_no_key(running: Running) -> None:
    accepted = await submit(running, fresh_url(), unique=None)

    assert [] == await running.sql("SELECT 1 FROM warren.unique_jobs WHERE job_id = $1", UUID(accepted["id"]))


async def test_what_was_asked_is_not_part_of_the_job(running: Running) -> None:
    """
    The body goes to workers that may be older than the field.
    """
    accepted = await submit(running, fresh_url())
    (row,) = await running.sql("SELECT body FROM warren.jobs WHERE id = $1", UUID(accepted["id"]))

    assert "unique" not in json.loads(row["body"])


@pytest.mark.parametrize(
    ("unique", "field"),
    [
        (7, "unique"),
        ({"within": 1}, "unique.within"),
        ({"by": []}, "unique.by"),
        ({"by": "payload"}, "unique.by"),
        ({"by": ["url"]}, "unique.by"),
        ({"by": ["payload.ulr"]}, "unique.by"),
        ({"by": ["payload.url.host"]}, "unique.by"),
        ({"within_seconds": 0}, "unique.within_seconds"),
        ({"within_seconds": "1"}, "unique.within_seconds"),
        ({"states": []}, "unique.states"),
        ({"states": ["pending"]}, "unique.states"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(running: Running, unique: object, field: str) -> None:
    problem = await running.submit(job(fresh_url(), unique=unique), status=422)

    assert field == problem["field"]
    assert problem["remedy"]


async def test_a_batch_takes_no_unique_jobs(running: Running) -> None:
    """
    Its end is that of its own jobs: one that is done elsewhere could neither be counted nor cancelled with it.
    """
    problem = await running.submit(job(fresh_url(), batch_id=str(uuid4())), status=422)
    batch = {"jobs": [job(fresh_url(), unique=None)], "on_complete": {**job(fresh_url())}}
    callback = await running.post("/api/v1/batches", status=422, body=batch)

    assert ("unique", "on_complete.unique") == (problem["field"], callback["field"])


def fresh_url() -> str:
    return f"https://example.com/{uuid4().hex}"


def job(url: str, more: object = None, unique: object = "by url", **said: object) -> dict[str, Any]:
    asked = {"by": ["payload.url"]} if unique == "by url" else unique
    return {"type": "anything", "payload": {"url": url, "more": more}, "unique": asked, **said}


async def submit(running: Running, url: str, **said: Any) -> dict[str, Any]:
    return await running.submit(job(url, **said))


async def jobs_of(running: Running, url: str) -> int:
    rows = await running.sql("SELECT 1 FROM warren.jobs WHERE position($1::bytea IN body) > 0", url.encode())
    return len(rows)


async def state(running: Running, accepted: dict[str, Any], word: str) -> None:
    await running.sql("UPDATE warren.jobs SET state = $2 WHERE id = $1", UUID(accepted["id"]), word)


async def aged(running: Running, accepted: dict[str, Any], seconds: float) -> None:
    statement = "UPDATE warren.jobs SET created_at = created_at - make_interval(secs => $2) WHERE id = $1"
    await running.sql(statement, UUID(accepted["id"]), seconds)
