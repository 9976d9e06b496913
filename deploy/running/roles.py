"""Which processes a Warren has, in the order of their start, and the environment they share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.running.supervise import Role
from deploy.servers.addresses import AMQP_NAMES, DATABASE_NAMES

CLOCK = "scheduler"
STOP_MARGIN_SECONDS = 15.0  # a drain ends with records, acks and closing connections
STOP_SECONDS = 20.0
ARTIFACTS_NAMES = ("WARREN_ARTIFACTS_URL", "WARREN_ARTIFACTS_BUCKET", "MINIO_BUCKET")
RENAMED = {*AMQP_NAMES, *DATABASE_NAMES, "API_PORT", "WARREN_PORT", "GRPC_PORT", "WARREN_GRPC_PORT"}


def roles(python: Path, workers: int | None, drain_seconds: float) -> list[Role]:
    processes = ["--processes", str(workers)] if workers else []
    return [
        Role("recorder", module(python, "persistence"), STOP_SECONDS),
        Role(CLOCK, module(python, "scheduler"), STOP_SECONDS),
        Role("gateway", module(python, "gateway"), STOP_SECONDS),
        Role("workers", module(python, "actors", *processes), drain_seconds + STOP_MARGIN_SECONDS),
    ]


def migrate(python: Path) -> list[str]:
    return module(python, "persistence", "migrate")


def module(python: Path, name: str, *words: str) -> list[str]:
    """-P: a folder of the caller that bears a room's name must not take the room's place."""
    return [str(python), "-P", "-m", name, *words]


def child_environ(
    environ: Mapping[str, str], addresses: Mapping[str, str], port: int, root: Path, venv: Path
) -> dict[str, str]:
    """Our names for what was decided here; each under the spelling that wins over a `.env`."""
    kept = {name: value for name, value in environ.items() if name not in RENAMED}
    theirs = [os.path.abspath(path) for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = [str(root), os.getcwd(), *theirs]
    return {
        **kept,
        "WARREN_AMQP_URL": addresses["AMQP_URL"],
        "WARREN_DATABASE_URL": addresses["DATABASE_URL"],
        "WARREN_PORT": str(port),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": str(venv),
        "PATH": f"{venv / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}",
    }


def artifacts_environ(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Where the bytes of artifacts go, unless somebody has said where: beside the data of the servers."""
    return {} if any(environ.get(name) for name in ARTIFACTS_NAMES) else {"WARREN_ARTIFACTS_URL": str(folder)}


def outbox_environ(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Where mail lies while no server is named: beside the other data too."""
    return {} if environ.get("WARREN_MAIL_OUTBOX") else {"WARREN_MAIL_OUTBOX": str(folder)}


def databases_environ(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Where the sample migration has its databases: each Warren its own."""
    return {} if environ.get("WARREN_MIGRATION_FOLDER") else {"WARREN_MIGRATION_FOLDER": str(folder)}
