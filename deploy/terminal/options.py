"""What was asked for: the command line over the environment over `.env`.

The processes read `.env` of the folder they start in; `up` has to see the same, or it would bring up servers of its
own beside those that the processes use.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.servers.sources import SOURCES

DEFAULT_PORT = 8000
ASSIGNMENT = re.compile(
    r"""^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^#\s][^#]*?)?)\s*(?:\s#.*)?$"""
)


@dataclass(frozen=True, slots=True)
class Up:
    data: Path
    port: int
    host: str
    workers: int | None
    detach: bool
    sources: tuple[str, ...]
    environ: dict[str, str]
    grpc_port: int | None = None  # None: nobody named one; 0: no gRPC

    @property
    def api_key(self) -> str | None:
        keys = [key.strip() for key in self.environ.get("WARREN_API_KEYS", "").split(",")]
        return keys[0] or None

    @property
    def drain_seconds(self) -> float:
        try:
            return float(self.environ.get("WARREN_DRAIN_SECONDS") or 20)
        except ValueError:
            return 20.0  # the processes refuse it with a sentence

    @property
    def url(self) -> str:
        """As this machine reaches it."""
        everywhere = self.host in {"0.0.0.0", "::", "127.0.0.1", ""}  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def parse_up(words: list[str], root: Path, environ: Mapping[str, str] = os.environ) -> Up:
    parser = _parser("up", "Bring up a whole Warren: servers, migrations, processes.", root)
    parser.add_argument("--port", type=_port, help=f"port of the HTTP gateway (default: WARREN_PORT or {DEFAULT_PORT})")
    parser.add_argument(
        "--grpc-port", type=_grpc_port, metavar="PORT",
        help="port of the gRPC door, 0 for none (default: WARREN_GRPC_PORT, or 50051, or one that is free)",
    )  # fmt: skip
    parser.add_argument("--workers", type=_count, metavar="N", help="worker processes (default: WARREN_PROCESSES or 2)")
    parser.add_argument("--detach", action="store_true", help="return when all is healthy and leave it running")
    parser.add_argument(
        "--servers", type=_sources, default=SOURCES, metavar="SOURCE[,SOURCE]",
        help=f"where RabbitMQ and Postgres may come from, in this order (default: {','.join(SOURCES)})",
    )  # fmt: skip
    asked = parser.parse_args(words)
    merged = {**read_dotenv(Path(".env")), **environ}
    port = asked.port or _port(merged.get("WARREN_PORT") or merged.get("API_PORT") or str(DEFAULT_PORT))
    host = merged.get("WARREN_HOST") or merged.get("API_HOST") or "127.0.0.1"
    named = merged.get("WARREN_GRPC_PORT") or merged.get("GRPC_PORT")
    grpc_port = asked.grpc_port if asked.grpc_port is not None else _grpc_port(named) if named else None
    return Up(asked.data, port, host, asked.workers, asked.detach, asked.servers, merged, grpc_port)


@dataclass(frozen=True, slots=True)
class Prove:
    jobs: int
    against: str | None
    workers: int
    keep: bool


def parse_prove(words: list[str]) -> Prove:
    parser = argparse.ArgumentParser(
        "deploy/prove",
        description="Kill everything while jobs run, on private servers, and count what a witness saw.",
    )
    parser.add_argument("--jobs", type=_jobs, default=20_000, metavar="N", help="jobs to submit (default: 20000)")
    parser.add_argument("--against", choices=["dramatiq"], help="put stock Dramatiq through the same, beside Warren")
    parser.add_argument("--workers", type=_count, default=2, metavar="N", help="worker processes (default: 2)")
    parser.add_argument("--keep", action="store_true", help="keep the folder: witness, logs, the servers' data")
    asked = parser.parse_args(words)
    return Prove(asked.jobs, asked.against, asked.workers, asked.keep)


def parse_down(words: list[str], root: Path) -> Path:
    parsed = _parser("down", "Drain and stop all that `deploy/up` started; the data stays.", root).parse_args(words)
    return Path(parsed.data)


def read_dotenv(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    found = (ASSIGNMENT.match(line) for line in lines if not line.lstrip().startswith("#"))
    return {m[1]: next((part for part in m.groups()[1:] if part is not None), "") for m in found if m}


def _parser(command: str, description: str, root: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"deploy/{command}", description=description)
    parser.add_argument(
        "--data",
        type=Path,
        default=root / ".warren",
        metavar="DIR",
        help="data folder (default: .warren beside the code)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"a port is 1..65535, got {text!r}")
    return int(text)


def _grpc_port(text: str) -> int:
    return 0 if text == "0" else _port(text)


def _count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 256:
        raise argparse.ArgumentTypeError(f"1..256 worker processes, got {text!r}")
    return int(text)


def _jobs(text: str) -> int:
    if not text.isdigit() or not 100 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"100..1000000 jobs, got {text!r}")
    return int(text)


def _sources(text: str) -> tuple[str, ...]:
    named = tuple(word.strip() for word in text.split(","))
    if unknown := [word for word in named if word not in SOURCES]:
        raise argparse.ArgumentTypeError(f"unknown {', '.join(unknown)}; known: {', '.join(SOURCES)}")
    return named
