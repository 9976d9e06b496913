"""One child process, as its worker sees it: an attempt goes in, and how its function ended comes out.

Its memory is looked at a few times a second.  An attempt that is to stop is asked first, and its process killed if it
does not end within a moment; one whose time is over is not asked.  A process that is gone, for whatever reason, fails
the attempt that it had in hand, and says by what it ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any, Final, Literal

import structlog

from actors.attempts.verdict import Unstorable
from actors.context import Context
from actors.isolation import memory
from actors.isolation.answering import Answering
from actors.isolation.frames import Frames
from actors.isolation.raised import ChildDied, TooMuchMemory, rebuilt
from actors.isolation.said import Ended, Leave, Raised, Ready, Returned, Run, Stop, ToWorker, Unkept, to_worker
from actors.isolation.start import started

log = structlog.get_logger()

MODULE: Final = "actors.process.isolated"
LOOK_SECONDS: Final = 0.1  # between two looks at its memory
FAMILY_EVERY: Final = 10  # of them, one at that of the programs it has started: to find these costs a read a thread
GRACE_SECONDS: Final = 1.5  # for what is asked to stop; less than the shortest drain gives
LEAVE_SECONDS: Final = 2.0  # for what it still has to send
GONE_SECONDS: Final = 5.0  # a killed process may hang in the kernel; then it is let be
MB: Final = 1024 * 1024
PLAIN: Final = (str, int, float, bool, bytes)
End = Literal["crashed", "memory", "timeout", "deaf"]


class Child:
    """A process, from its start to its end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._loop = process, asyncio.get_running_loop()
        self._frames = Frames(self._heard, self._lost)
        self._ready: Ready | None = None
        self._gone = self.leaves = False
        self._why: Exception | None = None  # it was ended, if by us
        self._answering: Answering | None = None
        self._ended: asyncio.Future[Ended | None] = self._loop.create_future()
        self._most = self._taken = self._others = self._looks = 0
        self.end: End = "crashed"  # why, once it is gone
        self.attempts = 0
        self.free_since = time.monotonic()

    @classmethod
    async def start(cls, environment: Mapping[str, str]) -> Child:
        ours, process = started(MODULE, [], environment, own_group=True)
        child = cls(process)
        await asyncio.get_running_loop().create_connection(lambda: child._frames, sock=ours)
        log.info("child_started", child=process.pid)
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._gone and self._process.poll() is None

    def taken(self) -> int:
        """Bytes of memory that it holds, while it has nothing in hand."""
        return memory.own(self.pid)

    @property
    def seen(self) -> int:
        """Bytes of memory, at the last look at what it has in hand."""
        return self._taken

    async def run(self, job: Context, payload: Mapping[str, Any], memory_mb: int) -> object:
        """What the function returns, or what it raises, or why the process ended before."""
        self.attempts += 1
        self._answering = Answering(self.attempts, job, self._frames.say)
        self._ended, self._most, self._taken = self._loop.create_future(), memory_mb * MB, 0
        self._others = 0
        self._frames.say(_run(self.attempts, job, payload, self._most))
        if self._gone:  # before it had begun
            self._ended.set_result(None)
        self._loop.call_later(LOOK_SECONDS, self._look, self._ended)
        try:
            await asyncio.wait({self._ended})
        except asyncio.CancelledError:
            await self._stop(at_once=job.out_of_time)
            if not self._ended.done() or self._ended.result() is None:
                raise
        finally:
            self._answering.close()
            self._answering = None
        return await self._outcome(job)

    async def leave(self) -> None:
        """End it, which has nothing in hand."""
        self._frames.say(Leave())
        await self._wait_gone(LEAVE_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """End it, and all that it has started, now; return when it is gone.  A second time is fine."""
        self._kill()
        if not await self._wait_gone(GONE_SECONDS):
            log.error("child_does_not_end", child=self.pid)
        self._frames.close()

    def _kill(self) -> None:
        for one in memory.family(self.pid)[1:] if self._process.poll() is None else ():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)  # those that have left its group
        if not self._gone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def _stop(self, *, at_once: bool) -> None:
        """It is asked, and waited for; else killed."""
        if not at_once:
            self._frames.say(Stop(self.attempts))
            await asyncio.wait({self._ended}, timeout=GRACE_SECONDS)
        if not self._ended.done():
            self.end = "timeout" if at_once else "deaf"
            await self.kill()

    async def _outcome(self, job: Context) -> object:
        match self._ended.result():
            case Returned(_, result, children):
                for child in children:
                    job.submit(child)
                return None if result is None else json.loads(result)
            case Unkept(_, because):
                return Unstorable(because)
            case Raised(_, error):
                raise rebuilt(error)
            case None:
                raise await self._reason()

    def _heard(self, body: bytes) -> None:
        said: ToWorker = to_worker(body)
        if isinstance(said, Ready):
            self._ready = said
        elif self._answering is not None and said.number == self.attempts:
            if not isinstance(said, Ended):
                self._answering.heard(said)
            elif not self._ended.done():
                self.leaves = said.leaves
                self._ended.set_result(said)

    def _lost(self) -> None:
        """It has hung up, which it does only at its end."""
        self._kill()  # what it has started; a process that ends already keeps the exit code that it has
        self._gone = True
        if not self._ended.done():
            self._ended.set_result(None)

    def _look(self, ended: asyncio.Future[Ended | None]) -> None:
        """At its memory, for as long as it has this attempt in hand."""
        if ended.done():
            return
        self._looks += 1
        if self._looks % FAMILY_EVERY == 0:
            self._others = memory.taken(self.pid) - memory.own(self.pid)
        self._taken = memory.own(self.pid) + self._others
        if self._taken > self._most:
            most = self._most // MB
            self.end = "memory"
            self._why = TooMuchMemory(f"it took more than {most} MB of memory ({self._taken // MB} MB), see memory_mb")
            self._kill()
        elif self._process.poll() is not None:
            self._frames.close()  # something it has started still holds its end of the socket
        self._loop.call_later(LOOK_SECONDS, self._look, ended)

    async def _reason(self) -> Exception:
        await self.kill()
        how = how_it_ended(self._process.poll())
        if self._why is not None:
            return self._why
        if self._ready is None or self._ready.trouble is not None:
            return ChildDied(f"the child process could not start: {(self._ready and self._ready.trouble) or how}")
        # its size often explains it
        size = f"; it had taken {self._taken // MB} of {self._most // MB} MB" if self._taken else ""
        return ChildDied(f"the child process {how}{size}")

    async def _wait_gone(self, seconds: float) -> bool:
        """Whether it is gone by then."""
        until, pause = time.monotonic() + seconds, 0.001
        while self._process.poll() is None:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(pause)
            pause = min(0.05, pause * 2)
        return True


def _run(number: int, job: Context, payload: Mapping[str, Any], most_bytes: int) -> Run:
    headers = {str(name): value for name, value in job.headers.items() if isinstance(value, PLAIN)}
    return Run(
        number, job.job_id, job.type, job.queue, job.attempt, job.max_retries, job.priority, job.lease, job.trace,
        headers, job.body, json.dumps(payload).encode(), most_bytes,
    )  # fmt: skip


def how_it_ended(code: int | None) -> str:
    """Its exit code in words; None if it hangs in the kernel."""
    if code is None:
        return "has hung up"
    if code >= 0:
        return f"ended itself with exit code {code}"
    number = -code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    by = " (by the kernel, where the machine's memory ended, or by hand)" if number == signal.SIGKILL else ""
    return f"was ended by {name}{by}"
