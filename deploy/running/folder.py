"""The data folder: where everything of one Warren lies, and who is at work in it.

    env        addresses and passwords to source       logs/      one file a process, three starts kept
    lock       held by the supervisor while it lives    run/       one record a process
    grpc-port  the gRPC door's, if nobody named one
    scrape.json, prometheus.yml  where the figures are, and what a Prometheus needs to read them
    rabbitmq/  postgres/                                           the servers' own
    artifacts/ what jobs have left behind, unless an object store is named
    backups/   what backup_task has kept, unless other places are named; backup.key opens it
    outbox/    mail of jobs, a file `.eml` each, unless a mail server is named
    databases/ what the sample operation `data_migration` moves rows between

Whether a Warren runs here is decided by the lock, which the kernel gives back however its holder ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.machine.processes import Process, read_record, write_record

KEPT_LOGS = 3


@dataclass(frozen=True, slots=True)
class Running:
    """What a second `up` says about the first."""

    url: str
    facts: list[tuple[str, str]]
    api_key: str | None


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.env = self.path / "env"
        self.artifacts = self.path / "artifacts"
        self.outbox = self.path / "outbox"
        self.databases = self.path / "databases"
        self._records = self.path / "run"
        self._running = self._records / "running"
        self._lock: int | None = None

    def make(self) -> None:
        for folder in (self.path, self.logs, self._records):
            folder.mkdir(parents=True, exist_ok=True)
        (self.path / ".gitignore").write_text("*\n")

    def claim(self) -> bool:
        """False when a supervisor is at work here."""
        lock = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def record(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def sign(self) -> None:
        write_record(self.record("supervisor"), Process.of(os.getpid()))
        self._running.unlink(missing_ok=True)

    @property
    def supervisor(self) -> Process | None:
        return read_record(self.record("supervisor"))

    @property
    def running(self) -> Running | None:
        """None while it still comes up."""
        try:
            kept = json.loads(self._running.read_text())
            return Running(kept["url"], [(str(n), str(f)) for n, f in kept["facts"]], kept["api_key"])
        except (OSError, ValueError, KeyError):
            return None

    def announce(self, running: Running) -> None:
        self._running.touch(mode=0o600)
        self._running.write_text(json.dumps(asdict(running)))

    def leave(self) -> None:
        self._running.unlink(missing_ok=True)
        self.record("supervisor").unlink(missing_ok=True)

    def write_env(self, variables: dict[str, str]) -> None:
        self.env.touch(mode=0o600)
        self.env.chmod(0o600)
        self.env.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def turn_over(self, name: str) -> None:
        """Begin a new log, keep the last three."""
        log = self.log(name)
        if not log.exists() or not log.stat().st_size:
            return
        for number in range(KEPT_LOGS, 1, -1):
            older = log.with_suffix(f".log.{number - 1}")
            if older.exists():
                older.replace(log.with_suffix(f".log.{number}"))
        log.replace(log.with_suffix(".log.1"))
