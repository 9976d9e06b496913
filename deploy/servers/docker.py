"""Containers for who has a Docker engine and no native servers.

Only what carries our label and name is ever stopped.  Ports are published on the loopback interface, data live in a
volume named after the data folder.  The command lines are pure functions, tested as text everywhere and run where there
is an engine.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from deploy.machine.ports import LOOPBACK, free_ports
from deploy.servers import postgres, rabbitmq
from deploy.servers.instance import ServerFailed

LABEL = "warren.data"
RABBITMQ_IMAGE = "rabbitmq:4-management"
POSTGRES_IMAGE = "postgres:17"
ANSWER_SECONDS = 3.0  # an engine that takes longer than this is asleep; waking it is the user's decision
START_SECONDS = 180.0  # an image may have to be fetched first
REMOVAL_SECONDS = 30.0
MARK = "container.json"


def answers(docker: str = "docker") -> bool:
    """Whether an engine is there; the client alone is not enough."""
    if shutil.which(docker) is None:
        return False
    try:
        ended = subprocess.run([docker, "version"], capture_output=True, timeout=ANSWER_SECONDS, check=False)
    except (subprocess.TimeoutExpired, OSError):
        return False
    return ended.returncode == 0


class Container:
    """One server in one container; what must stay the same over a restart is kept beside the data folder's other."""

    name: str
    inner_ports: Mapping[str, int]

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._mark = self.folder / MARK
        kept = json.loads(self._mark.read_text()) if self._mark.exists() else {}
        self.ports: dict[str, int] = kept.get("ports", {})
        self.password: str = kept.get("password") or secrets.token_urlsafe(18)

    def start(self) -> None:
        if self.alive():
            return
        self.ports = free_ports(list(self.inner_ports), self.ports)
        self._mark.touch(mode=0o600)
        self._mark.write_text(json.dumps({"ports": self.ports, "password": self.password}))
        _docker(self.command())
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"container {container_name(self.folder, self.name)} does not answer; see docker logs"
                )
            time.sleep(0.3)

    def stop(self) -> None:
        if self.alive():
            _docker(stop_command(self.folder, self.name))
            self._wait_until_removed()

    def kill(self) -> None:
        if self.alive():
            _docker(["docker", "kill", container_name(self.folder, self.name)])
            self._wait_until_removed()

    def alive(self) -> bool:
        return self._listed()

    def _wait_until_removed(self) -> None:
        """The engine removes it a moment after its end; until then its name is taken and its volume in use."""
        deadline = time.monotonic() + REMOVAL_SECONDS
        while self._listed("--all") and time.monotonic() < deadline:
            time.sleep(0.1)

    def _listed(self, *options: str) -> bool:
        find = [*find_command(self.folder, self.name), *options]
        return bool(subprocess.run(find, capture_output=True, text=True, check=False).stdout.strip())

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError


class RabbitMQ(Container):
    name = "rabbitmq"
    inner_ports: Mapping[str, int] = MappingProxyType({"amqp": 5672, "management": 15672, "prometheus": 15692})

    def command(self) -> list[str]:
        config = self.folder / "container.conf"
        config.write_text(rabbitmq_config(self.password))
        return rabbitmq_command(self.folder, self.ports, config)

    def answers(self) -> bool:
        return rabbitmq.answers(self.ports["amqp"], self._management)

    def environ(self) -> dict[str, str]:
        return {"AMQP_URL": f"amqp://{rabbitmq.USER}:{self.password}@{LOOPBACK}:{self.ports['amqp']}/"}

    def facts(self) -> list[tuple[str, str]]:
        return rabbitmq.facts(self.ports, self.password)

    @property
    def _management(self) -> str:
        return f"http://{rabbitmq.USER}:{self.password}@{LOOPBACK}:{self.ports['management']}"


class Postgres(Container):
    name = "postgres"
    inner_ports: Mapping[str, int] = MappingProxyType({"port": 5432})

    def command(self) -> list[str]:
        environ = self.folder / "container.env"
        environ.touch(mode=0o600)
        environ.write_text(f"POSTGRES_USER={postgres.USER}\nPOSTGRES_PASSWORD={self.password}\n")
        return postgres_command(self.folder, self.ports, environ)

    def answers(self) -> bool:
        return postgres.asks_for_a_password(LOOPBACK, self.ports["port"])

    def environ(self) -> dict[str, str]:
        return {"DATABASE_URL": postgres.dsn(self.ports["port"], self.password)}

    def facts(self) -> list[tuple[str, str]]:
        return [("Postgres", self.environ()["DATABASE_URL"])]


def container_name(folder: Path, server: str) -> str:
    """Two data folders never share a container."""
    return f"warren-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:10]}-{server}"


def rabbitmq_command(folder: Path, ports: dict[str, int], config: Path) -> list[str]:
    name = container_name(folder, "rabbitmq")
    published = {5672: ports["amqp"], 15672: ports["management"], 15692: ports["prometheus"]}
    mounts = ["-v", f"{name}:/var/lib/rabbitmq", "-v", f"{config}:/etc/rabbitmq/conf.d/20-warren.conf:ro"]
    return [*_run(folder, name, published), "--hostname", "warren", *mounts, RABBITMQ_IMAGE]


def rabbitmq_config(password: str) -> str:
    return f"""\
default_user = {rabbitmq.USER}
default_pass = {password}
max_message_size = {rabbitmq.MAX_MESSAGE_BYTES}
consumer_timeout = {rabbitmq.CONSUMER_TIMEOUT_MS}
"""


def postgres_command(folder: Path, ports: dict[str, int], environ_file: Path) -> list[str]:
    name = container_name(folder, "postgres")
    mounts = ["--env-file", str(environ_file), "-v", f"{name}:/var/lib/postgresql/data"]
    return [*_run(folder, name, {5432: ports["port"]}), "--shm-size", "256m", *mounts, POSTGRES_IMAGE]


def find_command(folder: Path, server: str) -> list[str]:
    name = container_name(folder, server)
    label = f"label={LABEL}={folder.resolve()}"
    return ["docker", "ps", "--quiet", "--filter", f"name=^{name}$", "--filter", label]


def stop_command(folder: Path, server: str) -> list[str]:
    """Give it time to write down what it holds; the container goes with its end, the volume stays."""
    return ["docker", "stop", "--time", "30", container_name(folder, server)]


def _run(folder: Path, name: str, published: dict[int, int]) -> list[str]:
    ports = [word for inner, outer in published.items() for word in ("-p", f"{LOOPBACK}:{outer}:{inner}")]
    return ["docker", "run", "--detach", "--rm", "--name", name, "--label", f"{LABEL}={folder.resolve()}", *ports]


def _docker(words: list[str]) -> None:
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ServerFailed(f"`{' '.join(words[:4])}…` ended with {ended.returncode}: {ended.stderr[-800:]}")
