"""Warren's own processes, as `deploy/up` would start them, on a vhost and a database of the tests.

They are waited for by facts: the gateway is ready, the workers have registered their types and consume.  Each writes
its own log, which a failing test shows.  At the end each is told once to stop and must exit 0 within its drain time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.process.child import die_with_parent
from deploy.machine.ports import free_ports
from deploy.machine.processes import children
from deploy.running.roles import CLOCK

ROOT = Path(__file__).parents[2]
JOB_MODULES = Path(__file__).parent / "job_modules"
SECONDS_TO_START = 120.0
SECONDS_TO_STOP = 60.0
SECONDS_TO_ANSWER = 60.0  # on a machine that stands still for seconds, which is nothing that is measured here
DRAIN_SECONDS = 3.0
LOOK_SECONDS = 0.05


class Scraped(dict[str, float]):
    """The value of each series, as it is written; zero for one that is not there."""

    def __init__(self, lines: list[str]) -> None:
        told = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        super().__init__({series: float(value) for series, _, value in told})
        self.families = {line.split(" ")[2]: line.split(" ")[3] for line in lines if line.startswith("# TYPE")}

    def __missing__(self, series: str) -> float:
        return 0.0


class Stack:
    """The processes of one Warren; each can be started, signalled and read by its name."""

    def __init__(
        self,
        amqp_url: str,
        database_url: str,
        folder: Path,
        through: tuple[str, ...] = (),
        near_url: str | None = None,
        **settings: str,
    ) -> None:
        self.amqp_url, self.database_url, self.folder = amqp_url, database_url, folder
        self._near_url = near_url  # by which all but the clock go, as with deploy/up
        self._through = through  # a module that is run in each one's place, and runs the real one
        self.port, self.grpc_port = free_ports(["http", "grpc"], {}).values()
        self.metrics_ports: dict[str, int] = {}
        self.url = f"http://127.0.0.1:{self.port}"
        self.witness = folder / "witness"
        self.witness.touch()
        self.timeline = folder / "timeline"
        self.timeline.touch()
        self._settings = settings
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, **more: str) -> dict[str, str]:
        """What every process is given; nothing of the shell that runs the tests but its PATH."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        ours = {
            "AMQP_URL": self.amqp_url,
            "DATABASE_URL": self.database_url,
            "WARREN_PORT": str(self.port),
            "WARREN_GRPC_PORT": str(self.grpc_port),
            "WARREN_ACTORS": "journey_jobs",
            "WARREN_DRAIN_SECONDS": f"{DRAIN_SECONDS:g}",
            "WARREN_LOG_FORMAT": "json",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(JOB_MODULES)]),
            "PYTHONUNBUFFERED": "1",
            "WITNESS": str(self.witness),
            "TIMELINE": str(self.timeline),
        }
        return kept | ours | self._settings | more

    def start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `python -m command` under this name; its log is `name.log`, its figures are at its metrics port."""
        if name not in self.metrics_ports:
            self.metrics_ports |= free_ports([name], {})
        ours = {"WARREN_METRICS_PORT": str(self.metrics_ports[name])}
        if self._near_url and name != CLOCK:
            ours["DATABASE_URL"] = self._near_url
        environment = ours | environment
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self._through, *(command or (name,))],
                cwd=self.folder,
                env=self.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - a test run that is killed leaves none behind
            )
        self.processes[name] = process
        return process

    def workers(self, name: str = "actors", *options: str, processes: int = 2, **environment: str) -> None:
        self.start(name, "actors", "--processes", str(processes), *options, **environment)

    def stop(self, name: str, seconds: float = SECONDS_TO_STOP) -> int:
        """Its exit code after SIGTERM; it is killed when it does not come to an end."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill_tree(process.pid)
            process.wait()
            return -signal.SIGKILL

    def stop_all(self) -> dict[str, int]:
        """All exit codes; workers first, so that what they finish is still recorded and answered."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        return {name: self.stop(name) for name in list(self.processes)}

    def kill(self, name: str) -> None:
        """As the kernel's out-of-memory killer would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def logged(self, name: str, event: str) -> list[dict[str, Any]]:
        """The lines of a log with this event."""
        found = []
        whole, _, _ = self.log(name).read_text(errors="replace").rpartition("\n")  # the last line may be half written
        for line in whole.splitlines():
            if event in line and line.startswith("{"):
                entry = json.loads(line)
                if entry.get("event") == event:
                    found.append(entry)
        return found

    def worker_pids(self, name: str = "actors") -> list[int]:
        """The processes that run jobs: supervisor → Dramatiq → worker."""
        masters = children(self.processes[name].pid)
        return sorted(worker for master in masters for worker in children(master))

    def masters(self, name: str = "actors") -> list[int]:
        return sorted(children(self.processes[name].pid))

    def get(self, path: str) -> dict[str, Any]:
        with _OPENER.open(f"{self.url}{path}", timeout=SECONDS_TO_ANSWER) as answer:
            return dict(json.load(answer))

    def scrape(self, name: str) -> Scraped:
        """What this process tells Prometheus."""
        address = f"http://127.0.0.1:{self.metrics_ports[name]}/metrics"
        with _OPENER.open(address, timeout=SECONDS_TO_ANSWER) as answer:
            return Scraped(answer.read().decode().splitlines())

    def wait_until(self, fact: Any, what: str, seconds: float = SECONDS_TO_START) -> None:
        """Return once this is so; the logs are told when it does not come true."""
        deadline = time.monotonic() + seconds
        while not fact():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended with {process.returncode} before {what}\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"after {seconds} s still not: {what}\n{self.last_words()}")
            time.sleep(LOOK_SECONDS)

    def ready(self) -> bool:
        try:
            return bool(self.get("/health/ready")["status"] != "down")
        except (OSError, urllib.error.URLError):
            return False

    def consuming(self, workers: int) -> bool:
        try:
            return int(self.get("/health")["checks"]["workers"]["consuming"] or 0) >= workers
        except (OSError, urllib.error.URLError):
            return False

    def last_words(self, since: Mapping[str, int] | None = None, lines: int = 6) -> str:
        """The ends of all logs, or what was added since those sizes."""
        told = []
        for log in sorted(self.folder.glob("*.log")):
            text = log.read_bytes()[(since or {}).get(log.name, 0) :].decode(errors="replace")
            told.append("\n".join([f"--- {log.name}", *text.splitlines()[-lines:]]))
        return "\n".join(told)

    def log_sizes(self) -> dict[str, int]:
        return {log.name: log.stat().st_size for log in self.folder.glob("*.log")}

    def _kill_tree(self, pid: int) -> None:
        for child in list(children(pid)):
            self._kill_tree(child)
        os.kill(pid, signal.SIGKILL)


@contextmanager
def running_stack(
    amqp_url: str,
    database_url: str,
    folder: Path,
    *,
    workers: int = 2,
    options: tuple[str, ...] = (),
    through: tuple[str, ...] = (),
    near_url: str | None = None,
    **settings: str,
) -> Iterator[Stack]:
    """All processes, ready; stopped at the end, where each must exit 0."""
    one = Stack(amqp_url, database_url, folder, through, near_url, **settings)
    try:
        for name, command in (("recorder", "persistence"), ("scheduler", "scheduler"), ("gateway", "gateway")):
            one.start(name, command)
        if workers:
            one.workers("actors", *options, processes=workers)
        one.wait_until(one.ready, "the gateway is ready")
        if workers:
            one.wait_until(lambda: one.consuming(workers), f"{workers} workers consume")
        yield one
    except BaseException:
        one.stop_all()
        raise
    bad = {name: code for name, code in one.stop_all().items() if code}

    assert {} == bad, f"ended with {bad}\n{one.last_words()}"


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
