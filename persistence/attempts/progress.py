"""Write how far running jobs are: a batch at a time, only where the lease still holds, the last word counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from persistence.store.database import Database


@dataclass(frozen=True, slots=True)
class Progress:
    """What a job has said of itself."""

    job_id: UUID
    lease: int
    fraction: float | None
    note: str | None


_WRITE = """
WITH given AS (SELECT * FROM unnest($1::uuid[], $2::int[], $3::float8[], $4::text[]) AS g(id, lease, fraction, note)),
locked AS MATERIALIZED (SELECT id FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE)
UPDATE jobs j SET progress = coalesce(g.fraction, j.progress), note = coalesce(g.note, j.note)
  FROM given g JOIN locked USING (id) WHERE j.id = g.id AND j.lease = g.lease AND j.state = 'running'
"""


async def write(database: Database, said: Sequence[Progress]) -> None:
    if said:
        columns = zip(*[(p.job_id, p.lease, p.fraction, _storable(p.note)) for p in said], strict=True)
        await database.fetch(_WRITE, *map(list, columns))


def _storable(note: str | None) -> str | None:
    return None if note is None else note.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:500]
