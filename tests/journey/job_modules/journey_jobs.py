"""The job types of the journeys; each does one thing that a test wants to see.

What must be counted from outside is written to the witness file, one line an event: a second opinion beside Postgres.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from pydantic import BaseModel

from warren import PermanentError, RetryAfter, Snooze, cancelled, context, job, progress

log = structlog.get_logger()
standard = logging.getLogger("shop.stock")


def witness(event: str) -> int:
    """Write down that this job did this; says how often it has done so."""
    line = f"{context().job_id} {event}\n"
    with open(os.environ["WITNESS"], "a+") as file:
        file.write(line)
        file.flush()
        file.seek(0)
        return file.read().count(line)


def note(event: str) -> None:
    """Write down when and where this job did this: one write a line, read by tests/faults/witness.py."""
    with open(os.environ["TIMELINE"], "ab", buffering=0) as file:
        file.write(f"{time.time():.6f} {os.getpid()} {context().job_id} {event}\n".encode())


class Times(BaseModel):
    times: int = 1


class Duration(BaseModel):
    seconds: float = 0.0


class Door(BaseModel):
    opens: Path


class Kind(BaseModel):
    kind: str


class Anything(BaseModel, extra="allow"):
    pass


@job("flaky", retry_base_seconds=0.3, max_retries=5)
async def flaky(payload: Times) -> dict[str, object]:
    """Fail the first attempts, then say which attempt it is and in which trace."""
    if context().attempt <= payload.times:
        raise ConnectionError(f"attempt {context().attempt} in {context().trace.trace_id}")
    return {"attempt": context().attempt, "trace_id": context().trace.trace_id}


@job("punctual")
async def punctual() -> dict[str, object]:
    """Say what it knows of the schedule that made it."""
    made_by = context().schedule
    if made_by is None:
        return {"schedule": None}
    return {"schedule": str(made_by.id), "due_at": made_by.due_at, "following": list(made_by.following[:2])}


@job("picky", max_retries=3)
async def picky(payload: Duration) -> dict[str, int]:
    """Ask once to be tried again after so long."""
    if context().attempt == 1:
        raise RetryAfter(payload.seconds, "the door is closed")
    return {"attempt": context().attempt}


@job("sleepyhead", max_retries=0)
async def sleepyhead(payload: Times) -> dict[str, int]:
    """Snooze so many times."""
    if witness("woken") <= payload.times:
        raise Snooze(0.2)
    return {"attempt": context().attempt}


@job("hopeless", max_retries=3)
async def hopeless() -> None:
    raise PermanentError("there is no such page")


@job("slow", timeout=0.4, max_retries=1, retry_base_seconds=0.2)
async def slow() -> None:
    """Outlast the time limit."""
    await asyncio.sleep(60)


@job("nap")
async def nap(payload: Duration) -> dict[str, int]:
    """Sleep; the witness sees every start."""
    starts = witness("started")
    progress(0.5, "asleep")
    await asyncio.sleep(payload.seconds)
    witness("ended")
    return {"starts": starts, "pid": os.getpid()}


@job("long_once", timeout=120, max_retries=0)
async def long_once() -> dict[str, int]:
    """Sleep for a minute, but only the first time."""
    starts = witness("started")
    if starts == 1:
        await asyncio.sleep(60)
    return {"starts": starts, "attempt": context().attempt}


@job("sync_nap")
def sync_nap(payload: Duration) -> dict[str, int]:
    """Sleep on a thread."""
    starts = witness("started")
    time.sleep(payload.seconds)
    witness("ended")
    return {"starts": starts, "pid": os.getpid()}


@job("returns", max_retries=0)
async def returns(payload: Kind) -> object:
    """Return what cannot be stored."""
    deep: list[object] = []
    for _ in range(150):
        deep = [deep]
    await asyncio.sleep(0.05)  # so that many end together, in one batch
    return {
        "plain": {"ok": True},
        "nan": float("nan"),
        "nul": "a\x00b",
        "surrogate": "\ud800",
        "deep": deep,
        "object": object(),
    }[payload.kind]


@job("raises_nul", max_retries=0)
async def raises_nul() -> None:
    raise ValueError("a\x00b \ud800")


@job("tell", queue="letters")
async def tell(payload: Anything) -> dict[str, object]:
    """Say where it ran."""
    return {"queue": context().queue, "pid": os.getpid(), **payload.model_dump()}


@job("polite", timeout=600)
def polite() -> None:
    """A sync job that looks whether it should stop."""
    while not cancelled():
        time.sleep(0.02)
    raise InterruptedError("asked to stop")


@job("stubborn", timeout=0.5, max_retries=0)
def stubborn() -> None:
    """A sync job that hears nothing and ends long after its limit."""
    time.sleep(120)


@job("endless", timeout=600)
async def endless() -> None:
    await asyncio.sleep(600)


@job("counted")
async def counted() -> None:
    """For the test of the figures alone."""


@job("step")
async def step(payload: Duration) -> None:
    """A short piece of work, one of very many."""
    note("started")
    await asyncio.sleep(payload.seconds)
    note("ended")


@job("hold", timeout=900)
async def hold(payload: Door) -> dict[str, int]:
    """Last until a file is there: longer than whatever happens meanwhile; the witness sees every start."""
    starts = witness("started")
    note("started")
    try:
        while not payload.opens.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        note("interrupted")
        raise
    note("ended")
    witness("ended")
    return {"starts": starts, "pid": os.getpid()}


class Talk(BaseModel):
    lines: int = 1
    tag: str = ""
    waits_for: Path | None = None
    fails: bool = False


@job("talkative", max_retries=1, retry_base_seconds=0.1)
async def talkative(payload: Talk) -> None:
    """Log by both ways, with an await between two lines, and perhaps fail the first attempt."""
    for number in range(payload.lines):
        log.info("said", tag=payload.tag, number=number, password="hunter2")
        await asyncio.sleep(0)
    standard.warning("asked %s with api_key=%s", payload.tag, "k3y-of-somebody")
    while payload.waits_for and not payload.waits_for.exists():  # noqa: ASYNC110 - the other side is a process
        await asyncio.sleep(0.02)
    if payload.fails and context().attempt == 1:
        raise ValueError("not yet")


@job("talkative_thread")
def talkative_thread(payload: Talk) -> None:
    """The same on a thread."""
    for number in range(payload.lines):
        log.info("said", tag=payload.tag, number=number, password="hunter2")
        time.sleep(0)
    standard.warning("asked %s with api_key=%s", payload.tag, "k3y-of-somebody")
    while payload.waits_for and not payload.waits_for.exists():
        time.sleep(0.02)


class Left(BaseModel):
    name: str = "page.html"
    text: str = "<p>hello</p>"
    times: int = 1
    content_type: str | None = None


@job("leaves", max_retries=1, retry_base_seconds=0.1)
async def leaves(payload: Left) -> dict[str, object]:
    """Saves a text as a stream, piece by piece."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(payload.times):
            yield payload.text.encode()

    saved = await context().save_artifact(payload.name, pieces(), payload.content_type)
    return {"id": str(saved.id), "size": saved.size_bytes}


@job("leaves_on_thread")
def leaves_on_thread(payload: Left) -> dict[str, object]:
    saved = context().save_artifact(payload.name, (payload.text.encode() for _ in range(payload.times))).wait()
    context().save_artifact("unheard.txt", b"nobody waits for it")
    return {"id": str(saved.id), "size": saved.size_bytes}


class Returned(BaseModel):
    characters: int


@job("returns_much", max_retries=1, retry_base_seconds=0.1)
async def returns_much(payload: Returned) -> dict[str, str]:
    return {"text": "ü" * payload.characters}


@job("leaves_slowly", max_retries=3, retry_base_seconds=0.1)
async def leaves_slowly(payload: Door) -> None:
    """Saves more than one part, of which the last comes when the door is open."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 11_000_000
        witness("uploading")
        while not payload.opens.exists():  # noqa: ASYNC110 - a file, because a second attempt is another process
            await asyncio.sleep(0.02)
        yield b"y"

    await context().save_artifact("film", pieces())
