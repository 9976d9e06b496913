"""Cancel a job, for every door of this room: the row decides, and a worker that runs the job gets a hint beside it."""

from __future__ import annotations

from uuid import UUID

from gateway.entrance.problems import Refusal
from gateway.pausing.hints import Hints
from gateway.reading.jobs import no_job
from persistence.ending import cancel
from persistence.ending.cancel import Answer, Word
from persistence.store.database import Database
from wire.control import cancel_hint


class Cancelling:
    """Asks the row, and tells the worker."""

    def __init__(self, database: Database, hints: Hints) -> None:
        self._database, self._hints = database, hints

    async def cancel(self, job_id: UUID) -> Word:
        """Whether it is cancelled or was asked to end; Refusal if it is not there or has ended."""
        answer = await cancel.cancel(self._database, job_id)
        self._tell_its_worker(job_id, answer)
        if answer.word is Word.UNKNOWN:
            raise no_job(job_id)
        if answer.word is Word.FINISHED:
            raise Refusal("wrong_state", f"job {job_id} is {answer.state} already", field="id")
        return answer.word

    async def cancel_or_delete(self, job_id: UUID, *, purge: bool) -> Word:
        """Whether it is gone, or lived and is to end; Refusal if it is not there."""
        answer = await cancel.cancel_or_delete(self._database, job_id, purge=purge)
        self._tell_its_worker(job_id, answer)
        if answer.word is Word.UNKNOWN:
            raise no_job(job_id)
        return answer.word

    def _tell_its_worker(self, job_id: UUID, answer: Answer) -> None:
        if answer.was_running:
            self._hints.give(cancel_hint(job_id, answer.lease))
