"""What of a job's mail has been taken: asked before it is handed over, written as soon as a server has said yes.

Written by whoever was told, with a lease or without: that a mail has gone is true whoever sent it.  Asked for by the
job's current attempt alone, so that one that was frozen does not send what another has sent meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from persistence.store.database import Database

_KNOWN: Final = """
SELECT (SELECT accepted FROM receipts WHERE job_id = $1 AND mail = $2) AS accepted,
       EXISTS (SELECT FROM jobs WHERE id = $1 AND lease = $3 AND state = 'running') AS ours
"""

_KEEP: Final = """
INSERT INTO receipts AS r (job_id, mail, accepted) VALUES ($1, $2, $3)
    ON CONFLICT (job_id, mail) DO UPDATE
   SET accepted = r.accepted || ARRAY(SELECT unnest(excluded.accepted) EXCEPT SELECT unnest(r.accepted))
"""


class TakenOver(Exception):
    """Another attempt has the job by now, and sends its mail."""


class Receipts:
    """Of one mail, as one attempt asks for them."""

    def __init__(self, database: Database, job_id: UUID, lease: int, mail: str) -> None:
        self._database, self._job, self._lease, self._mail = database, job_id, lease, mail

    async def known(self) -> frozenset[str]:
        """The addresses for which it has been taken; TakenOver if that is another attempt's to ask."""
        row = await self._database.fetch_one(_KNOWN, self._job, self._mail, self._lease)
        assert row is not None
        if not row["ours"]:
            raise TakenOver("another attempt of this job sends its mail")
        return frozenset(row["accepted"] or ())

    async def keep(self, accepted: Sequence[str]) -> None:
        await self._database.fetch(_KEEP, self._job, self._mail, list(accepted))
