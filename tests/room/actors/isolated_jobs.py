"""Jobs that do to their process what no worker would bear; imported by the test, and by the child processes."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from actors.context import cancelled, context, progress, trace_environment
from actors.ends import PermanentError, RetryAfter, Snooze
from actors.job import job
from actors.submit import submit, submit_now
from actors.trades.outbound.fetch import fetch
from tests.eventually import eventually

log = logging.getLogger(__name__)


class Asked(BaseModel):
    what: str
    said: Any = None


def declare() -> None:
    """On the broker that is set: the test's is another than the one with which this module is first imported."""

    @job("apart", isolation="process", max_retries=0, timeout=60)
    async def apart(payload: Asked) -> Any:
        """An async function that runs apart."""
        value = DOES[payload.what](payload.said)
        return await value if asyncio.iscoroutine(value) else value

    @job("apart_sync", isolation="process", max_retries=0, timeout=60, memory_mb=300)
    def apart_sync(payload: Asked) -> Any:
        """A sync one."""
        return DOES[payload.what](payload.said)

    @job("apart_brief", isolation="process", max_retries=0, timeout=0.5)
    def apart_brief(payload: Asked) -> Any:
        """One with little time."""
        return DOES[payload.what](payload.said)


def who(_: object) -> dict[str, object]:
    said = context()
    return {
        "pid": os.getpid(), "parent": os.getppid(), "job_id": str(said.job_id), "attempt": said.attempt,
        "trace": trace_environment()["TRACEPARENT"].split("-")[1], "queue": said.queue, "folder": os.getcwd(),
        "handed_on": subprocess.run(["/usr/bin/env"], capture_output=True, text=True, check=True).stdout.splitlines(),
    }  # fmt: skip


def crash(_: object) -> None:
    log.warning("the last word")
    ctypes.string_at(0)


def take(mb: int) -> int:
    taken = bytearray()
    for _ in range(mb):
        taken += os.urandom(1 << 20)
    time.sleep(600)
    return len(taken)


def tell(_: object) -> str:
    progress(0.25, "a quarter")
    log.warning("told from there", extra={"answer": 42})
    progress(0.75, "three quarters")
    return "told"


async def bear(key: str) -> list[str]:
    first = submit("gate", {"name": f"{key} with the outcome"})
    second = await submit_now("gate", {"name": f"{key} at once"}, key="second")
    return [str(first), str(second)]


def bear_and_fail(key: str) -> None:
    submit("gate", {"name": f"{key} never"})
    submit_now("gate", {"name": f"{key} all the same"})
    raise RuntimeError("so the first one is not born")


async def save(path: str) -> list[object]:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield b"%d" % number

    saved = [
        await context().save_artifact("bytes.txt", b"x" * 3_000_000),
        await context().save_artifact("file.txt", Path(path)),
        await context().save_artifact("made.txt", pieces()),
    ]
    context().save_artifact("unheard.txt", [b"un", b"heard"])
    return [(one.name, one.size_bytes, one.content_type) for one in saved]


async def save_badly(_: object) -> str:
    try:
        await context().save_artifact("missing.txt", Path("/no/such/file"))
    except FileNotFoundError as e:
        return type(e).__name__
    return "nothing"


async def use_files(_: object) -> dict[str, object]:
    file = context().scratch() / "text"
    file.write_text("Grüße")
    saved = await context().save_artifact("a.txt", file)
    read = await context().read_artifact(saved.id)
    return {"text": read.read_text(), "folder": str(context().scratch())}


async def ask_postgres(_: object) -> str:
    rows = await context().inner_door.database.fetch("SELECT state FROM jobs WHERE id = $1", context().job_id)
    return str(rows[0]["state"])


async def wait_until(place: str) -> None:
    note(f"{place} began", os.getpid())
    await eventually(Path(place).exists)


def end(how: str) -> None:
    raise {
        "permanent": PermanentError("never"), "later": RetryAfter(60, "busy"), "snooze": Snooze(60),
        "own": Own("with its own name"), "surrogate": RuntimeError("\ud800"),
    }[how]  # fmt: skip


class Own(Exception):
    """Which the worker does not know."""


async def wait_for_ever(place: str) -> str:
    note(place, os.getpid())
    try:
        await asyncio.sleep(600)
    finally:
        note(place, "interrupted")
    return "never"


def note(place: str, *said: object) -> None:
    Path(place).write_text(" ".join(map(str, said)))


def ask_for_ever(place: str) -> str:
    note(place, os.getpid())
    while not cancelled():
        time.sleep(0.005)
    return "noticed"


def hear_nothing(place: str) -> None:
    program = [sys.executable, "-c", "import time; time.sleep(600)"]
    others = subprocess.Popen(program), subprocess.Popen(program, start_new_session=True)
    note(place, os.getpid(), *(other.pid for other in others))
    while True:
        time.sleep(1)


def fetch_apart(_: object) -> str:
    try:
        asyncio.run(fetch("http://127.0.0.1:1/"))
    except Exception as e:  # noqa: BLE001 - its name is the result
        return f"{type(e).__name__}: {e}"
    return "fetched"


def move(place: str) -> int:
    os.chdir(place)
    os.environ["PATH"] = place
    return os.getpid()


def leave_a_process(place: str) -> int:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note(place, other.pid)
    return os.getpid()


DOES: dict[str, Any] = {
    "who": who, "crash": crash, "take": take, "tell": tell, "bear": bear, "bear_and_fail": bear_and_fail, "save": save,
    "save_badly": save_badly, "end": end, "wait_for_ever": wait_for_ever, "ask_for_ever": ask_for_ever,
    "hear_nothing": hear_nothing, "move": move, "fetch_apart": fetch_apart, "leave_a_process": leave_a_process,
    "exit": os._exit, "kill": lambda number: os.kill(os.getpid(), number), "echo": lambda said: said,
    "use_files": use_files, "ask_postgres": ask_postgres, "wait_until": wait_until,
    "odd": lambda _: float("nan"), "killed": lambda _: os.kill(os.getpid(), signal.SIGKILL),
}  # fmt: skip

declare()
