"""Submit many jobs in few requests, until each has its word.

What the gateway could not make safe (`unavailable`) is sent again under the same ids, as long as there is patience; a
request that holds more than the gateway takes is halved.  A job that had been accepted by an earlier try of ours is not
called a duplicate; one for which another stands (`unique`) is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct, json

from gateway.client.failures import NotConfirmed
from gateway.client.link import Link, in_words
from gateway.client.replies import Item, Problem
from wire.envelope import Envelope, encode
from wire.errors import Refused, Unavailable
from wire.rabbitmq.backoff import waits

BULK: Final = "/api/v1/jobs/bulk"
MOST_JOBS: Final = 500  # what the gateway commits at once: a larger request would not be faster
MOST_BYTES: Final = 4 * 1024 * 1024
AT_ONCE: Final = 2


class _Told(Struct, frozen=True):
    status: str
    id: UUID | None = None
    problem: Problem | None = None
    unique: bool = False


class _Receipt(Struct, frozen=True):
    items: list[_Told]


async def submit_many(
    link: Link, jobs: Iterable[Envelope], patience_seconds: float, where: str = BULK
) -> tuple[Item, ...]:
    """What became of each, in order; NotConfirmed of the first of which nobody said so, after all have been tried."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(chunk: Sequence[Envelope]) -> list[Item]:
        async with gate:
            return await _until_told(link, where, chunk, time.monotonic() + patience_seconds)

    ends = await asyncio.gather(*map(one, _chunks(jobs)), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return tuple(item for end in ends if isinstance(end, list) for item in end)


def _chunks(jobs: Iterable[Envelope]) -> Iterator[list[Envelope]]:
    chunk: list[Envelope] = []
    size = 0
    for job in jobs:
        length = len(job.payload_json)
        if chunk and (len(chunk) == MOST_JOBS or size + length > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(job)
        size += length
    if chunk:
        yield chunk


async def _until_told(link: Link, where: str, jobs: Sequence[Envelope], deadline: float) -> list[Item]:
    delays, again = waits(), False
    told: dict[int, Item] = {}
    left = list(range(len(jobs)))
    while True:
        items = await _ask(link, where, [jobs[number] for number in left], deadline, again=again)
        told |= {number: item for number, item in zip(left, items, strict=True) if item}
        left = [number for number in left if number not in told]
        if not left:
            return [told[number] for number in range(len(jobs))]
        pause, again = next(delays), True
        if time.monotonic() + pause >= deadline:
            raise _not_confirmed(jobs[left[0]], "the stores are away")
        await asyncio.sleep(pause)


async def _ask(link: Link, where: str, jobs: Sequence[Envelope], deadline: float, *, again: bool) -> list[Item | None]:
    """What became of each; None if it is not known."""
    body = b"[" + b",".join(map(encode, jobs)) + b"]"
    try:
        answer, tried = await link.ask("POST", where, body, patience_seconds=max(deadline - time.monotonic(), 0.0))
    except Unavailable as e:
        raise _not_confirmed(jobs[0], str(e)) from e
    except Refused as e:
        if e.code != "too_large":
            raise
        if len(jobs) == 1:
            return [Item("invalid", jobs[0].id, Problem(e.code, e.problem, e.field, e.remedy))]
        half = len(jobs) // 2
        parts = [await _ask(link, where, part, deadline, again=again) for part in (jobs[:half], jobs[half:])]
        return [item for part in parts for item in part]
    told = json.decode(answer, type=_Receipt).items
    return [_item(one, job, ours=tried or again) for one, job in zip(told, jobs, strict=True)]


def _item(told: _Told, job: Envelope, *, ours: bool) -> Item | None:
    if told.status == "unavailable":
        return None
    if told.status == "invalid":
        return Item("invalid", told.id or job.id, in_words(told.problem or Problem()))
    before = told.status == "duplicate" and (told.unique or not ours)
    return Item("duplicate" if before else "accepted", told.id)


def _not_confirmed(job: Envelope, why: str) -> NotConfirmed:
    return NotConfirmed(job.id, job.idempotency_key, why)
