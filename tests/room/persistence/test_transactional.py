"""A job that is submitted in somebody else's transaction shares its fate, through every kind of connection."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from persistence.accepting.transactional import submit_in
from persistence.declared.job_types import register
from persistence.store.database import Database
from tests.journey.stack import ROOT
from tests.room.persistence.rows import ECHO

SAID: dict[str, Any] = {
    "priority": "high",
    "max_retries": 1,
    "timeout_seconds": 12.5,
    "expires_at": datetime(2100, 1, 1, tzinfo=UTC),
    "tags": ["a", 'b "quoted", c'],
}


@pytest_asyncio.fixture
async def url(database: Database, database_url: str) -> str:
    """A database with the type `echo`, and with a table of somebody else."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE public.orders (number int)")
    await connection.close()
    await register(database, [ECHO])
    return database_url


@pytest_asyncio.fixture
async def session(url: str) -> AsyncIterator[AsyncSession]:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with AsyncSession(engine) as one:
        yield one
    await engine.dispose()


async def job(url: str, job_id: UUID) -> asyncpg.Record | None:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchrow("SELECT * FROM warren.jobs WHERE id = $1", job_id)
    finally:
        await connection.close()


async def orders(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM public.orders"))
    finally:
        await connection.close()


async def test_all_that_is_said_arrives(url: str) -> None:
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        job_id: UUID = await submit_in(connection, "echo", {"message": "hi \u00e9 %s :x $1"}, **SAID)
        before = await job(url, job_id)
    await connection.close()
    after = await job(url, job_id)

    assert before is None
    assert after is not None
    assert {"message": "hi \u00e9 %s :x $1"} == json.loads(after["body"])["payload"]
    assert (8, 1, 12.5, SAID["expires_at"], SAID["tags"]) == (
        after["priority"], after["max_retries"], after["timeout_seconds"], after["expires_at"], list(after["tags"]),
    )  # fmt: skip


async def test_a_delay_and_a_time_are_kept(url: str, session: AsyncSession) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = await submit_in(session, "echo", delay=timedelta(minutes=1.5))
    timed = await submit_in(session, "echo", run_at=tomorrow)
    await session.commit()
    first, second = await job(url, later), await job(url, timed)

    assert first is not None
    assert second is not None
    assert abs((first["scheduled_for"] - datetime.now(UTC)).total_seconds() - 90) < 30
    assert tomorrow == second["scheduled_for"]


async def test_a_rollback_takes_the_job_with_it(url: str, session: AsyncSession) -> None:
    job_id = await submit_in(session, "echo", {"message": "never"})
    await session.rollback()

    assert await job(url, job_id) is None


async def test_a_key_makes_one_job_of_many_transactions(url: str, session: AsyncSession) -> None:
    first = await submit_in(session, "echo", {"message": "hi"}, key="order 7")
    await session.commit()
    again = await submit_in(await session.connection(), "echo", {"message": "hi"}, key="order 7")
    await session.commit()

    assert first == again
    assert await job(url, first) is not None


@pytest.mark.parametrize("commits", [True, False])
async def test_the_example_s_order_and_its_job_are_both_there_or_neither(
    url: str, session: AsyncSession, commits: bool
) -> None:
    """
    The example is sync, and so is the session that it gets here.
    """
    example = _example()
    await session.connection()
    job_id = await session.run_sync(lambda sync: example.place_order(sync, 7, ["pen"], job="echo"))
    await (session.commit() if commits else session.rollback())
    found = await job(url, UUID(job_id))

    assert (commits, int(commits)) == (found is not None, await orders(url))


async def test_a_cursor_is_enough(url: str, session: AsyncSession) -> None:
    """
    As psycopg2 and Django have it: `execute` returns nothing and marks are `%(name)s`.
    """
    connection = await session.connection()
    job_id = await connection.run_sync(lambda sync: submit_in(_Cursor(sync), "echo", {"message": "100 %"}, tags=["x"]))
    await session.commit()
    found = await job(url, job_id)

    assert found is not None
    assert {"message": "100 %"} == json.loads(found["body"])["payload"]


class _Cursor:
    """A DB-API cursor as far as it is needed, over the connection that these tests have."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._row = connection, None

    def execute(self, statement: str, told: dict[str, str]) -> None:
        marks = {name: f":{name}" for name in told}
        self._row = self._connection.execute(text(statement % marks), told).fetchone()

    def fetchone(self) -> object:
        return self._row


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("django_style", ROOT / "examples" / "django_style.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
