"""Read an artifact into a file of the job that asks for it.

Only what is listed can be read: the bytes of an upload that is under way, or was cut off, are nobody's.  The file bears
the artifact's name, so that whoever reads on knows what it is; a name is a label, so what could lead elsewhere is
taken out of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final
from uuid import UUID

from actors.context import Wanted
from actors.ends import PermanentError
from actors.scratch import file_name
from persistence.artifacts.object_store import ObjectStore
from persistence.store.database import Database
from wire.errors import ObjectStoreUnavailable

LEFT: Final = "it may have been replaced, deleted or retired, or its job may be saving it still"


async def read(database: Database, store: ObjectStore, wanted: Wanted, folder: Path) -> Path:
    """The file; PermanentError if there is nothing to read, Unavailable if the bytes cannot be had now."""
    from persistence.questions import artifacts  # noqa: PLC0415 - few jobs read one

    found = await artifacts.one(database, wanted.id)
    if found is None:
        raise PermanentError(f"{wanted.field}: there is no artifact {wanted.id}; {LEFT}")
    check_size(wanted, found.size_bytes)
    file = await asyncio.to_thread(place, folder, found.id, found.name)
    if file.exists():  # it is renamed when it is whole, and never changes
        return file
    return await write(file, store.read(found.key, 0, found.size_bytes), found.size_bytes)


def check_size(wanted: Wanted, size: int) -> None:
    if wanted.most_bytes is not None and size > wanted.most_bytes:
        raise PermanentError(f"{wanted.field}: has {size} bytes; at most {wanted.most_bytes} are taken")


def place(folder: Path, artifact_id: UUID, name: str) -> Path:
    """Where its file goes: in a folder for each, for two may have one name."""
    own = folder / str(artifact_id)
    own.mkdir(0o700, exist_ok=True)
    return own / file_name(name)


async def write(file: Path, pieces: AsyncIterable[bytes], size: int) -> Path:
    """Write it beside its place, and there when it is whole."""
    half, written = file.with_name(f".{file.name}.{id(pieces)}"), 0
    with await asyncio.to_thread(half.open, "xb") as out:
        async for piece in pieces:
            written += await asyncio.to_thread(out.write, piece)
    if written != size:
        raise ObjectStoreUnavailable(f"the object store gave {written} of {size} bytes")
    return await asyncio.to_thread(half.replace, file)
