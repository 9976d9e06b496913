"""What is to be restored, and how its bytes come: both halves of a restore need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from actors.trades.backups.manifest import Manifest
from actors.trades.backups.packing import Sink
from actors.trades.backups.unpacking import Coming, unpack
from persistence.backups.shelf import Shelf

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be restored, and where to."""

    backup: str  # its address, its manifest's, or a place: then the newest there
    to: str  # postgresql://… or a folder
    force: bool = False
    owners: bool = False


class RestoreFailed(Exception):
    """Postgres' programs have said why; nothing has been changed."""


async def through(shelf: Shelf, manifest: Manifest, key: str, sink: Sink | None) -> None:
    """All of it, opened and compared with its sums."""
    coming = Coming(shelf.read(manifest.file, manifest.size_bytes), asyncio.get_running_loop())
    await asyncio.to_thread(unpack, coming, manifest, key, sink)
