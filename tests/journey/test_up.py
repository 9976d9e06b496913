"""What a newcomer sees: `deploy/up`, the pasted `curl`, accidents, `deploy/down`.

One Warren is brought up for the whole file, as a user would: by the shell command, in a folder of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.machine.ports import free_port, is_free
from deploy.machine.processes import Process, read_record
from deploy.running.folder import Folder
from deploy.servers.guard import kill_recorded
from tests import provider
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
SECONDS = 240  # an environment may have to be filled first


class Warren:
    """A data folder and the commands on it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = Folder(data)
        self.port = free_port()

    def deploy(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {n: v for n, v in os.environ.items() if n in KEPT or n.startswith("PIP_")}
        line = [ROOT / "deploy" / command, "--data", str(self.data), *words]
        return subprocess.run(line, env=kept, capture_output=True, text=True, timeout=SECONDS, check=False)

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.deploy("up", "--detach", "--port", str(self.port))

    def process(self, name: str) -> Process:
        process = read_record(self.folder.record(name))
        assert process is not None, f"{name} does not run"
        return process

    def server(self, name: str) -> Process | None:
        return read_record(self.data / name / "process.json")

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        request.add_header("Content-Type", "application/json")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return dict(json.load(answer))

    def echo(self) -> dict[str, Any]:
        submitted = self.ask("/api/v1/jobs", {"type": "echo", "payload": {"message": "hello"}})
        return self.ask(f"/api/v1/jobs/{submitted['id']}?wait=50")

    def echoed(self) -> str | None:
        """The state of a job that was submitted and waited for; nothing while a store is away."""
        try:
            return str(self.echo()["state"])
        except OSError:
            return None


@pytest.fixture(scope="module")
def warren(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warren]:
    data = tmp_path_factory.mktemp("up") / "data folder"
    guarded = provider.guarded(data)
    warren = Warren(data)
    yield warren
    supervisor = warren.folder.supervisor
    if supervisor:
        supervisor.send(signal.SIGKILL)
    kill_recorded(data)
    os.close(guarded)


@pytest.fixture(scope="module")
def greeting(warren: Warren) -> str:
    came_up = warren.up()

    assert came_up.returncode == 0, came_up.stdout + came_up.stderr
    return came_up.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_curl_submits_a_job_and_shows_it_done(greeting: str) -> None:
    line = next(line for line in greeting.splitlines() if line.startswith("curl "))
    said = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(said.stdout)["state"] == "completed"


def test_the_addresses_can_be_sourced_and_are_private(warren: Warren, greeting: str) -> None:
    script = f'. "{warren.folder.env}"; echo "$WARREN_URL $WARREN_GRPC_TARGET $AMQP_URL $DATABASE_URL"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert said[0] == f"http://127.0.0.1:{warren.port}"
    assert _connects(said[1])
    assert [address for address in said if address not in greeting] == []
    assert warren.folder.env.stat().st_mode & 0o777 == 0o600


def _connects(target: str) -> bool:
    host, _, port = target.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10):
        return True


def test_the_figures_of_every_process_are_where_it_says(warren: Warren, greeting: str) -> None:
    places = json.loads((warren.data / "scrape.json").read_text())
    told = {}
    for place in places:
        url = f"http://{place['targets'][0]}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told[place["labels"]["role"]] = answer.read().decode()

        assert url in greeting

    assert {"recorder", "scheduler", "gateway", "workers", "rabbitmq"} == set(told)
    assert [] == [role for role, text in told.items() if "_build_info{" not in text]


def test_a_second_up_says_what_runs_and_starts_nothing(warren: Warren, greeting: str) -> None:
    before = warren.process("gateway")
    again = warren.up()

    assert again.returncode == 0
    assert again.stdout.startswith(f"already running (pid {warren.process('supervisor').pid})")
    assert f"http://127.0.0.1:{warren.port}/docs" in again.stdout
    assert warren.process("gateway") == before


def test_a_port_in_use_is_said_by_name(warren: Warren) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        other = Warren(warren.data.with_name("other"))
        refused = other.deploy("up", "--port", str(port))

    assert refused.returncode == 1
    assert re.search(
        rf"port {port} is already used by \S+ \(pid {os.getpid()}\); try .*--port {port + 1}", refused.stderr
    )
    assert other.folder.supervisor is None


@pytest.mark.parametrize("name", ["gateway", "workers", "recorder", "scheduler"])
async def test_a_process_that_is_killed_comes_back(warren: Warren, greeting: str, name: str) -> None:
    killed = warren.process(name)
    killed.send(signal.SIGKILL)
    await eventually(lambda: read_record(warren.folder.record(name)) not in (None, killed), within=60)

    assert "completed" == await eventually(warren.echoed, within=60)


@pytest.mark.parametrize("name", ["postgres", "rabbitmq"])
async def test_a_server_that_is_killed_comes_back_where_it_was(warren: Warren, greeting: str, name: str) -> None:
    killed = warren.server(name)
    assert killed is not None
    killed.send(signal.SIGKILL)
    await eventually(lambda: warren.server(name) not in (None, killed), within=60)

    assert "completed" == await eventually(warren.echoed, within=60)


def test_what_a_killed_supervisor_left_is_taken_over(warren: Warren, greeting: str) -> None:
    """
    The servers are adopted, the processes are drained and started anew.
    """
    servers, gateway = [warren.server("postgres"), warren.server("rabbitmq")], warren.process("gateway")
    supervisor = warren.process("supervisor")
    supervisor.send(signal.SIGKILL)
    supervisor.wait(60)
    again = warren.up()

    assert again.returncode == 0, again.stdout + again.stderr
    assert [warren.server("postgres"), warren.server("rabbitmq")] == servers
    assert not gateway.alive()
    assert warren.echo()["state"] == "completed"


def test_down_stops_all_that_was_started_and_the_data_stay(warren: Warren, greeting: str) -> None:
    job = warren.echo()
    processes = [warren.process(name) for name in ("supervisor", "gateway", "workers", "recorder", "scheduler")]
    servers = [warren.server("postgres"), warren.server("rabbitmq")]
    went_down = warren.deploy("down")

    assert went_down.returncode == 0, went_down.stdout + went_down.stderr
    assert [process for process in (*processes, *servers) if process is None or process.alive()] == []
    assert is_free(warren.port)
    assert "nothing was running" in warren.deploy("down").stdout

    again = warren.up()

    assert again.returncode == 0, again.stdout + again.stderr
    assert warren.ask(f"/api/v1/jobs/{job['id']}")["state"] == "completed"


def test_down_after_everything_was_killed_is_fine(warren: Warren, greeting: str) -> None:
    warren.process("supervisor").send(signal.SIGKILL)
    kill_recorded(warren.data)
    went_down = warren.deploy("down")

    assert went_down.returncode == 0
    assert is_free(warren.port)
