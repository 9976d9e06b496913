"""What the gateway answers about artifacts; their bytes are another route's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from gateway.answers.jobs import JOBS
from gateway.entrance.cursor import Cursor
from persistence.artifacts import artifact
from persistence.artifacts.artifact import Kind

ARTIFACTS: Final = "/api/v1/artifacts"


class ArtifactLinks(Struct, frozen=True):
    this: Annotated[str, Meta(description="Its bytes")] = msgspec.field(name="self")
    job: str


class Artifact(Struct, frozen=True):
    """Bytes that a job has left behind."""

    id: UUID
    job_id: UUID
    attempt: Annotated[int, Meta(description="The attempt that has saved it")]
    kind: Annotated[Kind, Meta(description="`result` is a result that was too large for the job's row")]
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    links: ArtifactLinks


class ArtifactList(Struct, frozen=True):
    items: list[Artifact]
    next_cursor: Cursor


def told(found: artifact.Artifact) -> Artifact:
    links = ArtifactLinks(f"{ARTIFACTS}/{found.id}", f"{JOBS}/{found.job_id}")
    return Artifact(
        found.id, found.job_id, found.attempt, found.kind, found.name, found.content_type, found.size_bytes,
        found.sha256, found.created_at, links,
    )  # fmt: skip
