"""A backup is restored, and what comes back is what was there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from actors.attempts.craft import coroutine_function
from actors.catalogue.backup_task import back_up
from actors.configured import configured_as
from actors.ends import PermanentError
from actors.inline import Ran, inline
from actors.trades.backups.restore import restore
from actors.trades.backups.wanted import RestoreFailed, Wanted
from tests import provider
from tests.databases import at, execute
from tests.eventually import eventually
from wire.errors import Refused
from wire.settings import Stores
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup

KEY = "AGE-SECRET-KEY-1Y0F3ZLMEMQNC3S7Y72YTC2VQ4V8Q3S6YWKQPJU3NVGWR998L4Q3QFTYH8W"


@pytest.fixture(scope="module")
def source(servers: provider.Servers, template: str) -> Iterator[str]:
    """A database with something of everything in it, beside Warren's own schema."""
    name = f"source_{uuid4().hex[:12]}"
    url = at(servers.database_url, name)
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    asyncio.run(
        execute(
            url,
            """
            CREATE TABLE public.people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, face bytea);
            CREATE INDEX people_by_name ON public.people (name);
            INSERT INTO public.people (name, face)
            SELECT 'é\n\t' || n, decode(repeat(md5(n::text), 40), 'hex') FROM generate_series(1, 5000) n;
            CREATE VIEW public.many AS SELECT count(*) FROM public.people;
            INSERT INTO warren.job_types
                   (name, queue, description, payload_schema, priority, max_retries, timeout_seconds,
                    retry_base_seconds, retry_max_seconds)
            VALUES ('of_the_backup', 'default', 'ü', '{}', 5, 3, 300, 2, 300);
            """,
        )
    )
    yield url
    asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def small(servers: provider.Servers) -> Iterator[str]:
    """A database with one table in it, which is sooner restored."""
    name = f"small_{uuid4().hex[:12]}"
    url = at(servers.database_url, name)
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name}"))
    asyncio.run(execute(url, "CREATE TABLE public.people AS SELECT n, 'é' || n AS name FROM generate_series(1, 999) n"))
    yield url
    asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest_asyncio.fixture
async def empty(servers: provider.Servers) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid4().hex[:12]}"
    await execute(servers.database_url, f"CREATE DATABASE {name}")
    yield at(servers.database_url, name)
    await execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def kept(url: str, folder: Path, **more: Any) -> Iterator[Backup]:
    """A worker's settings."""
    backup = Backup(**{"places": (f"s3://backups/={folder}",), "key": SecretStr(KEY), **more})
    stores = Stores(amqp_url=SecretStr("amqp://nowhere/"), database_url=SecretStr(url))
    with configured_as(backup, stores, Artifacts()):
        yield backup


async def backed_up(**more: Any) -> Ran:
    """With source D's words."""
    asked = {"backup_type": "database", "destination": "s3://backups/db/", "compression": True, "encryption": True}
    return await inline(back_up, {**asked, **more})


def lies(ran: Ran, what: str) -> Path:
    """The file that a result names."""
    return Path(str(ran.result[what]).removeprefix("file://"))


async def contents(url: str) -> dict[str, str]:
    """Each table's rows, as a sum."""
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS t FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        sums = {}
        for (name,) in names:
            rows = await connection.fetch(f"SELECT t::text AS row FROM {name} t ORDER BY 1")
            sums[name] = hashlib.sha256("\n".join(row["row"] for row in rows).encode()).hexdigest()
        return sums
    finally:
        await connection.close()


async def test_a_database_comes_back_as_it_was(source: str, empty: str, tmp_path: Path) -> None:
    with kept(source, tmp_path / "backups") as backup:
        ran = await backed_up()
        assert "completed" == ran.ended, ran.error
        await restore(Wanted(ran.result["location"], empty), backup, Artifacts(), str)

    assert await contents(source) == await contents(empty)
    assert {"public.people", "warren.jobs"} <= set(await contents(empty))
    told = {"stand_in": True, "verified": "opened", "compression": "zstd", "encryption": "age"}
    assert told == {name: ran.result[name] for name in told}


async def test_it_does_unpacked_too(small: str, empty: str, tmp_path: Path) -> None:
    with kept(small, tmp_path / "backups") as backup:
        ran = await backed_up(compression=False, encryption=False)
        await restore(Wanted(ran.result["location"], empty), backup, Artifacts(), str)

    assert b"PGDMP" == lies(ran, "location").read_bytes()[:5]
    assert await contents(small) == await contents(empty)


def test_what_is_kept_shows_nothing(small: str, tmp_path: Path) -> None:
    with kept(small, tmp_path / "backups"):
        ran = asyncio.run(backed_up())
    file, manifest = lies(ran, "location"), json.loads(lies(ran, "manifest").read_bytes())

    assert b"age-encryption.org/v1" == file.read_bytes()[:21]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == ran.result["sha256"] == manifest["sha256"]
    assert (0o600, 0o700) == (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777)
    assert KEY not in json.dumps([ran.result, manifest])


async def test_what_is_there_is_not_overwritten_unless_somebody_insists(small: str, empty: str, tmp_path: Path) -> None:
    await execute(empty, "CREATE TABLE public.people (mine int); INSERT INTO public.people VALUES (1)")
    with kept(small, tmp_path / "backups") as backup:
        ran = await backed_up()
        wanted = Wanted("s3://backups/db/", empty)
        with pytest.raises(Refused, match=r"has 1 tables, .*--force"):
            await restore(wanted, backup, Artifacts(), str)
        before = await contents(empty)
        await restore(Wanted("s3://backups/db/", empty, force=True), backup, Artifacts(), str)

    assert ["public.people"] == list(before)
    assert await contents(small) == await contents(empty)
    assert "completed" == ran.ended


LATER = """
CREATE TABLE warren.of_tomorrow (id uuid PRIMARY KEY);
CREATE VIEW warren.seen AS SELECT id, state FROM warren.jobs;
CREATE TABLE public.mine AS SELECT 1 AS n;
CREATE VIEW public.open_jobs AS SELECT id FROM warren.jobs;
"""
IN_THE_WAY = """
DROP VIEW public.open_jobs;
CREATE TABLE public.people (n int);
CREATE VIEW public.all_of_them AS SELECT n FROM public.people;
"""


async def test_who_insists_has_the_schema_of_the_backup_where_a_newer_warren_was(
    servers: provider.Servers, template: str, source: str, tmp_path: Path
) -> None:
    """
    What a later migration has made would hold on to what must go; what others have beside it stays, and what they have
    made of Warren's own is for them to drop.
    """
    newer = at(servers.database_url, name := f"newer_{uuid4().hex[:12]}")
    await execute(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    await execute(newer, LATER)
    with kept(source, tmp_path / "backups") as backup:
        ran = await backed_up()
        wanted = Wanted(ran.result["location"], newer, force=True)
        before = await contents(newer)
        with pytest.raises(Refused, match=r"^--to: public\.open_jobs in .* hangs on Warren's own tables"):
            await restore(wanted, backup, Artifacts(), str)
        unchanged = await contents(newer)
        await execute(newer, IN_THE_WAY)
        in_the_way = r"^psql ended with 3, and nothing was changed: .*cannot drop table public\.people"
        with pytest.raises(RestoreFailed, match=in_the_way):
            await restore(wanted, backup, Artifacts(), str)
        rolled_back = await contents(newer)
        await execute(newer, "DROP VIEW public.all_of_them")
        await restore(wanted, backup, Artifacts(), str)
    came_back = await contents(newer)
    mine = came_back.pop("public.mine")
    await execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")

    assert before == unchanged
    assert before.items() <= rolled_back.items()
    assert await contents(source) == came_back
    assert before["public.mine"] == mine


async def test_who_insists_on_a_backup_without_warrens_own_keeps_the_one_that_is_there(
    servers: provider.Servers, template: str, small: str, tmp_path: Path
) -> None:
    beside = at(servers.database_url, name := f"beside_{uuid4().hex[:12]}")
    await execute(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    with kept(small, tmp_path / "backups") as backup:
        ran = await backed_up()
        before = await contents(beside)
        await restore(Wanted(ran.result["location"], beside, force=True), backup, Artifacts(), str)
    after = await contents(beside)
    await execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")

    assert before | await contents(small) == after


async def test_a_backup_is_of_one_moment(small: str, empty: str, tmp_path: Path) -> None:
    """
    Jobs go on meanwhile: what was committed together is there together, or not at all.
    """
    await execute(small, "CREATE TABLE public.one (n int); CREATE TABLE public.two (n int)")
    stopped = asyncio.Event()

    async def write() -> int:
        connection, count = await asyncpg.connect(small), 0
        while not stopped.is_set():
            await connection.execute("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)")
            count += 1
        await connection.close()
        return count

    writing = asyncio.create_task(write())
    with kept(small, tmp_path / "backups") as backup:
        ran = await backed_up()
        stopped.set()
        written = await writing
        await restore(Wanted(ran.result["location"], empty), backup, Artifacts(), str)
    one, two = [await value(empty, f"SELECT count(*) FROM public.{name}") for name in ("one", "two")]
    await execute(small, "DROP TABLE public.one, public.two")

    assert one == two <= written


async def value(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def pretending(folder: Path, *lines: str) -> str:
    """A folder with a pg_dump that does this."""
    folder.mkdir()
    head = """#!/bin/sh
[ "$1" = --version ] && { echo 'pg_dump (PostgreSQL) 99.1'; exit; }
"""
    (folder / "pg_dump").write_text(head + "\n".join(lines))
    (folder / "pg_dump").chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["echo PGDMP", "echo 'pg_dump: error: lost it' >&2", "exit 1"],
            "pg_dump ended with 1: pg_dump: error: lost it",
        ),
        (["head -c 3000000 /dev/zero", "kill -9 $$"], "pg_dump ended with -9: it did not say why"),
        (["exit 3"], "pg_dump ended with 3"),
        (["echo password=hunter2 postgresql://u:hunter2@h/ >&2; exit 1"], "pg_dump ended with 1"),
    ],
)
async def test_a_dump_that_fails_leaves_nothing(small: str, tmp_path: Path, lines: list[str], words: str) -> None:
    with kept(small, tmp_path / "backups", programs=pretending(tmp_path / "bin", *lines)):
        ran = await backed_up()

    assert ("retry", True) == (ran.ended, words in str(ran.error))
    assert "hunter2" not in str(ran.error)
    assert [] == files(tmp_path / "backups")


async def test_a_missing_program_is_named(small: str, tmp_path: Path) -> None:
    with kept(small, tmp_path / "backups", programs=str(tmp_path)):
        ran = await backed_up()

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert "WARREN_BACKUP_PROGRAMS: pg_dump of Postgres" in str(ran.error)


async def test_who_is_cancelled_leaves_neither_a_program_nor_a_half(small: str, tmp_path: Path) -> None:
    lines = [f"echo $$ > {tmp_path}/pid", "head -c 3000000 /dev/zero", "exec sleep 1000"]
    with kept(small, tmp_path / "backups", programs=pretending(tmp_path / "bin", *lines)):
        running = asyncio.create_task(backed_up())
        await eventually(
            lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "", within=20
        )
        running.cancel()
        ran = await running
    program = (tmp_path / "pid").read_text().strip()

    assert isinstance(ran.error, asyncio.CancelledError)
    assert ([], False) == (files(tmp_path / "backups"), program in os.listdir("/proc"))


async def test_a_target_that_is_no_address_is_told_without_its_password(small: str, tmp_path: Path) -> None:
    with kept(small, tmp_path / "backups") as backup:
        ran = await backed_up()
        for target in ("postgresql:///other?s3cr3t@h", "postgresql://u:s3/cr3t@h/d", "mysql://u:s3cr3t@h/d"):
            with pytest.raises(Refused, match="--to") as caught:
                await restore(Wanted(ran.result["location"], target), backup, Artifacts(), str)
            assert "cr3t" not in str(caught.value)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_server_that_is_away_is_tried_again(tmp_path: Path) -> None:
    with kept("postgresql://u:hunter2@127.0.0.1:1/d", tmp_path / "backups"):
        ran = await backed_up()

    assert ("retry", False) == (ran.ended, "hunter2" in str(ran.error))


async def test_the_worker_judges_what_no_door_has(small: str, tmp_path: Path) -> None:
    """
    The SQL door takes any payload.
    """
    asked = {"backup_type": "database", "destination": "s3://backups/db/"}
    function = coroutine_function(back_up)
    assert function
    with kept(small, tmp_path / "backups", key=""):
        for more, words in (
            ({"source": "/etc"}, "source: is of files"),
            ({"encryption": True}, "encryption: .*BACKUP_KEY"),
        ):
            with pytest.raises(PermanentError, match=rf"^payload\.{words}"):
                await function(**asked, **more)
