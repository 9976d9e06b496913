"""The receipts of a mail, where there are any to be had.

A job of the worker asks over its door; one in a child process, which has none to Postgres, over a connection of its own
for as long as the mail takes; under `run_inline` nothing is remembered.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from pydantic import ValidationError

from actors.configured import configured
from actors.context import Context, current
from persistence.receipts.receipts import Receipts
from persistence.store.database import Database
from wire.settings import Stores


@contextlib.asynccontextmanager
async def receipts(mark: str) -> AsyncIterator[Receipts | None]:
    """Of the mail with this mark."""
    job = current.get(None)
    if job is None or job.door is None:
        yield None
        return
    async with _database(job) as database:
        yield Receipts(database, job.job_id, job.lease, mark) if database else None


@contextlib.asynccontextmanager
async def _database(job: Context) -> AsyncIterator[Database | None]:
    at_hand = _at_hand(job)
    own = None if at_hand else _own()
    try:
        yield at_hand or own
    finally:
        if own is not None:
            await own.stop()


def _at_hand(job: Context) -> Database | None:
    try:
        return job.inner_door.database
    except RuntimeError:  # a child process, or run_inline
        return None


def _own() -> Database | None:
    try:
        return Database.of(configured(Stores), "mail", connections=1)
    except ValidationError:  # no process of ours has told where its stores are
        return None
