"""Wait for jobs to end: one look at Postgres for all who wait, however many they are.

Polled, because an outcome is written by another process and a notification for each would cost the writers.  The pause
between two looks follows the youngest question: 3 ms for a job that was asked for just now, a quarter of a second for
one that has been waited for longer.  Those who wait for longer are not looked for each time that somebody new comes:
a few hundred of them cost 90,000 ids a second.  A client that hung up and a shutdown end a wait early; never decides
what the answer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from persistence.questions import reads
from persistence.store.database import Database
from wire.errors import DatabaseUnavailable
from wire.lifecycle import ended, lasting, pause

SHORTEST_SECONDS: Final = 0.003
LONGEST_SECONDS: Final = 0.250
YOUNG_SECONDS: Final = 4 * LONGEST_SECONDS  # whoever has waited for longer has the longest pause


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    job_id: UUID
    asked_at: float
    hung_up: Callable[[], bool]
    over: asyncio.Event


class Waiting:
    """All who wait, and the one task that looks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._questions: set[_Question] = set()
        self._asked = asyncio.Event()
        self._saw_all_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = lasting(self._look_for_all(), "waiting")

    async def stop(self) -> None:
        """Let everybody go with the answer there is."""
        task, self._task = self._task, None
        await ended(task, 0.0)
        for question in self._questions:
            question.over.set()

    async def until_finished(self, job_id: UUID, seconds: float, hung_up: Callable[[], bool]) -> None:
        """Return when the job has ended, the time is over, the client is gone or we stop."""
        if self._task is None:
            return
        question = _Question(job_id, asyncio.get_running_loop().time(), hung_up, asyncio.Event())
        self._questions.add(question)
        self._asked.set()
        try:
            await pause(question.over, seconds)
        finally:
            self._questions.discard(question)

    async def _look_for_all(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._questions:
                await pause(self._asked, self._until_next_look())
                if self._asked.is_set():
                    self._asked.clear()
                    await asyncio.sleep(SHORTEST_SECONDS)  # it was running a moment ago
                await self._look()

    def _until_next_look(self) -> float:
        now = asyncio.get_running_loop().time()
        youngest = min(now - question.asked_at for question in self._questions)
        return min(max(SHORTEST_SECONDS, youngest / 4), LONGEST_SECONDS)

    async def _look(self) -> None:
        due = self._due(asyncio.get_running_loop().time())
        ids = list({question.job_id for question in due})
        try:
            finished = await reads.finished_among(self._database, ids) if ids else set()
        except DatabaseUnavailable:
            finished = set()  # who waits reads once more at the end, and is told then
        for question in due:
            if question.job_id in finished or question.hung_up():
                question.over.set()

    def _due(self, now: float) -> list[_Question]:
        """All of them once in half the longest pause, between that the young."""
        if now - self._saw_all_at < LONGEST_SECONDS / 2:
            return [question for question in self._questions if now - question.asked_at < YOUNG_SECONDS]
        self._saw_all_at = now
        return list(self._questions)
