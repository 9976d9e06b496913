"""A test run that is killed leaves no servers behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.machine.processes import read_record
from tests.eventually import eventually

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from tests import provider
server = provider.private_postgres(Path(sys.argv[1]))
server.start()
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "postgres")]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


async def test_servers_end_when_the_last_holder_of_their_lease_is_killed(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    folder = tmp_path / "postgres"
    assert holder.stdout is not None
    assert holder.stdout.readline() == "started\n"
    server = read_record(folder / "process.json")
    assert server is not None
    holder.kill()

    await eventually(lambda: not server.alive())
    await eventually(lambda: not folder.exists())
