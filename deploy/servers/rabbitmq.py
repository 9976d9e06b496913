"""A private RabbitMQ node in one folder: loopback only, no `guest`, console and metrics on.

The packaged wrappers insist on root or a system user, so the scripts below them are called directly.  The node has
its own name, cookie and port mapper (epmd): it can neither meet nor disturb another node of this machine.  The name is
`@localhost`, since a host name that does not resolve hangs the boot without a word.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.machine.ports import LOOPBACK
from deploy.machine.processes import Process, read_record, write_record
from deploy.servers.instance import Instance

USER = "warren"
PLACES = (
    "/usr/lib/rabbitmq/bin",
    "/usr/lib/rabbitmq/lib/*/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/opt/rabbitmq*/sbin",
)
PLUGINS = "[rabbitmq_management,rabbitmq_prometheus].\n"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024  # 128 MiB is its own default; an envelope may have 256 KiB
# Words outside its heap that a process may refer to before Erlang collects all its garbage and not only the young;
# 46,422 by itself.  Before 3.12 a classic queue's messages lie in its process, 2,600,000 words for a backlog of 30,000
# jobs: each second collection was a full one, and of the 55 µs that the node took to give out a job 27 were that.  With
# this 4 are, whoever's the queue is, and the node's peak of memory in a drain fell from 531 to 335 MB.
BINARY_HEAP_WORDS = 4 * 1024 * 1024
# RabbitMQ ties each of its threads to a core of its own.  Here the cores are everybody's: a message waited for one on
# which a gateway, a worker or Postgres was busy, while the other stood idle.  Free to move, 20 jobs a second on two
# busy cores start 0.3 ms of 5.4 sooner; on idle ones no difference was seen.
UNBOUND = "u"
ERLANG = (f"+hmbs {BINARY_HEAP_WORDS}", "-kernel inet_dist_use_interface {127,0,0,1}")
CONSUMER_TIMEOUT_MS = 8 * 24 * 3600 * 1000  # a job may run for a week; its own 30 minutes would close the channel


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path


def find(places: tuple[str, ...] | None = None, path: str | None = None) -> list[Binaries]:
    patterns = PLACES if places is None else places
    folders = [folder for pattern in patterns for folder in sorted(Path("/").glob(pattern.lstrip("/")))]
    on_path = shutil.which("rabbitmq-server", path=os.environ.get("PATH") if path is None else path)
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return [Binaries(folder) for folder in folders if _complete(folder)]


class RabbitMQ(Instance):
    name = "rabbitmq"
    port_names = ("amqp", "distribution", "epmd", "management", "prometheus")
    start_seconds = 90.0  # 3 to 6 s on an idle machine, ten times that on a busy one
    stop_seconds = 30.0
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, binaries: Binaries, log: Path | None = None) -> None:
        super().__init__(folder, log)
        self.binaries = binaries
        self._epmd_record = self.folder / "epmd.json"

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{self.password}@{LOOPBACK}:{self.ports['amqp']}/"

    @property
    def management_url(self) -> str:
        return f"http://{USER}:{self.password}@{LOOPBACK}:{self.ports['management']}"

    def prepare(self) -> None:
        home = self.folder / "home"
        home.mkdir(exist_ok=True, mode=0o700)
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)
        config = self.folder / "rabbitmq.conf"
        config.touch(mode=0o600)
        config.write_text(config_text(self.ports, self.password))
        (self.folder / "enabled_plugins").write_text(PLUGINS)

    def spawn(self) -> Process:
        environ = self._node_environ()
        self._start_epmd(environ)
        return self.run([str(self.binaries.folder / "rabbitmq-server")], environ)

    def stop(self) -> None:
        super().stop()
        self._stop_epmd()

    def kill(self) -> None:
        super().kill()
        self._stop_epmd()

    def answers(self) -> bool:
        return answers(self.ports["amqp"], self.management_url)

    def version(self) -> str:
        """As the node itself says it."""
        return str(json.loads(manage(self.management_url, "GET", "overview"))["rabbitmq_version"])

    def environ(self) -> dict[str, str]:
        return {"AMQP_URL": self.url}

    def facts(self) -> list[tuple[str, str]]:
        return facts(self.ports, self.password)

    def _start_epmd(self, environ: dict[str, str]) -> None:
        """Ours, in the foreground and on record; the node would start one that outlives it and that nobody knows."""
        self._stop_epmd()
        words = [_epmd(), "-address", LOOPBACK, "-port", str(self.ports["epmd"])]
        write_record(self._epmd_record, self.run(words, environ))

    def _stop_epmd(self) -> None:
        if (running := read_record(self._epmd_record)) is not None:
            running.stop(5)
        self._epmd_record.unlink(missing_ok=True)

    def _node_environ(self) -> dict[str, str]:
        ours = {name: v for name, v in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_", "NOTIFY_"))}
        settings = node_settings(self.folder, self.ports, self.log)
        return {**ours, **settings, "PATH": f"{ours.get('PATH', '')}:/usr/bin:/bin:/opt/homebrew/bin:/usr/local/bin"}


def answers(port: int, management_url: str) -> bool:
    """AMQP is spoken and a queue can be declared: an open port alone is not a booted node."""
    if not _speaks_amqp(port):
        return False
    try:
        manage(management_url, "PUT", "queues/%2F/warren.probe", {"durable": True})
        manage(management_url, "DELETE", "queues/%2F/warren.probe")
    except OSError:
        return False
    return True


def facts(ports: dict[str, int], password: str) -> list[tuple[str, str]]:
    return [
        ("RabbitMQ", f"amqp://{USER}:{password}@{LOOPBACK}:{ports['amqp']}/"),
        ("RabbitMQ console", f"http://{LOOPBACK}:{ports['management']}  (user {USER}, password {password})"),
        ("RabbitMQ metrics", f"http://{LOOPBACK}:{ports['prometheus']}/metrics"),
    ]


def config_text(ports: dict[str, int], password: str) -> str:
    return f"""\
listeners.tcp.1 = {LOOPBACK}:{ports["amqp"]}
management.tcp.ip = {LOOPBACK}
management.tcp.port = {ports["management"]}
prometheus.tcp.ip = {LOOPBACK}
prometheus.tcp.port = {ports["prometheus"]}
default_user = {USER}
default_pass = {password}
max_message_size = {MAX_MESSAGE_BYTES}
consumer_timeout = {CONSUMER_TIMEOUT_MS}
log.console = false
log.file.level = warning
"""


def node_settings(folder: Path, ports: dict[str, int], log: Path) -> dict[str, str]:
    return {
        "HOME": f"{folder}/home",
        "detached": "1",  # the script then replaces itself by the node: the number we hold is the node's own
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_NODENAME": "warren@localhost",
        "RABBITMQ_MNESIA_BASE": f"{folder}/data",
        "RABBITMQ_LOG_BASE": f"{folder}/log",
        "RABBITMQ_LOGS": str(log),
        "RABBITMQ_PID_FILE": f"{folder}/node.pid",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_PLUGINS_EXPAND_DIR": f"{folder}/plugins",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(ports["amqp"]),
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_SCHEDULER_BIND_TYPE": UNBOUND,
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(ERLANG),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_EPMD_PORT": str(ports["epmd"]),
    }


def manage(management_url: str, method: str, path: str, body: dict[str, object] | None = None) -> bytes:
    """Ask the management API; errors are OSErrors."""
    credentials, _, place = management_url.removeprefix("http://").rpartition("@")
    request = urllib.request.Request(f"http://{place}/api/{path}", method=method)
    request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    request.add_header("Content-Type", "application/json")
    data = json.dumps(body or {}).encode() if method in {"PUT", "POST"} else None
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, data, timeout=10) as answer:
        return bytes(answer.read())


def make_vhost(management_url: str, name: str) -> None:
    user = quote(management_url.removeprefix("http://").partition(":")[0])
    manage(management_url, "PUT", f"vhosts/{quote(name, safe='')}")
    everything: dict[str, object] = {"configure": ".*", "write": ".*", "read": ".*"}
    manage(management_url, "PUT", f"permissions/{quote(name, safe='')}/{user}", everything)


def drop_vhost(management_url: str, name: str) -> None:
    manage(management_url, "DELETE", f"vhosts/{quote(name, safe='')}")


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as server:
            server.sendall(b"AMQP\x00\x00\x09\x01")
            return server.recv(1) == b"\x01"  # a method frame: connection.start
    except OSError:
        return False


def _complete(folder: Path) -> bool:
    """Debian's /usr/sbin holds only wrappers; the scripts that can be called directly have their `rabbitmq-env`."""
    return all((folder / name).exists() for name in ("rabbitmq-server", "rabbitmq-env"))


def _epmd() -> str:
    found = shutil.which("epmd") or next(map(str, Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None)
    return found or "epmd"
