"""The place where backups are kept: the object store that artifacts know, at a place of its own.

The same keys open it as open the artifacts' store.  Parts are larger than an artifact's, for S3 takes ten thousand of
an upload: at 32 MiB that is a backup of 300 GB.  A folder that has to be made is nobody else's to look into.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Final

from persistence.artifacts.object_store import Held, ObjectStore
from wire.slices.artifacts import Artifacts

PART: Final = 32 * 1024 * 1024
LEAST_SECONDS: Final = 300.0  # for a part, on a line of a megabit
MOST_WORDS: Final = 64 * 1024  # bytes of a manifest


class Shelf:
    """One place, with a slash at its end."""

    def __init__(self, place: str, settings: Artifacts) -> None:
        seconds = max(settings.artifacts_timeout_seconds, LEAST_SECONDS)
        self.place = place
        self._store = ObjectStore(settings.at(place.rstrip("/"), seconds), part=PART)

    async def put(self, name: str, content: AsyncIterable[bytes]) -> None:
        """Whole or not at all."""
        if self._store.folder:
            _make(str(self._store.folder))
        await self._store.put(name, content)
        if self._store.folder:
            (self._store.folder / name).chmod(0o600)

    def read(self, name: str, size: int) -> AsyncIterator[bytes]:
        return self._store.read(name, 0, size)

    async def held(self) -> list[Held]:
        """What lies here, and not in a place below it."""
        if self._store.folder and not self._store.folder.is_dir():
            return []
        return await self._store.held()

    async def delete(self, names: Sequence[str]) -> None:
        await self._store.delete(names)

    async def stop(self) -> None:
        await self._store.stop()


def _make(folder: str) -> None:
    """With all that is above it; what is there keeps its mode."""
    if folder not in ("", "/") and not os.path.isdir(folder):
        _make(os.path.dirname(folder))
        os.mkdir(folder, 0o700)
