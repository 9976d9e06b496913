"""List an artifact no longer; its bytes go with the next sweep.

`DOOM` is a part of the statements that delete jobs, so that no artifact outlives its job.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from persistence.store.database import Database

DOOM: Final = "UPDATE artifacts SET state = 'doomed', sweep_after = clock_timestamp() WHERE state = 'kept' AND"
_DOOM_ONE = f"{DOOM} id = $1 RETURNING id"


async def doom(database: Database, artifact_id: UUID) -> bool:
    """False if there was none."""
    return bool(await database.fetch(_DOOM_ONE, artifact_id))
