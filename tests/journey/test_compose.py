"""docker-compose.yml as a person uses it: built, started, scaled, broken and stopped by a real engine.

In a copy with a .env of its own, as another project on other ports, so that a Warren that runs here is left alone.
The images of the two servers are whatever the engine has or can fetch.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.machine.ports import free_ports
from deploy.servers import docker

ROOT = Path(__file__).parents[2]
COPIED = ["docker-compose.yml", "pyproject.toml", "warren.py", "deploy", "wire", "persistence", "actors", "gateway",
          "scheduler"]  # fmt: skip
KEY = "a-key-of-the-compose-test"
BUILD_SECONDS, SECONDS = 900.0, 120.0
# whoever watches (Grafana, Prometheus, Jaeger) is left out: their images are not ours to test
CORE = ("rabbitmq", "postgres", "migrate", "recorder", "scheduler", "gateway", "worker")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not docker.answers(), reason="no Docker engine answers"),
]


class Project:
    """One `docker compose` project, spoken to as on a command line and over its published port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"warren-test-{secrets.token_hex(4)}"
        ports = free_ports(["WARREN_PORT", "AMQP_PORT", "RABBITMQ_CONSOLE_PORT", "POSTGRES_PORT"], {})
        passwords = {name: secrets.token_hex(12) for name in ("RABBITMQ_PASSWORD", "POSTGRES_PASSWORD")}
        given = {**ports, **passwords, "WARREN_API_KEYS": KEY, "WARREN_PROCESSES": 1}
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        self.url = f"http://127.0.0.1:{ports['WARREN_PORT']}"

    def compose(self, *words: str, seconds: float = SECONDS) -> str:
        """What it prints; the test fails where it does not exit with 0."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or "DOCKER" in name}
        command = ["docker", "compose", "--project-name", self.name, *words]
        ended = subprocess.run(
            command, cwd=self.folder, env=kept, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert 0 == ended.returncode, f"{' '.join(command)}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def call(self, path: str, body: object = None) -> Any:
        asked = urllib.request.Request(self.url + path, data=None if body is None else json.dumps(body).encode())
        asked.add_header("X-API-Key", KEY)
        asked.add_header("Content-Type", "application/json")
        with _OPENER.open(asked, timeout=70) as answer:
            return json.load(answer)

    def workers(self) -> int:
        return int(self.call("/health")["checks"]["workers"]["consuming"] or 0)

    def submit(self, **job: object) -> str:
        return str(self.call("/api/v1/jobs", {"type": "echo", "payload": {"message": "hi"}, **job})["id"])

    def state(self, job_id: str, wait: int = 60) -> str:
        return str(self.call(f"/api/v1/jobs/{job_id}?wait={wait}")["state"])

    def inspect(self, service: str, template: str) -> list[str]:
        ids = self.compose("ps", "--all", "--quiet", service).split()
        told = subprocess.run(
            ["docker", "inspect", "--format", template, *ids], capture_output=True, text=True, check=True
        )
        return told.stdout.split("\n")[: len(ids)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Built and started by the command at the head of the file, with two workers."""
    folder = tmp_path_factory.mktemp("compose")
    for name in COPIED:
        source = ROOT / name
        _ = shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    one = Project(folder)
    try:
        one.compose(
            "up", "--detach", "--build", "--wait-timeout", "120", "--scale", "worker=2", *CORE, seconds=BUILD_SECONDS
        )
        until(lambda: one.workers() == 2, "two workers consume")
        yield one
    finally:
        one.compose("down", "--volumes", "--timeout", "60")


def test_a_job_is_done(project: Project) -> None:
    assert "completed" == project.state(project.submit())


def test_nobody_comes_in_without_the_key_of_env(project: Project) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        _OPENER.open(f"{project.url}/api/v1/jobs", timeout=10)
    refused.value.close()

    assert 401 == refused.value.code


@pytest.mark.parametrize("service", ["gateway", "recorder", "scheduler", "worker"])
def test_a_process_has_no_root_and_nothing_to_write_to(project: Project, service: str) -> None:
    status = project.compose("exec", "-T", service, "cat", "/proc/1/status")
    with pytest.raises(AssertionError, match="Read-only file system"):
        project.compose("exec", "-T", service, "touch", "/app/wire/new")

    assert "Uid:\t10001\t" in status
    assert "CapBnd:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status


def test_another_container_reaches_the_gateway_by_its_name(project: Project) -> None:
    ask = f"u.urlopen(u.Request('http://gateway:8000/api/v1/jobs', headers={{'X-API-Key': '{KEY}'}}))"
    project.compose("exec", "-T", "worker", "python", "-c", f"import urllib.request as u; {ask}")


def test_workers_are_scaled_while_jobs_run(project: Project) -> None:
    """
    Those that go finish what they run; those that come take part.
    """
    project.compose("up", "--detach", "--no-recreate", "--scale", "worker=5", *CORE)
    until(lambda: project.workers() == 5, "five workers consume")
    jobs = [project.submit(type="sleep", payload={"duration": 2}) for _ in range(20)]
    project.compose("up", "--detach", "--no-recreate", "--scale", "worker=2", *CORE)

    assert {"completed"} == {project.state(job) for job in jobs}
    assert {1} == {project.call(f"/api/v1/jobs/{job}")["attempt"] for job in jobs}


def test_a_killed_worker_loses_nothing(project: Project) -> None:
    jobs = [project.submit(type="sleep", payload={"duration": 3}) for _ in range(6)]
    until(lambda: project.call(f"/api/v1/jobs/{jobs[-1]}")["state"] == "running", "they run")
    project.compose("kill", "--signal", "KILL", "worker")
    project.compose("up", "--detach", "--no-recreate", "--scale", "worker=2", *CORE)

    assert {"completed"} == {project.state(job) for job in jobs}


@pytest.mark.parametrize("server", ["rabbitmq", "postgres"])
def test_a_server_may_go_and_come_back_with_what_it_held(project: Project, server: str) -> None:
    waiting = project.submit(delay=10)
    project.compose("kill", "--signal", "KILL", server)
    meanwhile = project.submit()
    project.compose("up", "--detach", "--no-recreate", "--scale", "worker=2", *CORE)

    assert ["completed", "completed"] == [project.state(meanwhile), project.state(waiting)]


def test_all_stop_in_time_and_start_again_with_their_jobs(project: Project) -> None:
    waiting = project.submit(delay=5)
    project.compose("stop")
    codes = {service: set(project.inspect(service, "{{.State.ExitCode}}")) for service in ("gateway", "worker",
             "recorder", "scheduler", "postgres", "rabbitmq")}  # fmt: skip
    project.compose("up", "--detach", "--scale", "worker=2", *CORE)
    until(lambda: project.workers() == 2, "two workers consume")

    assert {"0"} == set().union(*codes.values()), codes
    assert "completed" == project.state(waiting)


def test_no_log_has_a_password(project: Project) -> None:
    written = project.compose("logs", "--no-color")
    held = dict(line.split("=", 1) for line in (project.folder / ".env").read_text().splitlines())

    assert [] == [
        name for name in ("RABBITMQ_PASSWORD", "POSTGRES_PASSWORD", "WARREN_API_KEYS") if held[name] in written
    ]


def until(fact: Callable[[], bool], what: str) -> None:
    """Return once it is so; a gateway that does not answer yet is no answer."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if fact():
                return
        except (OSError, urllib.error.URLError):
            pass
        assert time.monotonic() < deadline, f"after {SECONDS} s still not: {what}"
        time.sleep(0.2)


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
