"""`cleanup_task`: deletes old files in the folders where jobs may, and tells what went.

It runs on a thread: a walk waits for the disk and for nothing else.  Trying it again does no harm, for what has gone is
not there any more.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from actors.configured import configured
from actors.context import cancelled, progress
from actors.job import job
from actors.trades.cleaning.account import Account
from actors.trades.cleaning.sorts import Kind, Sort, patterns
from actors.trades.cleaning.walk import Walk, mount
from actors.trades.folders import Roots
from wire.slices.cleanup import Cleanup

DAY: Final = 86_400.0
EVERY: Final = 256  # names between two words of progress
Pattern = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\x00]+$")]


class Cleaning(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"cleanup_type": "temp_files", "retention_days": 7, "path": "/tmp/application_cache"}]  # noqa: S108
        },
    )

    cleanup_type: Kind = Field(
        "temp_files",
        description="temp_files: what was not written since; cache: neither written nor read; logs: files named like "
        "logs; empty_folders: folders with nothing in them",
    )
    retention_days: float = Field(7, ge=0, le=36_500, description="What is younger stays")
    path: str = Field(
        max_length=4_096, description="A folder in which jobs may delete (WARREN_CLEANUP_ROOTS)",
        json_schema_extra=lambda said: said.update(_roots().schema()),
    )  # fmt: skip
    patterns: list[Pattern] = Field(
        default_factory=list, max_length=50, description="Only files whose names fit one of these, as *.tmp does"
    )
    dry_run: bool = Field(False, description="Tell what would go and delete nothing")


class Cleaned(BaseModel):
    """What went, or on a dry run would go."""

    cleanup_type: str = Field(description="As it was asked for")
    path: str = Field(description="As it was asked for")
    found: bool = Field(description="Whether there is such a folder")
    dry_run: bool = Field(description="Whether nothing was deleted")
    older_than: datetime = Field(description="What was touched since stays")
    seen: int = Field(description="Files and folders looked at")
    deleted: int = Field(description="Files that went")
    deleted_folders: int = Field(description="Folders that went, empty by then")
    freed_bytes: int = Field(description="What the disk has back; a file with another name frees nothing")
    first: list[str] = Field(description="The first names of what went, from the folder on")
    not_deleted: int = Field(description="What should have gone and could not, or could not be looked into")
    left: list[dict[str, str]] = Field(description="The first of these, and why")


@job("cleanup_task", timeout=3_600)
def clean(payload: Cleaning) -> Cleaned:
    """Delete files that are older than so many days in a folder where jobs may."""
    sort = Sort(payload.cleanup_type, time.time() - payload.retention_days * DAY, patterns(payload.patterns))
    account = Account()
    folder = _roots().place(payload.path).opened()
    if folder is not None:
        try:
            Walk(sort, payload.dry_run, cancelled, _tell, account, mount(folder)).through(folder)
        finally:
            os.close(folder)
    progress(1.0, _words(account))
    return _told(payload, sort, account, found=folder is not None)


def _roots() -> Roots:
    outside = "is in none of the folders that jobs may clean"
    return Roots("payload.path", outside, "WARREN_CLEANUP_ROOTS", configured(Cleanup).roots)


def _tell(account: Account) -> None:
    if account.seen % EVERY == 1:
        progress(note=_words(account))


def _words(account: Account) -> str:
    return f"{account.files} of {account.seen} went, {account.bytes / 1e6:.1f} MB"


def _told(payload: Cleaning, sort: Sort, account: Account, *, found: bool) -> Cleaned:
    return Cleaned(
        cleanup_type=payload.cleanup_type, path=payload.path, found=found, dry_run=payload.dry_run,
        older_than=datetime.fromtimestamp(sort.before, UTC), seen=account.seen, deleted=account.files,
        deleted_folders=account.folders, freed_bytes=account.bytes, first=account.first,
        not_deleted=account.left_count, left=account.left,
    )  # fmt: skip
