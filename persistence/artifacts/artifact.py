"""What an artifact is, and which names and types are taken.

Its name is a label and never a path: where the bytes lie is made of ids alone.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from persistence.store.database import Row
from wire.errors import Refused

MOST_NAME: Final = 255  # characters
MOST_CONTENT_TYPE: Final = 200
UNKNOWN_TYPE: Final = "application/octet-stream"

_CONTENT_TYPE: Final = re.compile(
    r"""[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(\s*;\s*[\w!#$&^.+-]+=("[\w !#$&^.+:/,=-]*"|[\w!#$&^.+:-]+))*""",
    re.ASCII,
)


class Kind(StrEnum):
    """Who has made it."""

    SAVED = "saved"  # the job, by `save_artifact`
    RESULT = "result"  # we, of a result that is too large for a row


@dataclass(frozen=True, slots=True)
class Artifact:
    """One that is kept."""

    id: UUID
    job_id: UUID
    attempt: int
    kind: Kind
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    key: str  # where its bytes are

    @classmethod
    def of(cls, row: Row) -> Artifact:
        return cls(
            row["id"], row["job_id"], row["attempt"], Kind(row["kind"]), row["name"], row["content_type"],
            row["size_bytes"], row["sha256"].hex(), row["created_at"], row["key"],
        )  # fmt: skip


def checked_name(name: str) -> str:
    """The name, or Refused."""
    if not isinstance(name, str) or not name.strip() or len(name) > MOST_NAME:
        raise Refused("name", f"is not a text of 1 to {MOST_NAME} characters", 'name it as a file, like "page.html"')
    if not name.isprintable():
        raise Refused("name", f"{name[:60]!r} holds what cannot be printed", "leave out line breaks and control signs")
    return name


def checked_type(name: str, content_type: str | None) -> str:
    """The content type, by the ending of the name where none is given; or Refused."""
    if content_type is None:
        return mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    if len(content_type) > MOST_CONTENT_TYPE or not _CONTENT_TYPE.fullmatch(content_type):
        remedy = 'write it as "text/html" or "text/html; charset=utf-8"'
        raise Refused("content_type", f"{content_type[:60]!r} is not a media type", remedy)
    return content_type
