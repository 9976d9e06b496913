"""`backup_task`: keeps a copy of the database or of a folder where it can be restored from.

In a child process: it compresses and encrypts for as long as it runs.  docs/backup.md says how to restore.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from actors.configured import configured
from actors.context import context, progress
from actors.ends import PermanentError
from actors.job import job
from actors.trades.backups.dump import Dump
from actors.trades.backups.folder import Folder
from actors.trades.backups.make import Made, Order, make
from actors.trades.backups.packing import Source
from actors.trades.backups.places import Place, place, schema
from actors.trades.backups.retention import Keep
from actors.trades.folders import Roots
from persistence.backups.server import facts_of
from persistence.backups.shelf import Shelf
from wire.errors import Refused
from wire.settings import Stores
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup

MOST_NAMES: Final = 100
NO_KEY: Final = "asks for encryption, and this Warren has no key for it"
NOT_OF_A_DATABASE: Final[JsonDict] = {
    "not": {"type": "string"},
    "x-problem": "is of files; the database is Warren's own",
}
SET_A_KEY: Final = "set WARREN_BACKUP_KEY to an age key, or leave encryption out"


def _as_there_is_a_key(schema: dict[str, Any]) -> None:
    """Without one the doors refuse who asks for it: the schema is made when the worker has its settings."""
    if not configured(Backup).key.get_secret_value():
        schema.update({"not": {"const": True}, "x-problem": NO_KEY, "x-remedy": SET_A_KEY})


class BackupOrder(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "backup_type": "database",
                    "destination": "s3://backups/db/",
                    "compression": True,
                    "encryption": True,
                }
            ],
            "if": {"properties": {"backup_type": {"const": "files"}}, "required": ["backup_type"]},
            "then": {"required": ["source"], "properties": {"source": {"type": "string"}}},
            "else": {"properties": {"source": NOT_OF_A_DATABASE}},
        },
    )

    backup_type: Literal["database", "files"] = Field(
        description="database: Warren's own, with pg_dump; files: a folder, as a tar"
    )
    destination: str = Field(
        min_length=1, max_length=1_000,
        description="s3://bucket/prefix/, gs://…, az://… or file:///folder/, within the places of WARREN_BACKUP_PLACES",
        json_schema_extra=lambda said: said.update(schema(configured(Backup))),
    )  # fmt: skip
    source: str | None = Field(
        None, max_length=4_096, description="Of files: the folder, one of WARREN_BACKUP_FOLDERS or below one",
        json_schema_extra=lambda said: said.update(_folders().schema()),
    )  # fmt: skip
    compression: bool = Field(True, description="With zstd")
    encryption: bool = Field(False, description="With age, for WARREN_BACKUP_KEY", json_schema_extra=_as_there_is_a_key)
    name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="What the backup's files are called; the database's name"
    )
    keep: int | None = Field(None, ge=1, le=10_000, description="Delete older backups of that name beyond so many")
    retention_days: float | None = Field(
        None,
        gt=0,
        le=36_500,
        description="Delete backups of that name that are older; with `keep` at least so many stay",
    )


class BackedUp(BaseModel):
    """A backup that can be restored."""

    backup_type: str = Field(description="As it was asked for")
    destination: str = Field(description="As it was asked for")
    location: str = Field(description="Where it really is")
    stand_in: bool = Field(description="Whether another place stands in for the destination")
    manifest: str = Field(description="Where it is told what the backup is")
    size_bytes: int = Field(description="As it is kept")
    sha256: str = Field(description="Its sum, as it is kept")
    content_bytes: int = Field(description="Before it was packed")
    compression: Literal["zstd"] | None = Field(description="In which format")
    encryption: Literal["age"] | None = Field(description="In which format")
    recipient: str | None = Field(description="The public key that it is encrypted for")
    verified: Literal["opened", "sum"] = Field(description="How it was read again: opened, or its sum compared")
    left_out: list[str] = Field(description="Of files: what could not be read, and what became shorter meanwhile")
    removed: list[str] = Field(description="Older backups that were deleted: the first hundred files")
    created_at: datetime = Field(description="When it was begun: it holds what was there then")
    restore: str = Field(description="The command that restores it")


@job("backup_task", timeout=4 * 3_600, isolation="process")
async def back_up(payload: BackupOrder) -> BackedUp:
    """Back up the database or a folder to where it can be restored from, compressed and encrypted."""
    settings = configured(Backup)
    where, key = place(payload.destination, settings), _key(payload, settings)
    of_files = payload.backup_type == "files"
    made = await (_of_files(payload, where, key) if of_files else _of_database(payload, where, key))
    progress(1.0, f"{made.manifest.content_bytes / 1e6:.1f} MB kept in {made.manifest.size_bytes / 1e6:.1f}")
    return _told(payload, where, made)


async def _of_database(payload: BackupOrder, where: Place, key: str) -> Made:
    if payload.source is not None:
        raise PermanentError(f"payload.source: {NOT_OF_A_DATABASE['x-problem']}")
    url = configured(Stores).database_url.get_secret_value()
    known = await facts_of(url)
    order = _order(payload, known.name, key, server_major=known.major)
    return await _make(where, order, lambda: Dump(url, known.major, configured(Backup).programs), _keep(payload))


async def _of_files(payload: BackupOrder, where: Place, key: str) -> Made:
    if payload.source is None:
        raise PermanentError("payload.source: is missing; name the folder to back up")
    folder = _folders().place(payload.source)
    return await _make(where, _order(payload, folder.path, key), lambda: Folder(folder), _keep(payload))


def _order(payload: BackupOrder, source: str, key: str, server_major: int | None = None) -> Order:
    return Order(
        kind=payload.backup_type, series=payload.name or _plain(source.rpartition("/")[2]), source=source,
        job_id=context().job_id, now=datetime.now(UTC).replace(microsecond=0), compression=payload.compression,
        key=key, server_major=server_major,
    )  # fmt: skip


def _folders() -> Roots:
    outside = "is in none of the folders that jobs may back up"
    return Roots("payload.source", outside, "WARREN_BACKUP_FOLDERS", configured(Backup).folders)


async def _make(where: Place, order: Order, begin: Callable[[], Source], keep: Keep) -> Made:
    shelf = Shelf(where.lies, configured(Artifacts))
    try:
        return await make(shelf, order, begin, keep, progress)
    except Refused as e:
        raise PermanentError(str(e)) from None
    finally:
        await shelf.stop()


def _key(payload: BackupOrder, settings: Backup) -> str:
    if not payload.encryption:
        return ""
    if not settings.key.get_secret_value():
        raise PermanentError(f"payload.encryption: {NO_KEY}; {SET_A_KEY}")
    return settings.key.get_secret_value()


def _keep(payload: BackupOrder) -> Keep:
    days = payload.retention_days
    return Keep(payload.keep, None if days is None else timedelta(days=days))


def _plain(name: str) -> str:
    """As a file may be called."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_.-") else "_" for sign in name)[:64]


def _told(payload: BackupOrder, where: Place, made: Made) -> BackedUp:
    manifest = made.manifest
    location = where.of(manifest.file)
    return BackedUp(
        backup_type=payload.backup_type, destination=payload.destination, location=location,
        stand_in=where.asked != where.lies, manifest=where.of(made.name), size_bytes=manifest.size_bytes,
        sha256=manifest.sha256, content_bytes=manifest.content_bytes, compression=manifest.compression,
        encryption=manifest.encryption, recipient=manifest.recipient, verified="opened" if made.opened else "sum",
        left_out=manifest.left_out, removed=made.removed[:MOST_NAMES], created_at=manifest.created_at,
        restore=f"warren restore {location} --to …",
    )  # fmt: skip
