"""The gate, at home and in CI: format, lint, types, import contracts, then the tests on real servers.

Every step runs even when one before it failed, so that one run tells all; the exit code is that of the worst.  Tests
start servers of their own, so RabbitMQ and Postgres are installed here where they are missing, and not started.
What they write is kept in memory where it fits.  Arguments go to pytest and narrow it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.gate import memory, tally
from deploy.provision import install, libraries, venv
from deploy.provision.errands import Errands
from deploy.servers import docker, postgres, rabbitmq

NO_TESTS = 5  # pytest's code for "nothing collected"
CORES = os.cpu_count() or 2
BUSY = ["-n", str(max(2, CORES))]
# Who waits for servers leaves its core to others; the tests of a file share their servers and processes, and which
# files begin is told in tests/conftest.py
FILE_BY_FILE = ["--dist", "loadfile", "--no-loadscope-reorder"]
WAITING = ["-n", str(max(4, 2 * CORES)), *FILE_BY_FILE]
# What is killed under load has its load with it
FALLING = ["-n", str(max(3, CORES)), *FILE_BY_FILE]
# Rooms and journeys go together: each process starts a RabbitMQ of its own, which takes both cores half a minute
STAGES = {"unit": BUSY, "room journey": WAITING, "faults": FALLING}


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    words: list[str]


def run(root: Path, pytest_words: list[str]) -> int:
    scratch = root if os.access(root, os.W_OK) else Path(tempfile.mkdtemp(prefix="warren-gate-"))
    place = venv.place(root, scratch)
    errands = Errands(Path(tempfile.gettempdir()) / f"warren-gate-{os.getuid()}.log")
    found = _prepare(place, errands)
    environ = _environ(place, scratch, found)
    reports = Path(tempfile.mkdtemp(prefix="warren-reports-"))
    codes = [_run(step, root, environ) for step in steps(root, place.folder / "bin", pytest_words, reports)]
    if not pytest_words:
        print(tally.read(_report(reports, stage) for stage in _present(root)).lines(), flush=True)
    shutil.rmtree(reports)
    return max(codes, default=0)


def steps(root: Path, bin_folder: Path, pytest_words: list[str], reports: Path) -> list[Step]:
    def tool(name: str, *words: str) -> list[str]:
        return [str(bin_folder / "python"), "-P", "-m", name, *words]

    return [
        Step("format", tool("ruff", "format", "--check", "--quiet", ".")),
        Step("lint", tool("ruff", "check", "--quiet", ".")),
        Step("types", tool("mypy")),
        Step("imports", [str(bin_folder / "lint-imports")]),
        *_pytest_steps(root, tool("pytest"), pytest_words, reports),
    ]


def _pytest_steps(root: Path, pytest: list[str], pytest_words: list[str], reports: Path) -> list[Step]:
    if pytest_words:
        return [Step("tests", [*pytest, *pytest_words])]
    return [
        Step(stage, [*pytest, *STAGES[stage], f"--junitxml={_report(reports, stage)}", *_folders(stage)])
        for stage in _present(root)
    ]


def _present(root: Path) -> list[str]:
    return [stage for stage in STAGES if all(any((root / folder).rglob("test_*.py")) for folder in _folders(stage))]


def _folders(stage: str) -> list[str]:
    return [f"tests/{name}" for name in stage.split()]


def _report(reports: Path, stage: str) -> Path:
    return reports / f"{stage.replace(' ', '-')}.xml"


def _prepare(place: venv.Venv, errands: Errands) -> list[Path]:
    """The environment with the test lock, and servers that tests can start; folders to add to the path."""
    began = time.monotonic()
    venv.make(place, errands, lambda: install.venv_module(errands))
    done = venv.fill(place, Path(__file__).parents[1] / "requirements-test.lock", errands)
    _told("environment", 0, began, done)
    if said := libraries.provide(errands):
        print(f"── reports: {said}", flush=True)
    return _servers(place, errands)


def _servers(place: venv.Venv, errands: Errands) -> list[Path]:
    if os.environ.get("TEST_AMQP_URL") and os.environ.get("TEST_DATABASE_URL"):
        return []
    began = time.monotonic()
    if not rabbitmq.find() and not docker.answers():
        install.rabbitmq_server(errands)
    found = postgres.find()
    if not found and not docker.answers():
        found = install.postgres_server(place, errands)
    _told("servers", 0, began, "can be started")
    return [found[0].folder] if found else []


def _environ(place: venv.Venv, scratch: Path, found: list[Path]) -> dict[str, str]:
    path = [str(place.folder / "bin"), *map(str, found), os.environ.get("PATH", os.defpath)]
    caches = {"MYPY_CACHE_DIR": ".mypy_cache", "RUFF_CACHE_DIR": ".ruff_cache"}
    return {
        **os.environ,
        **({"TMPDIR": str(folder)} if (folder := memory.folder()) else {}),
        **{name: str(scratch / folder) for name, folder in caches.items()},
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": "",
        "VIRTUAL_ENV": str(place.folder),
    }


def _run(step: Step, root: Path, environ: dict[str, str]) -> int:
    print(f"── {step.name}", flush=True)
    began = time.monotonic()
    code = subprocess.run(step.words, cwd=root, env=environ, check=False).returncode
    code = 0 if code == NO_TESTS and step.name != "tests" else code
    _told(step.name, code, began, "")
    return abs(code)


def _told(name: str, code: int, began: float, text: str) -> None:
    verdict = "ok" if code == 0 else f"FAILED ({code})"
    print(f"── {name}: {verdict} in {time.monotonic() - began:.1f} s {text}".rstrip(), flush=True)
