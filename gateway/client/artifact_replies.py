"""What the gateway answers about artifacts, as a program reads it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Artifact(Struct, frozen=True, kw_only=True):
    """Bytes that a job has left behind."""

    id: UUID
    job_id: UUID
    attempt: int
    kind: str = "saved"
    name: str
    content_type: str
    size_bytes: int
    sha256: str = ""
    created_at: datetime


class ArtifactPage(Struct, frozen=True):
    """Some artifacts, oldest first; `next_cursor` asks for the next ones."""

    items: tuple[Artifact, ...]
    next_cursor: str | None = None
