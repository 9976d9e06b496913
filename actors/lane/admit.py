"""Admit deliveries: claim a batch of what has a free slot, start what was granted, settle the rest by its answer.

Only what can start now is claimed.  A delivery of a job that runs here already is attached to its attempt.  Silence
from the claim means "ask again", never "ack".

What came by the public door has mostly been born by the recorder when its turn comes (998 of 1,000 under load): the
row's hash then says that its body has been judged.  Only what the claim does not know is judged here and born with its
claim; what cannot be a job becomes a dead letter.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

import structlog

from actors.deliveries.delivery import Delivery
from actors.lane import figures
from persistence.accepting.outbox import Post
from persistence.attempts.claim import Answer, Claim, Delivered, claim, start_first
from persistence.declared.job_types import Catalogue
from persistence.foreign.intake import judge
from persistence.letters import dead_letters
from persistence.letters.dead_letters import DeadLetter
from persistence.store.bisect import each_that_fits
from persistence.store.database import COLLIDED, DATA_ERRORS, Database
from wire.agreement import job_id
from wire.envelope import type_of
from wire.errors import DatabaseUnavailable, Refused
from wire.identity import body_hash
from wire.message import Incoming
from wire.rabbitmq.backoff import waits
from wire.tracing import NOWHERE, Trace

log = structlog.get_logger()

T = TypeVar("T")
Claims = dict[UUID, Claim | str]
FIRST: Final = 1  # run
NO_HASH: Final = b""  # a body is compared only where anybody may have written it, at the public door
REFUSED: Final = {
    Answer.ORPHAN: "no row knows this job; it was deleted long ago, or Postgres was restored from before it",
    Answer.ID_REUSED: "message_id: it belongs to another job; use a fresh UUID for each job",
}


@dataclass(slots=True)
class Verdicts:
    """What becomes of one batch."""

    start: list[tuple[Delivery, Claim]] = field(default_factory=list)
    park: list[tuple[Delivery, Claim]] = field(default_factory=list)
    ack: list[Delivery] = field(default_factory=list)
    letters: list[tuple[Delivery, DeadLetter]] = field(default_factory=list)
    ask_again: list[Delivery] = field(default_factory=list)


class Admission:
    """Turns deliveries into verdicts; knows the database, not the lane."""

    def __init__(
        self, database: Database, catalogue: Catalogue, session: UUID, *, lease_seconds: float, max_bytes: int
    ) -> None:
        self._database, self._catalogue, self._session = database, catalogue, session
        self._lease_seconds, self._max_bytes = lease_seconds, max_bytes

    async def admit(self, batch: Sequence[Delivery], suspects: int = 1) -> Verdicts:
        """A word for each; returns only when Postgres has said it.  Of suspects at most so many may start."""
        lone = await self._lone(batch[0]) if len(batch) == 1 else None
        return lone or await self._admit_all(batch, suspects)

    async def _lone(self, delivery: Delivery) -> Verdicts | None:
        """The first start of one, by a way as short as can be: where jobs come one by one all code is cold.

        Whatever else there is to say, or goes wrong, is asked again as of many: our own claim is recognised there.
        """
        if delivery.run != FIRST or delivery.job_id is None:
            return None
        with contextlib.suppress(DatabaseUnavailable, *COLLIDED, *DATA_ERRORS):
            granted = await start_first(self._database, self._session, delivery.job_id)
            if granted is not None:
                figures.answered((granted,), 1)
                return Verdicts(start=[(delivery, granted)])
        return None

    async def _admit_all(self, batch: Sequence[Delivery], suspects: int) -> Verdicts:
        verdicts, asked = Verdicts(), dict[UUID, tuple[Delivery, Delivered]]()
        for delivery in batch:
            question = _ours(delivery) or await self._foreign(delivery)
            if isinstance(question, DeadLetter):
                verdicts.letters.append((delivery, question))
            elif question.id in asked:
                verdicts.ask_again.append(delivery)  # the second copy is answered after the first
            else:
                asked[question.id] = (delivery, question)
        claims = await self._claims([question for _, question in asked.values()], suspects)
        claims |= await self._born_late(asked, claims, verdicts)
        for identity, (delivery, _) in asked.items():
            _sort(delivery, claims.get(identity), verdicts)
        figures.answered(claims.values(), len(verdicts.start))
        if letters := [letter for _, letter in verdicts.letters]:
            await until_answered(lambda: dead_letters.keep(self._database, letters))
        return verdicts

    async def _foreign(self, delivery: Delivery) -> Delivered | DeadLetter:
        """By the public door: trust nothing."""
        message = delivery.message
        if delivery.job_id and delivery.type == type_of(message.body):  # then its row is of the type it came as
            return Delivered(delivery.job_id, None, body_hash(message.body))
        return await self._judged(message)

    async def _judged(self, message: Incoming) -> Delivered | DeadLetter:
        verdict = await until_answered(lambda: judge(message, self._catalogue, datetime.now(UTC), self._max_bytes))
        if isinstance(verdict, DeadLetter):
            return verdict
        return Delivered(verdict.id, None, verdict.body_hash, verdict)

    async def _born_late(
        self, asked: dict[UUID, tuple[Delivery, Delivered]], claims: Claims, verdicts: Verdicts
    ) -> Claims:
        """The answers to those that the claim did not know; those that cannot be a job are asked about no more."""
        births: list[Delivered] = []
        for identity, (delivery, question) in list(asked.items()):
            if delivery.run is not None or question.birth is not None or not _is_unknown(claims.get(identity)):
                continue
            judged = await self._judged(delivery.message)
            if isinstance(judged, Delivered):
                births.append(judged)
            else:
                verdicts.letters.append((delivery, judged))
                del asked[identity]
        return await self._claims(births, suspects=0)  # nobody can have died of it yet

    async def _claims(self, questions: list[Delivered], suspects: int) -> Claims:
        return await until_answered(lambda: self._claim(questions, suspects))

    async def _claim(self, questions: list[Delivered], suspects: int) -> Claims:
        """The answers; a sentence for what Postgres cannot store."""
        if not questions:
            return {}

        async def ask(some: list[Delivered]) -> list[tuple[UUID, Claim]]:
            answers = await claim(self._database, self._session, some, self._lease_seconds, suspects)
            return list(answers.items())

        answered, refused = await each_that_fits(questions, ask)
        return dict(answered) | {question.id: f"Postgres cannot store it: {error}" for question, error in refused}


def bring_back(delivery: Delivery, claim: Claim) -> Post:
    """The message that a parked job comes with when it is due."""
    message = delivery.message
    assert claim.post_seq is not None
    assert delivery.job_id is not None
    return Post(
        seq=claim.post_seq,
        job_id=delivery.job_id,
        type=delivery.type,
        priority=message.priority or 5,
        body=message.body,
        run=claim.run,
        attempt=0,
        wait=claim.wait,
        exact=True,
        because=None,
        trace=Trace.entering(message.headers) if Trace.of(message.headers) else NOWHERE,  # it is in its row
    )


async def until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until Postgres answers; meanwhile the deliveries stay unacked and the window fills."""
    for seconds in waits():
        try:
            return await ask()
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("admission_waits_for_database", error=str(e))
            await asyncio.sleep(seconds)
    raise AssertionError("waits() never ends")


def _ours(delivery: Delivery) -> Delivered | DeadLetter | None:
    """What to ask about a message that we have sent; nothing if it is not one."""
    if delivery.run is None:
        return None
    try:
        return Delivered(delivery.job_id or job_id(delivery.message), delivery.run, NO_HASH)
    except Refused as e:
        return DeadLetter(delivery.message, e.code, str(e))


def _is_unknown(answer: Claim | str | None) -> bool:
    """Whether there is no row of this message: none at all, or another's under its id."""
    return isinstance(answer, Claim) and answer.answer in (Answer.UNBORN, Answer.ID_REUSED)


def _may_be_dead(answer: Claim, delivery: Delivery) -> bool:
    """Whether its holder has not been heard of since the message came.

    A killed process's messages come again within a millisecond, before anybody has noted its death; they must not be
    acked for its sake.  A holder that beats after that lives, and lost only its channel.
    """
    return answer.answer is Answer.HELD and answer.silent.total_seconds() > time.monotonic() - delivery.arrived


def _sort(delivery: Delivery, answer: Claim | str | None, verdicts: Verdicts) -> None:
    if isinstance(answer, str):
        verdicts.letters.append((delivery, DeadLetter(delivery.message, "unstorable", answer)))
    elif answer is None or answer.answer is Answer.UNBORN or _may_be_dead(answer, delivery):
        verdicts.ask_again.append(delivery)
    elif answer.answer is Answer.CLAIMED:
        verdicts.start.append((delivery, answer))
    elif answer.answer is Answer.PARKED:
        verdicts.park.append((delivery, answer))
    elif answer.answer in REFUSED:
        letter = DeadLetter(delivery.message, answer.answer.value, REFUSED[answer.answer])
        verdicts.letters.append((delivery, letter))
    else:
        verdicts.ack.append(delivery)
