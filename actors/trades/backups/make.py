"""Make one backup: pack it onto the shelf, read it again, write its manifest, let go of older ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from actors.trades.backups.handover import Handover
from actors.trades.backups.manifest import ENDING, Kind, Manifest, Stem, read, stem
from actors.trades.backups.packing import Measured, Source, pack, recipient
from actors.trades.backups.retention import Keep, forget
from actors.trades.backups.unpacking import Coming, unpack
from actors.trades.folders import spelt
from persistence.backups.shelf import MOST_WORDS, Shelf
from wire.errors import Refused

MOST_NAMES: Final = 50  # of what was left out
SETTLE_SECONDS: Final = 10.0  # for a thread that was let go
Told = Callable[[float | None, str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is backed up, and how."""

    kind: Kind
    series: str
    source: str
    job_id: UUID
    now: datetime
    compression: bool
    key: str  # empty: not encrypted
    server_major: int | None = None

    @property
    def stem(self) -> Stem:
        return Stem(self.series, self.now, self.job_id)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup, and what it took the place of."""

    manifest: Manifest
    name: str  # of the manifest
    opened: bool  # again, after it was written; with a public key only its sum can be compared
    removed: list[str]


class Damaged(Exception):
    """What was read again is not what was written; another attempt writes another."""


async def make(shelf: Shelf, order: Order, begin: Callable[[], Source], keep: Keep, told: Told) -> Made:
    """Once for a job: an attempt that finds the backup of an earlier one there gives that back."""
    found = await _of_this_job(shelf, order)
    manifest = found or await _written(shelf, order, begin, told)
    opened = await _read_again(shelf, manifest, order.key, told)
    made = Stem(manifest.series, manifest.created_at, manifest.job_id)
    name = f"{made}{ENDING}"
    if not found:
        await shelf.put(name, _once(manifest.model_dump_json(indent=2).encode()))
    return Made(manifest, name, opened, await forget(shelf, made, keep, order.now))


async def told_manifest(shelf: Shelf, name: str, size: int) -> Manifest:
    """As it lies on the shelf; Refused if it is none."""
    if size > MOST_WORDS:
        raise Refused("manifest", f"{name} has {size} bytes, which no manifest has")
    return read(b"".join([piece async for piece in shelf.read(name, size)]))


async def _of_this_job(shelf: Shelf, order: Order) -> Manifest | None:
    held = {one.key: one.size_bytes for one in await shelf.held()}
    for name, size in held.items():
        found = stem(name)
        if found and (found.series, found.job_id) == (order.series, order.job_id) and name.endswith(ENDING):
            manifest = await told_manifest(shelf, name, size)
            return manifest if held.get(manifest.file) == manifest.size_bytes else None
    return None


async def _written(shelf: Shelf, order: Order, begin: Callable[[], Source], told: Told) -> Manifest:
    public = str(await asyncio.to_thread(recipient, order.key)) if order.key else None
    source = await begun(begin)
    endings = [source.extension, *["zst"] * order.compression, *["age"] * bool(order.key)]
    file = ".".join([str(order.stem), *endings])
    handover, measured = await _stored(shelf, file, source, order, told)
    return Manifest(
        kind=order.kind, series=order.series, source=order.source, job_id=order.job_id, created_at=order.now, file=file,
        size_bytes=handover.size, sha256=handover.sha256, content_bytes=measured.size, content_sha256=measured.sha256,
        left_out=[spelt(name) for name in sorted(set(source.left))[:MOST_NAMES]],
        compression="zstd" if order.compression else None,
        encryption="age" if order.key else None, recipient=public,
        server_major=order.server_major,
    )  # fmt: skip


async def begun(begin: Callable[[], Source]) -> Source:
    """A source may be a program that runs already: whoever is cancelled meanwhile ends it."""
    beginning = asyncio.ensure_future(asyncio.to_thread(begin))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):  # it has not begun at all
            (await beginning).close()
        raise


async def _stored(shelf: Shelf, file: str, source: Source, order: Order, told: Told) -> tuple[Handover, Measured]:
    """Whole, or not at all and with what went wrong on whichever side."""
    handover = Handover()

    def work() -> Measured:
        try:
            measured = pack(source, handover, order.key, _counting(told), compression=order.compression)
        except Exception as e:
            handover.end(e)
            raise
        handover.end()
        return measured

    packing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await shelf.put(file, aiter(handover))
        return handover, await packing
    finally:
        handover.abandon()
        source.stop()
        await asyncio.wait({packing}, timeout=SETTLE_SECONDS)
        packing.cancel()
        source.close()


async def _read_again(shelf: Shelf, manifest: Manifest, key: str, told: Told) -> bool:
    """Whether it was opened, too; Damaged if it cannot be restored as it is."""
    can_open = not manifest.encryption or key.startswith("AGE-SECRET-KEY-")
    told(None, "reading it again")
    looked = manifest if can_open else _sealed(manifest)
    coming = Coming(shelf.read(manifest.file, manifest.size_bytes), asyncio.get_running_loop())
    try:
        await asyncio.to_thread(unpack, coming, looked, key, None)
    except Refused as e:
        raise Damaged(f"{shelf.place}{manifest.file}: {e}") from None
    return can_open


def _sealed(manifest: Manifest) -> Manifest:
    """As who cannot open it looks at it: its content is what lies there."""
    within = {"content_bytes": manifest.size_bytes, "content_sha256": manifest.sha256}
    return manifest.model_copy(update={**within, "compression": None, "encryption": None})


def _counting(told: Told) -> Callable[[int], None]:
    return lambda size: told(None, f"{size / 1e6:.1f} MB read")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
