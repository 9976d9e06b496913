"""A key is one job: whoever repeats a request finds the first one, as long as there is a trace of it."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from persistence.ending.retention import MARGIN
from tests.room.gateway.running import ECHO, JOBS, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = {"type": "echo", "payload": {"message": "other"}}


async def test_a_repeated_request_is_answered_200_with_the_first_job(running: Running) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    async with running.client.post(JOBS, json=ECHO, headers=key) as first:
        accepted = await first.json()
    async with running.client.post(JOBS, json=ECHO, headers=key) as second:
        repeated = await second.json()

    assert (202, 200) == (first.status, second.status)
    assert first.headers["Location"] == second.headers["Location"]
    assert {**accepted, "duplicate": True} == repeated


async def test_of_many_at_once_one_is_the_first(running: Running) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*[running.submit({**ECHO, "idempotency_key": key}) for _ in range(50)])

    assert 1 == len({answer["id"] for answer in answers})
    assert 49 == sum(answer.get("duplicate", False) for answer in answers)


async def test_another_body_under_a_key_is_refused_however_it_ended(running: Running) -> None:
    key = uuid4().hex
    first = await running.submit({**ECHO, "idempotency_key": key})
    await running.finish(first["id"])
    repeated = await running.submit({**ECHO, "idempotency_key": key})
    problem = await running.submit({**OTHER, "idempotency_key": key}, status=409)

    assert (first["id"], "completed", True) == (repeated["id"], repeated["state"], repeated["duplicate"])
    assert ("/problems#id_reused", "id") == (problem["type"], problem["field"])


async def test_the_same_words_in_another_order_are_the_same_request(running: Running) -> None:
    """
    What is compared is what the envelope says, in our order; only the payload is taken as it was written.
    """
    key = uuid4().hex
    first = await running.submit({**ECHO, "priority": "high", "tags": ["a"], "idempotency_key": key})
    second = await running.submit({"idempotency_key": key, "tags": ["a"], "priority": 8, **ECHO})

    assert first["id"] == second["id"]


async def test_a_deleted_job_s_key_is_never_a_second_job(running: Running) -> None:
    """
    Its tombstone answers, for a day after the last moment at which its message could have arrived.
    """
    key = uuid4().hex
    first = await running.submit({**ECHO, "idempotency_key": key})
    await running.finish(first["id"])
    await running.delete(first["links"]["self"])
    problem = await running.submit({**ECHO, "idempotency_key": key}, status=409)
    (row,) = await running.sql("SELECT until - now() AS left FROM warren.tombstones WHERE id = $1", UUID(first["id"]))

    assert "was used and deleted" in problem["detail"]
    assert row["left"] > MARGIN * 0.99


async def test_a_key_and_the_id_that_derives_from_it_are_one_name(running: Running) -> None:
    """
    A client that was given the id by a 503 may send either.
    """
    key = uuid4().hex
    first = await running.submit({**ECHO, "idempotency_key": key})
    by_id = await running.submit({**ECHO, "id": first["id"]})
    by_both = await running.submit({**ECHO, "id": first["id"], "idempotency_key": key})

    assert first["id"] == by_id["id"] == by_both["id"]
    assert by_id["duplicate"] is by_both["duplicate"] is True
