"""Who stands for whom: a job that asks to be unique is compared with the last one of its key.

A key's row is locked by whoever asks, in the order of the keys, until the asker's own job is committed; so of a hundred
that ask at once one is made.  Nothing is written when a job ends: whether the holder still counts (its state, its age,
whether there is a row at all) is looked up when somebody asks, so jobs that never ask pay nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from persistence.accepting.submission import Submission
from persistence.store.database import Row
from wire.states import State


@dataclass(frozen=True, slots=True)
class Held:
    """Another job stands for this submission."""

    submission: Submission
    job_id: UUID
    state: State
    created_at: datetime | None  # None: it is made in the same transaction
    traceparent: str


# A row that is there already is written as it was: that locks it, and returns it as the last one left it
_TAKE = """
INSERT INTO unique_jobs AS u (key, job_id)
SELECT DISTINCT ON (key) key, id FROM unnest($1::bytea[], $2::uuid[]) WITH ORDINALITY AS g(key, id, number)
 ORDER BY key, number
    ON CONFLICT (key) DO UPDATE SET job_id = u.job_id
RETURNING key, job_id
"""

# A statement of its own: its snapshot is younger than the locks
_HOLDERS = """
SELECT id, state, created_at, traceparent,
       extract(epoch FROM clock_timestamp() - created_at)::float8 AS age_seconds
  FROM jobs WHERE id = ANY($1)
"""

_MOVE = """
UPDATE unique_jobs u SET job_id = g.id FROM unnest($1::bytea[], $2::uuid[]) AS g(key, id) WHERE u.key = g.key
"""


async def contest(transaction: asyncpg.Connection, submissions: Sequence[Submission]) -> list[Held]:
    """Those that another job stands for; the keys of the others are theirs when the caller's transaction commits."""
    asking = [s for s in submissions if s.unique is not None]
    if not asking:
        return []
    keys = [s.unique.key for s in asking if s.unique]
    taken = await transaction.fetch(_TAKE, keys, [s.id for s in asking])
    holders = {row["key"]: row["job_id"] for row in taken}
    found = await transaction.fetch(_HOLDERS, [*holders.values(), *(s.id for s in asking)])
    jobs = {row["id"]: row for row in found}
    held, fresh = _judge(asking, holders, jobs)
    if fresh:
        await transaction.execute(_MOVE, list(fresh), [submission.id for submission in fresh.values()])
    return held


def _judge(
    asking: Sequence[Submission], holders: dict[bytes, UUID], jobs: dict[UUID, Row]
) -> tuple[list[Held], dict[bytes, Submission]]:
    held, fresh = list[Held](), dict[bytes, Submission]()
    for submission in asking:
        assert submission.unique is not None
        key = submission.unique.key
        if submission.id in jobs:
            continue  # it was accepted before: its own id answers for it
        first, holder = fresh.get(key), jobs.get(holders[key])
        if first is not None and _starting_state(first) in submission.unique.said.states:
            held.append(Held(submission, first.id, _starting_state(first), None, first.trace.parent))
        elif first is None and holder is not None and _counts(submission, holder):
            state = State(holder["state"])
            held.append(Held(submission, holder["id"], state, holder["created_at"], holder["traceparent"]))
        else:
            fresh[key] = submission
    return held, fresh


def _counts(submission: Submission, holder: Row) -> bool:
    assert submission.unique is not None
    said = submission.unique.said
    young = said.within_seconds is None or holder["age_seconds"] < said.within_seconds
    return young and holder["state"] in said.states


def _starting_state(submission: Submission) -> State:
    return State.SCHEDULED if submission.starts_at else State.QUEUED
