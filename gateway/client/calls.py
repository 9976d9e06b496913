"""`Client`: submit jobs over HTTP or AMQP and ask what became of them, in asyncio.

    async with Client() as warren:
        job_id = await warren.submit(hello, Greeting(name="Ada"), priority="high")
        job = await warren.wait(job_id, within=60)

Every job gets its id here, before the first try, which is what makes it safe to try again.  It decides nothing about a
job; it says what the gateway says.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar, Unpack
from uuid import UUID

import msgspec

from gateway.client.amqp import AmqpDoor
from gateway.client.artifacts import ArtifactCalls
from gateway.client.batches import BatchCalls
from gateway.client.crawls import CrawlCalls
from gateway.client.failures import JobFailed, NotConfirmed, StillOpen
from gateway.client.job_types import JobTypeCalls
from gateway.client.link import Link, PerhapsDone, PerhapsGone, path_of
from gateway.client.logs import JOBS, LogCalls
from gateway.client.many import submit_many
from gateway.client.replies import (
    Attempt,
    AttemptList,
    Item,
    Job,
    LetterPage,
    OpenedLetter,
    Page,
    Receipt,
    Timeline,
    Why,
)  # fmt: skip
from gateway.client.schedules import ScheduleCalls
from wire.asked import Named, Said, Takes, TakesNothing, checked_key, envelope_of
from wire.envelope import Envelope, encode
from wire.errors import Unavailable
from wire.identity import fresh_id
from wire.states import State

LETTERS: Final = "/api/v1/dead-letters"
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


class Client(BatchCalls, CrawlCalls, ScheduleCalls, ArtifactCalls, JobTypeCalls, LogCalls):
    """A gateway to talk to; WARREN_URL and WARREN_API_KEY say which, unless the arguments do.

    With `amqp_url`, jobs are submitted through RabbitMQ; all that is asked goes to a gateway, which must be named then.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        amqp_url: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._patience = patience_seconds
        where = url or os.environ.get("WARREN_URL") or ("" if amqp_url else LOCAL)
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
        return await self._send(new_job(job_type, payload, id=id, key=key, **said))

    async def submit_many(self, jobs: Iterable[Envelope]) -> tuple[Item, ...]:
        """Submit jobs made by `new_job`, and say of each what became of it; one bad job never fails the rest.

        NotConfirmed if nobody said so of one, after all have been tried: they have their ids, and can be sent again.
        """
        if not self._amqp:
            return await submit_many(self._link, jobs, self._patience)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(job: Envelope) -> Item:
            async with gate:
                return Item("accepted", await self._send(job))

        ends = await asyncio.gather(*map(one, jobs), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return tuple(end for end in ends if isinstance(end, Item))

    async def get(self, job_id: UUID | str) -> Job:
        """The job as it stands, or NotFound."""
        body, _ = await self._link.ask("GET", path_of(JOBS, job_id))
        return await self._with_result(_job(body))

    async def wait(self, job_id: UUID | str, *, within: float = 60.0) -> Job:
        """The job once it has completed; JobFailed if it ended otherwise, StillOpen if it has not ended in time."""
        deadline = time.monotonic() + within
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            hold = min(left, LONGEST_HOLD_SECONDS)
            said = {"wait": f"{hold:.3f}" if hold else None}
            body, _ = await self._link.ask(
                "GET", path_of(JOBS, job_id), None, said, patience_seconds=max(left, 1.0), longer_seconds=hold
            )
            job = _job(body)
            if job.state is State.COMPLETED:
                return await self._with_result(job)
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
        schedule_id: UUID | str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """A page of jobs, newest first."""
        said = {
            "state": state, "type": type, "queue": queue, "tag": tag, "batch_id": batch_id,
            "schedule_id": schedule_id, "since": since, "limit": limit, "cursor": cursor,
        }  # fmt: skip
        body, _ = await self._link.ask("GET", JOBS, None, said)
        return msgspec.json.decode(body, type=Page)

    async def attempts(self, job_id: UUID | str) -> tuple[Attempt, ...]:
        """The job's ended attempts, oldest first."""
        body, _ = await self._link.ask("GET", f"{path_of(JOBS, job_id)}/attempts")
        return msgspec.json.decode(body, type=AttemptList).items

    async def why(self, job_id: UUID | str) -> Why:
        """Why the job does not run, or how it stands."""
        body, _ = await self._link.ask("GET", f"{path_of(JOBS, job_id)}/why")
        return msgspec.json.decode(body, type=Why)

    async def timeline(self, job_id: UUID | str) -> Timeline:
        """What has happened to the job, and where the time went."""
        body, _ = await self._link.ask("GET", f"{path_of(JOBS, job_id)}/timeline")
        return msgspec.json.decode(body, type=Timeline)

    async def cancel(self, job_id: UUID | str) -> Job:
        """Cancel what waits, ask what runs to end; the job as it stands then."""
        return await self._change(job_id, "cancel")

    async def retry(self, job_id: UUID | str) -> Job:
        """Send a failed, cancelled or expired job again; the job as it stands then."""
        return await self._change(job_id, "retry")

    async def delete(self, job_id: UUID | str, *, purge: bool = False) -> Job | None:
        """Delete a job that has finished: None; cancel one that lives: the job as it stands then.

        With `purge` it is deleted although it lives, and a worker that runs it is told to stop.
        """
        try:
            body, _ = await self._link.ask("DELETE", path_of(JOBS, job_id), None, {"purge": purge or None})
        except PerhapsGone:
            return None
        return _job(body) if body else None

    async def dead_letters(
        self,
        *,
        type: str | Named | None = None,
        reason: str | None = None,
        fingerprint: str | None = None,
        redriven: bool | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> LetterPage:
        """A page of the messages that nobody could do, newest first."""
        said = {
            "type": type, "reason": reason, "fingerprint": fingerprint, "redriven": redriven, "since": since,
            "limit": limit, "cursor": cursor,
        }  # fmt: skip
        body, _ = await self._link.ask("GET", LETTERS, None, said)
        return msgspec.json.decode(body, type=LetterPage)

    async def dead_letter(self, number: int) -> OpenedLetter:
        """One dead letter with its bytes, or NotFound."""
        body, _ = await self._link.ask("GET", f"{LETTERS}/{number:d}")
        return msgspec.json.decode(body, type=OpenedLetter)

    async def redrive(self, number: int, instead: Envelope | None = None) -> Job:
        """Make a job of a dead letter as it came, or of `instead`, made by `new_job`; the letter stays, marked."""
        try:
            body, _ = await self._link.ask(
                "POST", f"{LETTERS}/{number:d}/redrive", encode(instead) if instead else None
            )
        except PerhapsDone:
            letter = await self.dead_letter(number)
            if letter.redriven_as is None:
                raise
            return await self.get(letter.redriven_as)
        return _job(body)

    async def discard(self, number: int) -> None:
        """Throw a dead letter away, bytes and all."""
        with contextlib.suppress(PerhapsGone):
            await self._link.ask("DELETE", f"{LETTERS}/{number:d}")

    async def _with_result(self, job: Job) -> Job:
        """A result that is too large for the job itself is read from where it is."""
        if job.result_artifact is None:
            return job
        body, _ = await self._link.ask("GET", f"{path_of(JOBS, job.id)}/result")
        return msgspec.structs.replace(job, result=msgspec.json.decode(body))

    async def _change(self, job_id: UUID | str, verb: str) -> Job:
        try:
            return _job((await self._link.ask("POST", f"{path_of(JOBS, job_id)}/{verb}"))[0])
        except PerhapsDone:
            return await self.get(job_id)

    async def _send(self, job: Envelope) -> UUID:
        try:
            if self._amqp:
                return await self._amqp.send(job)
            body, _ = await self._link.ask("POST", JOBS, encode(job))
        except Unavailable as e:
            raise NotConfirmed(job.id, job.idempotency_key, str(e)) from e
        return msgspec.json.decode(body, type=Receipt).id


def _job(body: bytes) -> Job:
    return msgspec.json.decode(body, type=Job)
