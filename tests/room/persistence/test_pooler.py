"""PgBouncer in transaction mode: other services submit through it; a process of ours says that it cannot live there.

Needs a `pgbouncer` on the path; without one these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.machine.ports import free_ports
from persistence.declared.job_types import register
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.persistence.rows import ECHO
from wire.errors import DatabaseUnavailable

SUBMIT = "SELECT warren.submit('echo', '{}')"


@pytest.fixture
def pooler(database_url: str) -> Iterator[str]:
    """A private PgBouncer before this database; its address."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("no pgbouncer on this machine")
    place, port = urlsplit(database_url), free_ports(["pgbouncer"], {})["pgbouncer"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "ini").write_text(
            f"[databases]\nd = host={place.hostname} port={place.port} dbname={place.path[1:]} user={place.username}"
            f" password={place.password}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
            "auth_type = any\npool_mode = transaction\nunix_socket_dir =\nlogfile =\n"
        )
        as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen([program, "-q", *as_nobody, f"{folder}/ini"])
        yield f"postgresql://anybody@127.0.0.1:{port}/d"
        process.terminate()
        process.wait(10)


async def test_other_services_submit_through_it(pooler: str, database: Database, database_url: str) -> None:
    """
    The function needs nothing of a session, and Postgres sends the notification itself.
    """
    heard: list[str] = []
    await register(database, [ECHO])
    await eventually(lambda: _answers(pooler))
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("warren_outbox", lambda *said: heard.append(said[-1]))
    caller = await asyncpg.connect(pooler, statement_cache_size=0)
    async with caller.transaction():
        job = await caller.fetchval(SUBMIT)
    rolled_back = caller.transaction()
    await rolled_back.start()
    await caller.fetchval(SUBMIT)
    await rolled_back.rollback()
    await eventually(lambda: heard)
    await caller.close()
    await listener.close()

    assert [job] == [row["id"] for row in await database.fetch("SELECT id FROM jobs")]


async def test_a_process_of_ours_says_that_it_needs_postgres_itself(pooler: str) -> None:
    await eventually(lambda: _answers(pooler))
    ours = Database(pooler, "test", connections=1, timeout_seconds=5)
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL leads to a pooler; it must lead to Postgres itself"):
        await ours.fetch("SELECT 1")
    await ours.stop()


def _answers(url: str) -> bool:
    place = urlsplit(url)
    with socket.socket() as one:
        return one.connect_ex((place.hostname or "", place.port or 0)) == 0
