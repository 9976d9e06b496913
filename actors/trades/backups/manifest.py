"""What a backup is: written beside it when all of it is there, so that one without a manifest is none.

A backup's name is its series, when it was begun and the job that made it: `warren-20261121T190511Z-019a…`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from wire.errors import Refused

ENDING: Final = ".json"
_STEM: Final = re.compile(
    r"(?P<series>[\w.-]+)-(?P<at>\d{8}T\d{6}Z)-(?P<job>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_WHEN: Final = "%Y%m%dT%H%M%SZ"
Kind = Literal["database", "files"]


class Manifest(BaseModel):
    """As it lies beside its backup."""

    model_config = ConfigDict(extra="ignore")

    version: Literal[1] = 1
    kind: Kind
    series: str
    source: str  # the database's name, or the folder
    job_id: UUID
    created_at: datetime
    file: str
    size_bytes: int
    sha256: str
    content_bytes: int  # before it was packed
    content_sha256: str
    compression: Literal["zstd"] | None
    encryption: Literal["age"] | None
    recipient: str | None  # the public key that it is encrypted for
    left_out: list[str] = []  # of a folder: what could not be read as it was
    server_major: int | None = None  # of a database


class Stem:
    """The part of a name that a backup and its manifest have in common."""

    def __init__(self, series: str, at: datetime, job_id: UUID) -> None:
        self.series, self.at, self.job_id = series, at, job_id

    def __str__(self) -> str:
        return f"{self.series}-{self.at.strftime(_WHEN)}-{self.job_id}"


def stem(name: str) -> Stem | None:
    """Of a file's name; None if it is no backup's."""
    found = _STEM.match(name)
    if not found or name[found.end() : found.end() + 1] != ".":
        return None
    try:
        at = datetime.strptime(found["at"], _WHEN).replace(tzinfo=UTC)
    except ValueError:  # the 45th of a month
        return None
    return Stem(found["series"], at, UUID(found["job"]))


def read(said: bytes) -> Manifest:
    """Refused if it is none."""
    try:
        manifest = Manifest.model_validate_json(said)
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Refused("manifest", f"is no backup's: {where}: {first['msg']}") from None
    if "/" in manifest.file or stem(manifest.file) is None:
        raise Refused("manifest", "names a file that is no backup's")
    return manifest
