"""Follow what jobs log: one look at Postgres for all who follow, twice a second, however many they are.

A follower asks what has come behind its place, and asks again once it has passed that on: who reads slowly holds up
nobody and piles nothing up here.  As many as may follow at once is bounded.  Knows no HTTP.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from persistence.attempts import attempt_logs
from persistence.attempts.attempt_logs import News, Place
from persistence.store.database import Database
from wire.errors import DatabaseUnavailable
from wire.lifecycle import ended, lasting

LOOK_SECONDS: Final = 0.5
MOST: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    job_id: UUID
    after: Place
    answer: asyncio.Future[News | None]


class Following:
    """All who follow, and the one task that looks for them."""

    def __init__(self, database: Database, most: int = MOST) -> None:
        self._database, self._most = database, most
        self._questions: set[_Question] = set()
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._followers = 0

    async def start(self) -> None:
        self._task = lasting(self._look_for_all(), "following")

    async def stop(self) -> None:
        """Let everybody go."""
        task, self._task = self._task, None
        await ended(task, 0.0)
        for question in self._questions:
            _tell(question, None)

    @property
    def over(self) -> bool:
        """Whether nobody will be told anything any more."""
        return self._task is None

    def admit(self) -> bool:
        """Whether one more may follow; who may says so when it has ended."""
        if self._followers >= self._most or self.over:
            return False
        self._followers += 1
        return True

    def leave(self) -> None:
        self._followers -= 1

    async def news(self, job_id: UUID, after: Place) -> News | None:
        """What the job has logged since, perhaps nothing; None while Postgres is away, and when we stop."""
        if self.over:
            return None
        question = _Question(job_id, after, asyncio.get_running_loop().create_future())
        self._questions.add(question)
        self._asked.set()
        try:
            return await question.answer
        finally:
            self._questions.discard(question)

    async def _look_for_all(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await asyncio.sleep(LOOK_SECONDS)
            await self._look(list(self._questions))

    async def _look(self, questions: list[_Question]) -> None:
        asked = list({(question.job_id, question.after) for question in questions})
        found: dict[tuple[UUID, Place], News] | None
        try:
            found = await attempt_logs.news_of(self._database, asked) if asked else {}
        except DatabaseUnavailable:
            found = None
        for question in questions:
            news = None if found is None else found.get((question.job_id, question.after), attempt_logs.GONE)
            _tell(question, news)


def _tell(question: _Question, news: News | None) -> None:
    if not question.answer.done():
        question.answer.set_result(news)
