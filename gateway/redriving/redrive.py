"""Judge a dead letter as any submission is judged, and make a job of it.

A letter that is redriven as it is must pass the public door's own rules, in the same words that refused it; with an
edited body it must pass those of POST /api/v1/jobs.  Decides nothing about which letters; see rest/dead_letters.py for
one and redriver.py for many.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from gateway.entrance.problems import Refusal
from gateway.submitting.submit import Submitter
from persistence.accepting.outbox import Publisher
from persistence.accepting.submission import Submission
from persistence.declared.job_types import Catalogue
from persistence.foreign.intake import submission_of
from persistence.letters import letters, redrive, redrive_runs
from persistence.letters.letters import Filter, Opened
from persistence.letters.redrive import Word
from persistence.store.database import DATA_ERRORS, Database
from wire.errors import Refused
from wire.spans import here
from wire.tracing import Trace

MOST_JUDGED: Final = 200  # of a rehearsal: enough to see what is wrong, and answered at once


class Redrive:
    """Makes jobs of letters."""

    def __init__(
        self, database: Database, catalogue: Catalogue, submitter: Submitter, posts: Publisher, max_bytes: int
    ) -> None:
        self._database, self._catalogue, self._submitter = database, catalogue, submitter
        self._posts, self._max_bytes = posts, max_bytes

    async def one(self, letter_id: int, edited: bytes | None, scope: str, anew: Trace | None = None) -> UUID:
        """The job that was made of this letter, or Refusal, or Refused with the field that is still bad."""
        opened = await letters.opened(self._database, letter_id)
        if opened is None:
            raise no_letter(letter_id)
        submission = await (self._of_edited(opened, edited, scope) if edited else self._of_letter(opened))
        if anew:  # a trace that links to the one in which it failed
            submission = replace(submission, trace=replace(anew, origin=submission.trace))
        try:
            done = await redrive.redrive(self._database, letter_id, submission)
        except DATA_ERRORS as e:
            raise _unstorable(e) from e
        if done.word is Word.UNKNOWN:
            raise no_letter(letter_id)
        if done.word is Word.ALREADY:
            detail = f"dead letter {letter_id} was redriven as job {done.job_id}"
            raise Refusal("wrong_state", detail, field="id", remedy="retry that job, or submit a new one")
        self._posts.give(done.posts)
        assert done.job_id is not None
        return done.job_id

    async def step(self, run_id: UUID, holder: UUID, opened: Opened) -> bool:
        """Redrive the next letter of a run; False if the run has been stopped or has passed to another gateway."""
        letter_id = opened.letter.id
        verdict = await self._verdict(opened)
        if here.spans is not None and isinstance(verdict, Submission):
            verdict = replace(verdict, trace=Trace.begin(origin=verdict.trace))
        try:
            posts = await redrive_runs.step(self._database, run_id, holder, letter_id, verdict)
        except DATA_ERRORS as e:
            posts = await redrive_runs.step(self._database, run_id, holder, letter_id, _unstorable(e))
        self._posts.give(posts or [])
        return posts is not None

    async def rehearse(self, wanted: Filter) -> tuple[int, int, list[tuple[int, Refused]]]:
        """How many letters match, how many of them were judged, and what is wrong with which; changes nothing."""
        number, last = await redrive_runs.count(self._database, wanted)
        judged = await letters.between(self._database, wanted, 0, last, limit=MOST_JUDGED, most_bytes=self._max_bytes)
        verdicts = [(opened.letter.id, await self._verdict(opened)) for opened in judged]
        return number, len(judged), [(number, said) for number, said in verdicts if isinstance(said, Refused)]

    async def _verdict(self, opened: Opened) -> Submission | Refused:
        try:
            return await self._of_letter(opened)
        except Refused as e:
            return e

    async def _of_letter(self, opened: Opened) -> Submission:
        now = datetime.now(UTC)
        message = redrive.message_of(opened, self._max_bytes)
        submission = await submission_of(message, self._catalogue, now, self._max_bytes)
        if submission.expires_at and submission.expires_at <= now:
            raise Refused("expires_at", f"{submission.expires_at.isoformat()} is past", "send an edited body")
        return submission

    async def _of_edited(self, opened: Opened, edited: bytes, scope: str) -> Submission:
        trace = Trace.of(redrive.headers_of(opened)) or Trace.begin()
        return await self._submitter.prepare(edited, scope=scope, key=None, trace=trace)


def no_letter(letter_id: int) -> Refusal:
    return Refusal("not_found", f"there is no dead letter {letter_id}", field="id", remedy="it may have been discarded")


def _unstorable(error: Exception) -> Refused:
    return Refused("payload", f"Postgres cannot store it: {str(error).splitlines()[0][:300]}")
