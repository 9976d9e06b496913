"""The broker's epoch: a UUID that RabbitMQ holds in a durable queue and Postgres among its pins.

A broker that has lost its disk holds none, or another one; then every waiting job's message is gone, and each gets a
fresh one.  The broker is given the epoch only after all their outbox rows are committed, so a crash in the middle
repeats the whole, which costs messages and loses none.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from persistence.declared.pins import pin, pinned
from persistence.mending.rescue import PER_SECOND
from persistence.store.database import Database
from persistence.waits import WAITING

NAME: Final = "epoch"
LOCK: Final = 7_267_748  # one number for "somebody compares the epochs"
FIRST: Final = UUID(int=0)

_SEND_AGAIN = f"""
WITH seen AS MATERIALIZED (
  -- of all jobs, not only of those that wait: how many rows a call reads must not depend on how many wait among them
  SELECT id, state FROM jobs WHERE id > $1 ORDER BY id LIMIT $2
), locked AS MATERIALIZED (
  SELECT id FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM seen WHERE {WAITING})) AND {WAITING} ORDER BY id FOR UPDATE
), turned AS (
  UPDATE jobs j SET run = j.run + 1 FROM locked WHERE j.id = locked.id
  RETURNING j.id, j.run, coalesce(j.next_attempt_at, j.scheduled_for) AS due_at
), posted AS (
  INSERT INTO outbox (job_id, run, due_at, because, publish_after)
  SELECT id, run, due_at, 'the broker lost its disk',
         clock_timestamp() + ($3 + row_number() OVER (ORDER BY id)) * interval '1 second' / {PER_SECOND}
    FROM turned ORDER BY id
)
SELECT count(*) AS sent, (SELECT id FROM seen ORDER BY id DESC LIMIT 1) AS last FROM turned
"""  # noqa: S608 - made of constants


async def known(database: Database) -> UUID | None:
    """The epoch that Postgres holds."""
    value = await pinned(database, NAME)
    return UUID(value) if value else None


async def ours(database: Database, proposal: UUID) -> UUID:
    """The epoch that Postgres holds; the proposal from now on, if it held none."""
    return UUID(await pin(database, NAME, str(proposal)))


async def send_again(database: Database, after: UUID, limit: int, before: int) -> tuple[int, UUID | None]:
    """Look at so many jobs and send those that wait again; how many, and where to go on: None at the end.

    `before` says how many have been sent already: they go out one after the other, not all at once.
    """
    row = await database.fetch_one(_SEND_AGAIN, after, limit, before)
    assert row is not None
    return int(row["sent"]), row["last"]
