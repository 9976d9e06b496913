"""The two who can be put on trial: a whole Warren as `deploy/up` starts it, and stock Dramatiq on its RabbitMQ broker.

Both get servers of their own, the same number of worker processes, the same supervisor and the same witness.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.machine.ports import free_port
from deploy.proof import recorded
from deploy.proof.contestant import Contestant
from deploy.proof.witness import VARIABLE
from deploy.provision.venv import Venv
from deploy.running import health
from deploy.running.folder import Folder
from deploy.running.roles import child_environ, module, roles
from deploy.running.supervise import Role
from deploy.servers.instance import Instance
from deploy.servers.rabbitmq import RabbitMQ

HERE = Path(__file__).parent
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
TUNED = ("CONCURRENCY", "PREFETCH", "PROFILE", "HEARTBEAT_SECONDS", "LEASE_SECONDS", "OVERTAKEN_SECONDS")
TUNED_PREFIXES = ("SWEEP_", "REAP_", "RESCUE_")


@dataclass(frozen=True, slots=True)
class Ground:
    """What every contestant stands on."""

    root: Path
    venv: Venv
    workers: int
    environ: Mapping[str, str]  # the caller's

    @property
    def tuning(self) -> dict[str, str]:
        """Settings of the caller that may count here; all others would make it another proof."""
        ours = {name: f"WARREN_{name}" for name in TUNED}
        named = {*ours.values()}
        return {
            name: value
            for name, value in self.environ.items()
            if name in named or name.startswith(tuple(f"WARREN_{prefix}" for prefix in TUNED_PREFIXES))
        }


def warren(ground: Ground, folder: Folder, servers: list[Instance]) -> Contestant:
    addresses = _addresses(servers)
    port = free_port()
    own = {**_bare(ground), **ground.tuning, "WARREN_ACTORS": "witnessed_jobs", VARIABLE: str(folder.path / "witness")}
    environ = child_environ(
        {**own, "PYTHONPATH": str(HERE / "warren-jobs")}, addresses, port, ground.root, ground.venv.folder
    ) | {"WARREN_GRPC_PORT": "0"}
    return Contestant(
        name="Warren",
        folder=folder,
        servers=servers,
        roles=roles(ground.venv.python, ground.workers, 20.0),
        environ=environ,
        producer=module(Path(sys.executable), "deploy.proof.submit", "127.0.0.1", str(port)),
        queue="work.default",
        missing=lambda: health.missing(f"http://127.0.0.1:{port}", None),
        recorded=lambda: recorded.ask(ground.venv.python, environ),
    )


def stock_dramatiq(ground: Ground, folder: Folder, broker: RabbitMQ) -> Contestant:
    scripts = HERE / "stock-dramatiq"
    environ = {
        **_bare(ground),
        **broker.environ(),
        VARIABLE: str(folder.path / "witness"),
        "PYTHONPATH": os.pathsep.join([str(ground.root), str(scripts)]),
        "PYTHONUNBUFFERED": "1",
    }
    python = ground.venv.python
    words = module(python, "dramatiq", "witnessed_actors", "--processes", str(ground.workers))
    workers = Role("workers", words, 20.0)
    return Contestant(
        name=f"Dramatiq {dramatiq_version()}",
        folder=folder,
        servers=[broker],
        roles=[workers],
        environ=environ,
        producer=[str(python), "-P", str(scripts / "witnessed_actors.py")],
        queue="default",
        missing=lambda: None if broker.answers() else "RabbitMQ does not answer",
        recorded=None,
    )


def dramatiq_version() -> str:
    found = re.search(r"^dramatiq(?:\[\w+\])?==([\d.]+)", (HERE.parent / "requirements.lock").read_text(), re.MULTILINE)
    return found[1] if found else "?"


def _bare(ground: Ground) -> dict[str, str]:
    """Nothing of the caller's but what a process needs to run."""
    return {name: ground.environ[name] for name in KEPT if name in ground.environ}


def _addresses(servers: list[Instance]) -> dict[str, str]:
    return {name: url for server in servers for name, url in server.environ().items()}
