"""The SQL door: `warren.submit` takes and refuses what the other doors do, inside of the caller's transaction."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from persistence.accepting import outbox
from persistence.declared.job_types import register
from persistence.store.database import Database
from tests.databases import execute
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO, accepted, submission
from tests.room.persistence.states import waits_for_a_lock
from wire import envelope, strict_json
from wire.errors import Refused
from wire.identity import body_hash, fresh_id, id_from_key
from wire.metrics import table as metrics

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SOON = datetime(2033, 1, 31, 9, 0, 0, 250_000, tzinfo=UTC)


@pytest_asyncio.fixture
async def caller(database: Database, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another service's connection; the type `echo` is known."""
    await register(database, [ECHO])
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def submit(caller: asyncpg.Connection, payload: str = '{"message":"hi"}', **options: Any) -> uuid.UUID:
    said = {"type": "echo", "payload": payload} | options
    named = ", ".join(f"{name} => ${place}" for place, name in enumerate(said, 1))
    return uuid.UUID(str(await caller.fetchval(f"SELECT warren.submit({named})", *said.values())))


async def test_a_job_exists_if_and_only_if_the_transaction_commits(
    caller: asyncpg.Connection, database: Database
) -> None:
    async with caller.transaction():
        kept = await submit(caller)
        before = await database.fetch("SELECT id FROM jobs")
    rolled_back = caller.transaction()
    await rolled_back.start()
    await submit(caller)
    await rolled_back.rollback()

    assert [] == before
    assert [kept] == [row["id"] for row in await database.fetch("SELECT id FROM jobs")]
    assert [kept] == [row["job_id"] for row in await database.fetch("SELECT job_id FROM outbox")]


async def test_each_job_is_counted_once_by_whoever_publishes_it_first(
    caller: asyncpg.Connection, database: Database
) -> None:
    """
    One that was rolled back or sent twice is none, and one of another door was counted there.
    """
    before = metrics.JOBS_SUBMITTED.values.get(("echo",), 0.0)
    for _ in range(2):
        await submit(caller, idempotency_key="once")
    cancelled = await submit(caller)
    rolled_back = caller.transaction()
    await rolled_back.start()
    await submit(caller)
    await rolled_back.rollback()
    await accepted(database, submission())
    others = metrics.JOBS_SUBMITTED.values["echo",] - before
    await database.fetch("UPDATE jobs SET state = 'cancelled' WHERE id = $1", cancelled)
    for _ in range(2):
        await outbox.lease(database, 100, 10)
        await database.fetch("UPDATE outbox SET publish_after = clock_timestamp()")

    assert 2 == metrics.JOBS_SUBMITTED.values["echo",] - before - others


async def test_the_types_defaults_fill_what_was_not_said(caller: asyncpg.Connection, database: Database) -> None:
    job = await submit(caller)
    (row,) = await database.fetch("SELECT * FROM jobs")

    assert (job, 7, "queued", "default", 5, 3, 30.0) == (
        row["id"], job.version, row["state"], row["queue"], row["priority"], row["max_retries"], row["timeout_seconds"],
    )  # fmt: skip
    assert timedelta(minutes=1) > datetime.now(UTC) - datetime.fromtimestamp((job.int >> 80) / 1000, UTC)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"priority": 9, "max_retries": 0, "timeout_seconds": 2.5},
        {"timeout_seconds": 300.0, "run_at": SOON, "expires_at": SOON + timedelta(days=1)},
        {"run_at": SOON.replace(microsecond=0), "tags": ["news", "größe", 'a"b\\', "news"]},
        {"delay": timedelta(seconds=90)},
        {"delay": timedelta(milliseconds=1500), "payload": ' {"big": 123456789012345678901234567890, "é": [1.50]} '},
        {"idempotency_key": "order-42"},
        {"id": fresh_id(), "traceparent": PARENT},
    ],
    ids=lambda options: " ".join(options) or "nothing",
)
async def test_its_bytes_are_those_of_the_other_doors(
    caller: asyncpg.Connection, database: Database, options: dict[str, Any]
) -> None:
    """
    An id, a key and a hash mean the same in every door, so a request that is repeated through another one is found.
    """
    job = await submit(caller, **options)
    (row,) = await database.fetch("SELECT * FROM jobs")
    parsed = envelope.parse(row["body"], now=datetime.now(UTC))

    assert envelope.encode(parsed) == row["body"]
    assert (job, body_hash(row["body"])) == (parsed.id, row["body_hash"])
    assert ("scheduled" if {"run_at", "delay"} & {*options} else "queued") == row["state"]
    assert options.get("traceparent", row["traceparent"]) == row["traceparent"]
    for name in options.keys() & {"priority", "max_retries", "timeout_seconds", "run_at", "expires_at"}:
        assert options[name] == getattr(parsed, name)


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"type": "ehco"}, "type", "'ehco' is not a known job type; known: echo"),
        ({"type": None}, "type", "NULL is not a known job type"),
        ({"payload": "[1]"}, "payload", "must be a JSON object, got array"),
        ({"payload": None}, "payload", "must be a JSON object, got NULL"),
        ({"payload": r'{"a": "x\u0000"}'}, "payload", r"holds \u0000"),
        ({"payload": r'{"a": "\ud800"}'}, "payload", "surrogate"),
        ({"payload": '{"a": {"b": 1, "b": 2}}'}, "payload", "has the key 'b' twice"),
        ({"payload": '{"a": [1e999]}'}, "payload", "beyond the range of a double"),
        ({"payload": '{"a": ' + "9" * 1_001 + "}"}, "payload", "more than 1000 digits"),
        ({"payload": '{"a": ' + "[" * 99 + "]" * 99 + "}"}, "payload", "deeper than 100"),
        ({"payload": json.dumps({"a": "x" * 262_144})}, "payload", "at most 262144 are taken; send a reference"),
        ({"priority": 11}, "priority", "11 is not a priority; use 1 (lowest) to 10 (highest)"),
        ({"max_retries": -1}, "max_retries", "-1 is not a number of retries"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds", "NaN is not a time limit"),
        ({"delay": timedelta(seconds=-1)}, "delay", "is not a delay"),
        ({"delay": timedelta(1), "run_at": SOON}, "delay", "and run_at both say when to start"),
        ({"run_at": datetime(2020, 1, 1, tzinfo=UTC)}, "run_at", "is past; leave it out to start at once"),
        ({"run_at": SOON + timedelta(days=9_999)}, "run_at", "more than ten years ahead"),
        ({"run_at": SOON, "expires_at": SOON}, "expires_at", "comes before the job may start"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at", "is past"),
        ({"tags": ["x" * 129]}, "tags", "1 to 128 characters"),
        ({"tags": [None]}, "tags", "1 to 128 characters"),
        ({"idempotency_key": ""}, "idempotency_key", "has 0 characters"),
        ({"idempotency_key": "k", "id": fresh_id()}, "id", "and the idempotency key both name the job"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else ".",
)
async def test_what_cannot_be_taken_ends_the_transaction_with_a_sentence(
    caller: asyncpg.Connection, database: Database, options: dict[str, Any], field: str, words: str
) -> None:
    """
    The sentence names the field and the remedy, and comes where the mistake was made: not later, in a log of ours.
    """
    with pytest.raises(asyncpg.InvalidParameterValueError) as refusal:
        await submit(caller, **options)

    assert (field, True) == (refusal.value.column_name, words in str(refusal.value)), str(refusal.value)
    assert str(refusal.value).startswith(f"{field}: ")
    assert "; " in str(refusal.value)
    assert [] == await database.fetch("SELECT id FROM jobs")


@pytest.mark.parametrize(
    "payload",
    [
        "{}", '{"a": ' + "[" * 97 + "]" * 97 + "}", '{"a": ' + "[" * 98 + "]" * 98 + "}",
        '{"a": ' + "[" * 99 + "]" * 99 + "}", '{"a": 1.7976931348623157e308}', '{"a": 1e-400}', '{"a": 1e400}',
        '{"a": ' + "9" * 1_000 + "}", r'{"a": "\\u0000"}', r'{"\u0000": 1}', r'{"a": "\ud83d\ude00"}',
        '{"a": 1, "\\u0061": 2}', '[{"a": 1}]', "{'a': 1}", '{"a": NaN}',
    ],
)  # fmt: skip
async def test_it_draws_the_line_where_the_other_doors_draw_it(caller: asyncpg.Connection, payload: str) -> None:
    try:
        envelope.parse(b'{"type":"echo","payload":' + payload.encode() + b"}", now=datetime.now(UTC))
        elsewhere = True
    except Refused:
        elsewhere = False
    try:
        await submit(caller, payload)
        here = True
    except asyncpg.DataError:
        here = False

    assert elsewhere == here


async def test_a_key_used_again_is_the_first_job_and_for_another_body_an_error(
    caller: asyncpg.Connection, database: Database
) -> None:
    first = await submit(caller, idempotency_key="order-42")
    again = await submit(caller, idempotency_key="order-42")
    with pytest.raises(asyncpg.InvalidParameterValueError, match="idempotency_key: belongs to another job"):
        await submit(caller, '{"message":"other"}', idempotency_key="order-42")

    assert [id_from_key("local", "order-42")] * 2 == [first, again]
    assert 1 == len(await database.fetch("SELECT 1 FROM outbox"))


async def test_a_key_used_at_once_by_two_transactions_is_one_job(
    caller: asyncpg.Connection, database: Database, database_url: str
) -> None:
    """
    The second waits for the first to commit, and is answered with its job.
    """
    other = await asyncpg.connect(database_url)
    async with caller.transaction():
        first = await submit(caller, idempotency_key="k")
        second = asyncio.create_task(submit(other, idempotency_key="k"))
        await eventually(lambda: waits_for_a_lock(database))

    assert first == await second
    await other.close()


async def test_a_repeat_after_its_time_has_come_is_the_first_job(
    caller: asyncpg.Connection, database: Database
) -> None:
    soon = datetime.now(UTC) - timedelta(seconds=50)
    first = await submit(caller, run_at=soon, idempotency_key="k")
    late = strict_json.parse((await database.fetch("SELECT body FROM jobs"))[0]["body"])["run_at"]
    await database.fetch("UPDATE jobs SET state = 'completed', finished_at = clock_timestamp()")
    again = await submit(caller, run_at=datetime.fromisoformat(late), idempotency_key="k")

    assert first == again


async def test_the_id_of_a_deleted_job_is_not_used_again(caller: asyncpg.Connection, database: Database) -> None:
    buried = fresh_id()
    await database.fetch("INSERT INTO tombstones (id, until) VALUES ($1, clock_timestamp())", buried)
    with pytest.raises(asyncpg.InvalidParameterValueError, match="was used and deleted; use a fresh id"):
        await submit(caller, id=buried)

    assert [] == await database.fetch("SELECT id FROM jobs")


async def test_one_notification_a_transaction_and_none_where_it_is_switched_off(
    caller: asyncpg.Connection, database_url: str
) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("warren_outbox", lambda *said: heard.append(said[-1]))
    async with caller.transaction():
        await caller.execute("SET LOCAL warren.notify = off")
        await submit(caller)
    async with caller.transaction():
        for _ in range(3):
            await submit(caller)
    await caller.execute("NOTIFY warren_outbox, 'marker'")
    while "marker" not in heard:
        await listener.execute("SELECT 1")
    await listener.close()

    assert ["", "marker"] == heard


async def test_a_role_that_may_only_submit_can_do_nothing_else(
    caller: asyncpg.Connection, database: Database, database_url: str
) -> None:
    role = f"shop_{uuid.uuid4().hex[:8]}"
    await execute(database_url, f"CREATE ROLE {role}")
    try:
        await execute(database_url, f"GRANT USAGE ON SCHEMA warren TO {role}")
        await caller.execute(f"SET ROLE {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await submit(caller)  # nobody may, until it is granted
        await execute(database_url, f"GRANT EXECUTE ON FUNCTION warren.submit TO {role}")
        job = await submit(caller)
        refused = []
        for statement in (
            "SELECT * FROM warren.jobs",
            "INSERT INTO warren.outbox (job_id, run, publish_after) VALUES (gen_random_uuid(), 1, now())",
            "DELETE FROM warren.job_types",
            "SELECT warren.submit_uuid('x', 7)",
            "CREATE TABLE warren.mine (id int)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await caller.execute(statement)
            refused.append(statement)
        # what it puts before our schema in its own search path is not ours
        await caller.execute("CREATE TEMPORARY TABLE job_types AS SELECT 'mine'::text AS name")
        await caller.execute("SET search_path = pg_temp, public")
        with pytest.raises(asyncpg.InvalidParameterValueError, match="'mine' is not a known job type"):
            await submit(caller, type="mine")
    finally:
        await caller.execute("RESET ROLE")
        await execute(database_url, f"DROP OWNED BY {role} CASCADE")
        await execute(database_url, f"DROP ROLE {role}")

    assert 5 == len(refused)
    assert [job] == [row["id"] for row in await database.fetch("SELECT id FROM jobs")]
