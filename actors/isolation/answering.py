"""The worker's part in an attempt that runs in a child process: what the function says, asks and saves there is done
here, with the attempt's own context, as if it ran in the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from actors.context import Context
from actors.isolation.raised import told
from actors.isolation.said import (
    Accept,
    Answer,
    Come,
    Drop,
    Folder,
    Gone,
    Judge,
    Line,
    More,
    Piece,
    Progress,
    Read,
    Save,
    ToWorker,
)
from persistence.accepting.submission import Submission
from persistence.artifacts.artifact import Artifact
from persistence.hosts.gate import Turns
from persistence.hosts.turns import Left
from wire.envelope import parse

MOST_BYTES: Final = 1 << 30  # of an envelope: it is judged where its type is known


class Answering:
    """For one attempt."""

    def __init__(self, number: int, job: Context, say: Callable[[msgspec.Struct], None]) -> None:
        self._number, self._job, self._say = number, job, say
        self._pieces: dict[int, asyncio.Queue[bytes]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._turns: set[int] = set()  # that are asked for

    def heard(self, said: ToWorker) -> None:
        match said:
            case Progress(_, fraction, note):
                self._job.progress = (fraction, note)
            case Line(_, text):
                self._job.heard().add(text)
            case Piece(_, call, content):
                if call in self._pieces:
                    self._pieces[call].put_nowait(content)
            case Drop(_, call):
                self._drop(call)
            case _:
                self._asked(said)

    def _asked(self, said: ToWorker) -> None:
        match said:
            case Judge(_, call):
                self._at_once(call, lambda: self._judge(said))
            case Accept(_, call):
                self._awaited(call, lambda: self._accept(said))
            case Save(_, call):
                self._pieces[call] = asyncio.Queue()
                self._awaited(call, lambda: self._save(said))
            case Read(_, call):
                self._awaited(call, lambda: self._read(said))
            case Come(_, call):
                self._turns.add(call)
                self._awaited(call, lambda: self._gate.ask(said.asking))
            case Gone(_, call):
                self._awaited(call, lambda: self._left(said))
            case Folder(_, call):
                self._at_once(call, lambda: str(self._job.scratch()))

    def close(self) -> None:
        """The attempt is over; what it saved is cut off by its context, and what it sent goes its way."""
        self._say = lambda _: None
        for call in (*self._pieces, *self._turns):
            self._drop(call)

    def _judge(self, asked: Judge) -> Submission:
        envelope = parse(asked.envelope, now=datetime.now(UTC), max_bytes=MOST_BYTES)
        return self._job.inner_door.submission(envelope, self._job.trace, checked=asked.checked)

    async def _accept(self, asked: Accept) -> UUID:
        accepted = self._job.inner_door.accept(asked.submission, first_stands=asked.first_stands)
        return await asyncio.wrap_future(accepted)

    async def _save(self, asked: Save) -> Artifact:
        return await self._job.save_artifact(asked.name, self._content(asked.call), asked.content_type)

    async def _read(self, asked: Read) -> str:
        read = self._job.read_artifact(asked.id, field=asked.field, most_bytes=asked.most_bytes)
        return str(await read)

    @property
    def _gate(self) -> Turns:
        gate = self._job.inner_door.gate
        if gate is None:
            raise RuntimeError("nobody shares hosts with this worker")
        return gate

    async def _left(self, said: Gone) -> Left:
        return await self._gate.leave(said.leaving)

    async def _content(self, call: int) -> AsyncIterator[bytes]:
        pieces = self._pieces[call]
        while True:
            self._say(More(self._number, call))
            if not (piece := await pieces.get()):
                return
            yield piece

    def _at_once(self, call: int, answer: Callable[[], object]) -> None:
        try:
            said = Answer(self._number, call, _packed(answer()))
        except Exception as e:  # noqa: BLE001 - it is the answer, and raised where it was asked
            said = Answer(self._number, call, error=told(e))
        self._say(said)

    def _awaited(self, call: int, answer: Callable[[], Coroutine[Any, Any, object]]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(call, answer))
        self._tasks[call] = task
        task.add_done_callback(partial(self._done, call))

    def _done(self, call: int, _: asyncio.Task[None]) -> None:
        self._tasks.pop(call, None)
        self._pieces.pop(call, None)
        self._turns.discard(call)

    async def _answer(self, call: int, answer: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            said = Answer(self._number, call, _packed(await answer()))
        except Exception as e:  # noqa: BLE001 - as above
            said = Answer(self._number, call, error=told(e))
        self._say(said)

    def _drop(self, call: int) -> None:
        self._pieces.pop(call, None)
        if task := self._tasks.pop(call, None):
            task.cancel()


def _packed(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(value))
