"""Who is on trial, as data: its servers, its processes, its producer, its work queue, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.proof.ledger import Recorded
from deploy.running.folder import Folder
from deploy.running.supervise import Role
from deploy.servers.instance import Instance


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    folder: Folder
    servers: Sequence[Instance]
    roles: Sequence[Role]
    environ: dict[str, str]
    producer: list[str]
    queue: str  # where its messages wait
    missing: Callable[[], str | None]  # what is still missing before it could do a job
    recorded: Callable[[], Recorded] | None  # what it has written down; None: it keeps no record

    @property
    def witness(self) -> Path:
        return self.folder.path / "witness"

    def has(self, role_or_server: str) -> bool:
        return role_or_server in {*(role.name for role in self.roles), *(server.name for server in self.servers)}
