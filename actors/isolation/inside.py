"""What `context()` finds in a child process: the same words as in the worker, and a door that leads there."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterable, AsyncIterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from actors.context import Context, Wanted
from actors.isolation.far_gate import FarGate
from actors.isolation.parent import Parent
from actors.isolation.said import Accept, Drop, Folder, Judge, Line, Piece, Progress, Read, Run, Save
from persistence.accepting.submission import Submission
from persistence.artifacts.archive import Label, Saver
from persistence.artifacts.artifact import Artifact
from persistence.artifacts.content import PIECE, Content, pieces
from persistence.store.database import Database
from wire.envelope import Envelope, encode
from wire.settings import Stores
from wire.signature import signature
from wire.tracing import Trace

ANSWER_SECONDS: Final = 60.0  # a worker answers at once; longer than its loop may be blocked before it is ended
TELL_SECONDS: Final = 0.1  # between two words of progress
SAVING, TELLING = "saving", "telling"
OWN_THREADS: Final = frozenset({SAVING, TELLING})
NO_LOOP: Final = "a sync function has no loop here on which Postgres could be asked: write it with async def"


class Inside:
    """The door of one attempt."""

    def __init__(self, parent: Parent, number: int, stores: Stores) -> None:
        self._parent, self._number, self._stores = parent, number, stores
        self.loop: asyncio.AbstractEventLoop | None = None  # on which the function runs, if it is async
        self._database: Database | None = None
        self._gate: FarGate | None = None

    @property
    def database(self) -> Database:
        """One connection of its own, for an async function that asks."""
        if self._database is None:
            if self.loop is None:
                raise RuntimeError(NO_LOOP)
            self._database = Database.of(self._stores, signature("worker", "child"), connections=1)
        return self._database

    @property
    def gate(self) -> FarGate:
        """By which an async function visits hosts."""
        if self._gate is None:
            self._gate = FarGate(self._parent, self._number, self.database)
        return self._gate

    async def close(self) -> None:
        """What the function has found on its loop."""
        if self._gate is not None:
            self._gate.close()
        if self._database is not None:
            await self._database.stop()

    def submission(self, envelope: Envelope, trace: Trace, *, checked: bool = True) -> Submission:
        """As the worker judges it, which knows all types."""
        body = encode(envelope)
        asked = self._parent.ask(lambda call: Judge(self._number, call, body, checked), Submission)
        return asked.result(ANSWER_SECONDS)

    def accept(self, submission: Submission, *, first_stands: bool) -> Future[UUID]:
        return self._parent.ask(lambda call: Accept(self._number, call, submission, first_stands), UUID)

    def save(self, saver: Saver, label: Label, content: Content) -> Future[Artifact]:
        """Its pieces are read here, each when the worker asks for it, in the context of whoever calls."""
        call, coming = self._parent.expect(Artifact)
        if isinstance(content, AsyncIterable) and self.loop is not None:
            content = _read_on(self.loop, content)
        feeding = _Feeding(self._parent, self._number, call, coming)
        coming.add_done_callback(partial(self._drop, call))
        surroundings = contextvars.copy_context()
        threading.Thread(target=surroundings.run, args=(feeding.run, content), name=SAVING, daemon=True).start()
        self._parent.say(Save(self._number, call, label.name, label.content_type))
        return coming

    def read(self, wanted: Wanted, folder: Path) -> Future[Path]:
        """The worker writes the file: the folder is the same for both."""
        asked = wanted.id, wanted.field, wanted.most_bytes
        call, coming = self._parent.expect(Path)
        coming.add_done_callback(partial(self._drop, call))
        self._parent.say(Read(self._number, call, *asked))
        return coming

    def make_folder(self, saver: Saver) -> Path:
        return self._parent.ask(lambda call: Folder(self._number, call), Path).result(ANSWER_SECONDS)

    def clear(self, folder: Path) -> None:
        """Nothing: the worker does it, however this process ends."""

    def _drop(self, call: int, coming: Future[Any]) -> None:
        if coming.cancelled():
            self._parent.forget(call)
            self._parent.say(Drop(self._number, call))


@dataclass(frozen=True, slots=True)
class _Feeding:
    """Of what is being saved."""

    parent: Parent
    number: int
    call: int
    coming: Future[Artifact]

    def run(self, content: Content) -> None:
        try:
            asyncio.run(self._feed(content))
        except Exception as e:  # noqa: BLE001 - the content's own error, for whoever waits for the artifact
            self.parent.forget(self.call)
            self.parent.say(Drop(self.number, self.call))
            with contextlib.suppress(InvalidStateError):  # the worker has been quicker
                if self.coming.set_running_or_notify_cancel():
                    self.coming.set_exception(e)

    async def _feed(self, content: Content) -> None:
        async for whole in pieces(content):
            for start in range(0, len(whole), PIECE):
                if not self._give(whole[start : start + PIECE]):
                    return
        self._give(b"")

    def _give(self, piece: bytes) -> bool:
        """Once it is asked for; on a thread of its own, so that waiting holds up nobody."""
        if not self.parent.wanted(self.call):
            return False
        self.parent.say(Piece(self.number, self.call, piece))
        return True


async def _read_on(loop: asyncio.AbstractEventLoop, content: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """What is made asynchronously, made on the loop where it belongs."""
    pieces, end = aiter(content), object()

    async def next_piece() -> Any:
        return await anext(pieces, end)

    while (piece := await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(next_piece(), loop))) is not end:
        yield piece


class InsideContext(Context):
    """A context that tells the worker what is said to it."""

    __slots__ = ("_telling",)
    _telling: Telling

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "progress" and value is not None:
            self._telling.tell(value)
        object.__setattr__(self, name, value)

    def heard(self) -> Any:
        """What takes its lines."""
        return self._telling


class Telling:
    """Of one attempt: its lines at once, its progress a few times a second."""

    def __init__(self, parent: Parent, number: int) -> None:
        self._say, self._number = parent.say, number
        self._lock, self._progress = threading.Lock(), list[tuple[float | None, str | None]]()
        self._timer: threading.Timer | None = None
        self._over = False

    def add(self, line: bytes) -> None:
        if not self._over:
            self._say(Line(self._number, line))

    def tell(self, progress: tuple[float | None, str | None]) -> None:
        """The last word counts: those between two moments are left out."""
        with self._lock:
            waits = bool(self._progress)
            self._progress[:] = [progress]
            if waits or self._over:
                return
            self._timer = threading.Timer(TELL_SECONDS, self._tell)
            self._timer.name, self._timer.daemon = TELLING, True
            self._timer.start()

    def end(self) -> None:
        """Nothing is told after this."""
        self._tell()
        self._over = True
        if self._timer:
            self._timer.cancel()

    def _tell(self) -> None:
        with self._lock:
            if self._progress and not self._over:
                fraction, note = self._progress[0]
                self._say(Progress(self._number, _number(fraction), _text(note)))
            self._progress.clear()


def _number(said: float | None) -> float | None:
    return None if said is None else float(said)  # a library's own kind of number would not cross


def _text(said: object) -> str | None:
    return None if said is None else str(said).encode("utf-8", "replace").decode()


def inside(run: Run, parent: Parent, stores: Stores) -> tuple[InsideContext, Inside, Telling]:
    """The context of one attempt, its door, and what tells of it."""
    door, telling = Inside(parent, run.number, stores), Telling(parent, run.number)
    job = InsideContext(
        run.job_id, run.job_type, run.queue, run.attempt, run.max_retries, run.priority, run.trace, run.headers,
        run.body, door=door, lease=run.lease,
    )  # fmt: skip
    job._telling = telling
    return job, door, telling
