"""`deploy/prove` for real, with fewer jobs and less patience: its screen, its exit code, and that nothing stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.machine.processes import descendants
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "HOME", "LANG")
SOON = {"WARREN_RESCUE_GRACE_SECONDS": "1", "WARREN_RESCUE_SECONDS": "1"}  # a purge is noticed in seconds
FAULTS = ["a worker", "the gateway", "all connections", "RabbitMQ", "a worker", "workers", "Postgres", "a worker"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the proof makes its own."""
    found = Path(tempfile.mkdtemp(prefix="prove-", dir=tmp_path))
    yield found

    assert [] == list(found.iterdir())


def start(folder: Path, *words: str, **settings: str) -> subprocess.Popen[str]:
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    return subprocess.Popen(
        [ROOT / "deploy" / "prove", *words],
        env={**environ, "TMPDIR": str(folder), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_everything_is_killed_and_no_job_is_lost(folder: Path) -> None:
    """
    The ledger is that of the jobs' own witness.
    """
    with start(folder, "--jobs", "4500", **SOON) as proof:
        said = proof.communicate(timeout=300)[0]
    rows = dict(re.findall(r"^  (\w[\w/() ]*?)  +([\d.,]+)", said, re.MULTILINE))
    struck = re.findall(r"^ +[\d.]+ s  ([\w ]+?),? (?:killed|cut)", said, re.MULTILINE)

    assert 0 == proof.returncode, said
    assert FAULTS == struck
    assert ("4,500", "4,500", "0", "0") == tuple(
        rows[name] for name in ("accepted", "completed", "lost", "recorded twice")
    )
    assert re.search(r"[1-9][\d,]* messages purged", said), said
    assert re.search(r"the purged jobs +all are done", said)
    assert "All 4,500 accepted jobs were done and recorded once; none was lost." in said


@pytest.mark.long
def test_stock_dramatiq_stands_beside_it(folder: Path) -> None:
    """
    Its column is filled, and what it loses does not change the exit code.
    """
    with start(folder, "--jobs", "4500", "--against", "dramatiq", **SOON) as proof:
        said = proof.communicate(timeout=600)[0]
    rows = {line[2:26].strip(): line[26:].split() for line in said.splitlines() if line.startswith("  ")}

    assert 0 == proof.returncode, said
    assert ["4,500", "4,500"] == rows["accepted"]
    assert "0" == rows["lost"][0]
    assert int(rows["lost"][1].replace(",", "")) > 0, said
    assert rows["recorded twice"] == ["0", "–"]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
async def test_a_proof_that_is_interrupted_leaves_nothing_behind(folder: Path, number: int) -> None:
    """
    Whether it is asked to end or killed: what it had started is gone, and so is its folder.
    """
    with start(folder, "--jobs", "100000") as proof:
        assert proof.stdout is not None
        line = next(line for line in proof.stdout if "a worker killed" in line)
        members = set(descendants(proof.pid))
        proof.send_signal(number)
        rest = proof.stdout.read()
    await eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in members), within=60)
    await eventually(lambda: not list(folder.iterdir()), within=60)

    assert (130 if number == signal.SIGINT else -number) == proof.returncode, line + rest
    assert len(members) > 10
