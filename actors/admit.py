"""Admit deliveries: claim a batch of what has a free slot, start what was granted, settle the rest by its answer.

Only what can start now is claimed.  A delivery of a job that runs here already is attached to its attempt.  What came
by the public door and cannot be a job becomes a dead letter; silence from the claim means "ask again", never "ack".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

import structlog

from actors.delivery import Delivery
from persistence import dead_letters
from persistence.bisect import each_that_fits
from persistence.claim import Answer, Claim, Delivered, claim
from persistence.database import COLLIDED, Database
from persistence.dead_letters import DeadLetter
from persistence.intake import judge
from persistence.job_types import Catalogue
from persistence.submission import Submission
from wire.agreement import job_id
from wire.backoff import waits
from wire.errors import DatabaseUnavailable, Refused
from wire.identity import body_hash

log = structlog.get_logger()

T = TypeVar("T")
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
        verdicts, asked = Verdicts(), dict[UUID, tuple[Delivery, Delivered]]()
        for delivery in batch:
            question = await self._question(delivery)
            if isinstance(question, DeadLetter):
                verdicts.letters.append((delivery, question))
            elif question.id in asked:
                verdicts.ask_again.append(delivery)  # the second copy is answered after the first
            else:
                asked[question.id] = (delivery, question)
        claims = await until_answered(lambda: self._claim([question for _, question in asked.values()], suspects))
        for identity, (delivery, _) in asked.items():
            _sort(delivery, claims.get(identity), verdicts)
        letters = [letter for _, letter in verdicts.letters]
        await until_answered(lambda: dead_letters.keep(self._database, letters))
        return verdicts

    async def _question(self, delivery: Delivery) -> Delivered | DeadLetter:
        message = delivery.message
        if message.run is None:  # by the public door: trust nothing
            verdict = await until_answered(lambda: judge(message, self._catalogue, datetime.now(UTC), self._max_bytes))
            if isinstance(verdict, Submission):
                return Delivered(verdict.id, None, verdict.body_hash, verdict)
            return verdict
        try:
            return Delivered(job_id(message), message.run, body_hash(message.body))
        except Refused as e:
            return DeadLetter(message, e.code, str(e))

    async def _claim(self, questions: list[Delivered], suspects: int) -> dict[UUID, Claim | str]:
        """The answers; a sentence for what Postgres cannot store."""
        if not questions:
            return {}

        async def ask(some: list[Delivered]) -> list[tuple[UUID, Claim]]:
            answers = await claim(self._database, self._session, some, self._lease_seconds, suspects)
            return list(answers.items())

        answered, refused = await each_that_fits(questions, ask)
        return dict(answered) | {question.id: f"Postgres cannot store it: {error}" for question, error in refused}


async def until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until Postgres answers; meanwhile the deliveries stay unacked and the window fills."""
    for seconds in waits():
        try:
            return await ask()
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("admission_waits_for_database", error=str(e))
            await asyncio.sleep(seconds)
    raise AssertionError("waits() never ends")


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
