"""`Client`: submit jobs over HTTP or AMQP and ask what became of them, in asyncio.

    async with Client() as warren:
        job_id = await warren.submit(hello, Greeting(name="Ada"), priority="high")
        job = await warren.wait(job_id, within=60)

Every job gets its id here, before the first try, which is what makes it safe to try again.  It decides nothing about a
job; it says what the gateway says.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar, Unpack
from uuid import UUID

import msgspec

from gateway.client.amqp import AmqpDoor
from gateway.client.failures import JobFailed, NotConfirmed, StillOpen
from gateway.client.link import Link, PerhapsDone
from gateway.client.replies import Item, Job, Page, Problem, Receipt
from wire.asked import Named, Said, Takes, TakesNothing, checked_key, envelope_of
from wire.envelope import Envelope, encode
from wire.errors import Refused, Unavailable
from wire.fields import READERS
from wire.identity import fresh_id
from wire.states import State

JOBS: Final = "/api/v1/jobs"
LOCAL: Final = "http://127.0.0.1:8000"
PATIENCE_SECONDS: Final = 30.0  # longer than a gateway's restart
LONGEST_HOLD_SECONDS: Final = 30.0  # of one answer; a proxy in between may cut what takes longer than a minute
AT_ONCE: Final = 32

Payload = TypeVar("Payload")


def new_job(
    job_type: str | Takes[Payload] | TakesNothing,
    payload: Payload | dict[str, Any] | None = None,
    *,
    id: UUID | str | None = None,
    key: str | None = None,
    **said: Unpack[Said],
) -> Envelope:
    """One job for `submit_many`; with a key, whoever sends the same one again means the same job."""
    if id is not None and key is not None:
        raise TypeError("a job takes an id or a key, not both")
    given = UUID(id) if isinstance(id, str) else id
    return envelope_of(job_type, payload, said, id=given if key or given else fresh_id(), key=checked_key(key))


class Client:
    """A gateway to talk to; WARREN_URL and WARREN_API_KEY say which, unless the arguments do."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        amqp_url: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        where = url or os.environ.get("WARREN_URL") or LOCAL
        self._link = Link(where, api_key or os.environ.get("WARREN_API_KEY"), patience_seconds)
        self._amqp = AmqpDoor(amqp_url, patience_seconds) if amqp_url else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; a call after it opens them again."""
        await self._link.close()
        if self._amqp:
            await self._amqp.close()

    async def submit(
        self,
        job_type: str | Takes[Payload] | TakesNothing,
        payload: Payload | dict[str, Any] | None = None,
        *,
        id: UUID | str | None = None,
        key: str | None = None,
        **said: Unpack[Said],
    ) -> UUID:
        """Submit a job and return its id once it is safe; Refused, or NotConfirmed when nobody said that it is."""
        return (await self._send(new_job(job_type, payload, id=id, key=key, **said))).id

    async def submit_many(self, jobs: Iterable[Envelope]) -> tuple[Item, ...]:
        """Submit jobs made by `new_job`, and say of each what became of it; one bad job never fails the rest.

        NotConfirmed if nobody said so of one, after all have been tried: they have their ids, and can be sent again.
        """
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(job: Envelope) -> Item:
            async with gate:
                return await self._item(job)

        ends = await asyncio.gather(*map(one, jobs), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return tuple(end for end in ends if isinstance(end, Item))

    async def get(self, job_id: UUID | str) -> Job:
        """The job as it stands, or NotFound."""
        body, _ = await self._link.ask("GET", _path(job_id))
        return _job(body)

    async def wait(self, job_id: UUID | str, *, within: float = 60.0) -> Job:
        """The job once it has completed; JobFailed if it ended otherwise, StillOpen if it has not ended in time."""
        deadline = time.monotonic() + within
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            hold = min(left, LONGEST_HOLD_SECONDS)
            body, _ = await self._link.ask(
                "GET", _path(job_id), None, _hold(hold), patience_seconds=max(left, 1.0), longer_seconds=hold
            )
            job = _job(body)
            if job.state is State.COMPLETED:
                return job
            if job.finished:
                raise JobFailed(job)
            if not left:
                raise StillOpen(job, within)

    async def list(
        self,
        *,
        state: str | None = None,
        type: str | Named | None = None,
        queue: str | None = None,
        tag: str | None = None,
        batch_id: UUID | str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """A page of jobs, newest first."""
        wanted = {
            "state": state,
            "type": getattr(type, "actor_name", type),
            "queue": queue,
            "tag": tag,
            "batch_id": batch_id,
            "since": since.isoformat() if since else None,
            "limit": limit,
            "cursor": cursor,
        }
        said = {name: str(value) for name, value in wanted.items() if value is not None}
        body, _ = await self._link.ask("GET", JOBS, None, said)
        return msgspec.json.decode(body, type=Page)

    async def cancel(self, job_id: UUID | str) -> Job:
        """Cancel what waits, ask what runs to end; the job as it stands then."""
        return await self._change(job_id, "cancel")

    async def retry(self, job_id: UUID | str) -> Job:
        """Send a failed, cancelled or expired job again; the job as it stands then."""
        return await self._change(job_id, "retry")

    async def _change(self, job_id: UUID | str, verb: str) -> Job:
        try:
            return _job((await self._link.ask("POST", f"{_path(job_id)}/{verb}"))[0])
        except PerhapsDone:
            return await self.get(job_id)

    async def _item(self, job: Envelope) -> Item:
        try:
            receipt = await self._send(job)
        except Refused as e:
            return Item("invalid", job.id, Problem(e.code, e.problem, e.field, e.remedy))
        return Item("duplicate" if receipt.duplicate else "accepted", receipt.id)

    async def _send(self, job: Envelope) -> Receipt:
        try:
            if self._amqp:
                return Receipt(await self._amqp.send(job))
            body, again = await self._link.ask("POST", JOBS, encode(job))
        except Unavailable as e:
            raise NotConfirmed(job.id, job.idempotency_key, str(e)) from e
        receipt = msgspec.json.decode(body, type=Receipt)
        return Receipt(receipt.id) if again else receipt  # it was our own earlier try


def _path(job_id: UUID | str) -> str:
    return f"{JOBS}/{READERS['id']('id', str(job_id))}"


def _job(body: bytes) -> Job:
    return msgspec.json.decode(body, type=Job)


def _hold(seconds: float) -> dict[str, str]:
    return {"wait": f"{seconds:.3f}"} if seconds else {}
