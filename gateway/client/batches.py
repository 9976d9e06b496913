"""What a client does with batches: make one, add to it, close it, wait for it, and do to all its jobs at once.

A batch gets its id here, before the first try, and is sent again byte for byte: an answer that was lost never makes a
second batch.  Whether all of it was taken or nothing, and when it has ended, is for the gateway to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from gateway.client.failures import BatchFailed, BatchStillOpen, NotConfirmed
from gateway.client.link import Link, PerhapsDone, PerhapsGone, path_of
from gateway.client.many import submit_many
from gateway.client.replies import Batch, BatchPage, Item
from wire.envelope import Envelope, encode
from wire.errors import Unavailable
from wire.identity import fresh_id

BATCHES: Final = "/api/v1/batches"
SHORTEST_LOOK_SECONDS: Final = 0.1
LONGEST_LOOK_SECONDS: Final = 1.0  # a batch's end is written down within a second anyway
LONGER: Final = 1.5  # each pause than the one before


class BatchCalls:
    """The calls of a client that are about batches."""

    _link: Link
    _patience: float

    async def submit_batch(
        self,
        jobs: Iterable[Envelope] = (),
        *,
        id: UUID | str | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        open: bool = False,
        on_complete: Envelope | None = None,
        on_failure: Envelope | None = None,
    ) -> Batch:
        """Submit jobs made by `new_job` that belong together, all or none; the batch as it stands then.

        With `open` it takes more of them until it is closed.  The callbacks are made by `new_job` too.
        """
        batch_id = fresh_id() if id is None else UUID(str(id))
        said = {
            "id": batch_id,
            "name": name,
            "tags": list(tags) or None,
            "open": open or None,
            "jobs": [msgspec.Raw(encode(job)) for job in jobs] or None,
            "on_complete": _callback(on_complete),
            "on_failure": _callback(on_failure),
        }
        body = msgspec.json.encode({field: value for field, value in said.items() if value is not None})
        try:
            return _batch((await self._link.ask("POST", BATCHES, body))[0])
        except Unavailable as e:
            raise NotConfirmed(batch_id, None, str(e), what="batch") from e

    async def add_to_batch(self, batch_id: UUID | str, jobs: Iterable[Envelope]) -> tuple[Item, ...]:
        """Submit jobs to an open batch as `submit_many` does, with a word for each."""
        return await submit_many(self._link, jobs, self._patience, where=f"{path_of(BATCHES, batch_id)}/jobs")

    async def close_batch(self, batch_id: UUID | str) -> Batch:
        """Let an open batch take no more jobs, and end with its last one."""
        return await self._change_batch(batch_id, "close")

    async def batch(self, batch_id: UUID | str) -> Batch:
        """The batch as it stands, or NotFound."""
        return _batch((await self._link.ask("GET", path_of(BATCHES, batch_id)))[0])

    async def batches(
        self,
        *,
        state: str | None = None,
        name: str | None = None,
        tag: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> BatchPage:
        """A page of batches, newest first."""
        said = {"state": state, "name": name, "tag": tag, "since": since, "limit": limit, "cursor": cursor}
        return msgspec.json.decode((await self._link.ask("GET", BATCHES, None, said))[0], type=BatchPage)

    async def wait_for_batch(self, batch_id: UUID | str, *, within: float = 60.0) -> Batch:
        """The batch once all its jobs have completed; BatchFailed if it ended otherwise, else BatchStillOpen."""
        deadline, pause = time.monotonic() + within, SHORTEST_LOOK_SECONDS
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            body, _ = await self._link.ask("GET", path_of(BATCHES, batch_id), patience_seconds=max(left, 1.0))
            batch = _batch(body)
            if batch.finished and batch.state == "completed":
                return batch
            if batch.finished:
                raise BatchFailed(batch)
            if not left:
                raise BatchStillOpen(batch, within)
            await asyncio.sleep(min(pause, left))
            pause = min(pause * LONGER, LONGEST_LOOK_SECONDS)

    async def cancel_batch(self, batch_id: UUID | str) -> Batch:
        """Cancel what waits of it, ask what runs to end, and take no more jobs; the batch as it stands then."""
        return await self._change_batch(batch_id, "cancel")

    async def retry_batch(
        self, batch_id: UUID | str, *, state: Literal["failed", "cancelled", "expired", "all"] = "failed"
    ) -> Batch:
        """Send its jobs that ended like this again; the batch as it stands then."""
        return await self._change_batch(batch_id, "retry", state)

    async def delete_batch(self, batch_id: UUID | str) -> Batch | None:
        """Delete a batch that has ended, with its jobs: None; cancel one that lives: the batch as it stands then."""
        try:
            body, _ = await self._link.ask("DELETE", path_of(BATCHES, batch_id))
        except PerhapsGone:
            return None
        return _batch(body) if body else None

    async def _change_batch(self, batch_id: UUID | str, verb: str, state: str | None = None) -> Batch:
        path = f"{path_of(BATCHES, batch_id)}/{verb}"
        try:
            return _batch((await self._link.ask("POST", path, None, {"state": state}))[0])
        except PerhapsDone:
            return await self.batch(batch_id)


def _callback(job: Envelope | None) -> msgspec.Raw | None:
    """Its id derives from the batch and the number of its end, so it brings none."""
    return None if job is None else msgspec.Raw(encode(replace(job, id=None)))


def _batch(body: bytes) -> Batch:
    return msgspec.json.decode(body, type=Batch)
