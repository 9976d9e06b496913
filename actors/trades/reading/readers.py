"""Hand documents to a process that reads them, so that neither the loop nor the worker pays for what they are.

A thread would share the interpreter's lock with the loop that holds every other job, could not be stopped at its
deadline, and a crash in a C library would take the worker.  The process starts with the first document, is stopped when
there was none for a while, and is replaced after some thousands, or when a document has ended it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from actors.isolation.frames import HEAD, framed
from actors.isolation.start import started
from actors.trades.reading.asking import Answer, Question
from actors.trades.reading.unreadable import Unreadable

PROCESSOR_SECONDS: Final = 10.0  # of a document; an honest one of ten megabytes takes three
PATIENCE_SECONDS: Final = 60.0  # by the clock: for a process that is stopped or swapped out
IDLE_SECONDS: Final = 120.0
MOST_DOCUMENTS: Final = 5_000  # of one process, for what libraries keep
PROCESSES: Final = 1  # of a worker: workers are as many as processors
KEPT: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT")


class ReaderDied(Exception):
    """The process was killed from outside, or could not be started; another attempt gets another."""


async def read(question: Question) -> dict[str, Any]:
    """What the document says; Unreadable if it says nothing of the kind or takes too long about it."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        _of_loops[loop] = readers = Readers()
        await anext(readers.life)
    return await _of_loops[loop].read(question)


class Readers:
    """Of one loop."""

    def __init__(self, processes: int = PROCESSES, seconds: float = PROCESSOR_SECONDS) -> None:
        self._seconds = seconds
        self._places = asyncio.Semaphore(processes)
        self._free: list[_Reader] = []
        self._resting: asyncio.TimerHandle | None = None
        self.life = self._live()

    async def read(self, question: Question) -> dict[str, Any]:
        async with self._places:
            if self._resting:
                self._resting.cancel()
            reader = self._free.pop() if self._free else await _Reader.start(self._seconds)
            try:
                answer = await reader.ask(question)
            except BaseException:  # it may be in the middle of it still, or gone
                reader.stop()
                raise
            self._give_back(reader)
        if answer.unreadable is not None:
            raise Unreadable(answer.unreadable)
        return answer.said

    def stop(self) -> None:
        """Whoever asks again gets new ones."""
        while self._free:
            self._free.pop().stop()

    def _give_back(self, reader: _Reader) -> None:
        if reader.documents >= MOST_DOCUMENTS:
            reader.stop()
        else:
            self._free.append(reader)
            self._resting = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.stop)

    async def _live(self) -> AsyncIterator[None]:
        """A loop that ends closes its generators: the processes end with the loop, without anybody's call."""
        try:
            yield
        finally:
            self.stop()


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Readers] = WeakKeyDictionary()


class _Reader:
    """One process."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        seconds: float,
    ) -> None:
        self._process, self._seconds = process, seconds
        self._answers, self._questions = streams
        self.documents = 0

    @classmethod
    async def start(cls, seconds: float) -> _Reader:
        ours, process = started(f"{__package__}.reader", [str(seconds)], _environment())
        return cls(process, await asyncio.open_connection(sock=ours), seconds)

    async def ask(self, question: Question) -> Answer:
        self.documents += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self._questions.write(framed(question))
                await self._questions.drain()
                (size,) = HEAD.unpack(await self._answers.readexactly(HEAD.size))
                return msgspec.msgpack.decode(await self._answers.readexactly(size), type=Answer)
        except TimeoutError:
            raise ReaderDied(f"the process that reads did not answer for {PATIENCE_SECONDS:g} s") from None
        except (OSError, asyncio.IncompleteReadError):
            raise self._end() from None

    def stop(self) -> None:
        self._questions.close()
        self._process.kill()
        self._process.wait()

    def _end(self) -> Exception:
        """Why it ended."""
        code = self._process.wait()
        if code == -signal.SIGPROF:
            return Unreadable(f"the document takes more than {self._seconds:g} s of processor time to read")
        if code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
            return Unreadable("the document crashes the libraries that read it")
        return ReaderDied(f"the process that reads ended with {code}")


def _environment() -> Mapping[str, str]:
    """Without passwords: what reads strangers' documents has no use for them."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(("LC_", "PYTHON"))}
    with contextlib.suppress(KeyError):
        del kept["PYTHONSTARTUP"]
    return kept
