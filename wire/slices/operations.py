"""The settings of the operations that the job type `custom` comes with."""

from __future__ import annotations

from pydantic import Field

from wire.slices import Slice


class Operations(Slice):
    """The sample operation of `custom`; read by the workers."""

    migration_folder: str = Field(
        "", description="Folder of the SQLite databases of `data_migration`; by default one among temporary files"
    )
