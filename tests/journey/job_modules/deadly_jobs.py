"""Jobs that harm the process they run in, each in one way."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from journey_jobs import Duration, witness
from pydantic import BaseModel

from warren import job


class Way(BaseModel):
    way: Literal["exit", "segfault", "kill"]


class Block(BaseModel):
    seconds: float
    apart: bool = False  # in a task that the job has started


def signal_file() -> Path:
    """The killers wait until it is there."""
    return Path(os.environ["WITNESS"] + ".go")


async def _until_told() -> None:
    while not signal_file().exists():  # noqa: ASYNC110 - the test is another process
        await asyncio.sleep(0.02)


@job("bystands", max_retries=0, timeout=300)
async def bystands(payload: Duration) -> None:
    """Be there when a killer dies, and do one's work afterwards."""
    if witness("started") == 1:
        await _until_told()
        await asyncio.sleep(60)
    await asyncio.sleep(payload.seconds)


@job("dies", max_retries=0, timeout=300)
async def dies(payload: Way) -> None:
    """End the process, once a test has said so."""
    witness("started")
    await _until_told()
    match payload.way:
        case "exit":
            os._exit(7)
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)


@job("crashes_apart", max_retries=0, timeout=300, isolation="process")
def crashes_apart() -> None:
    """A segfault, in a child process."""
    ctypes.string_at(0)


@job("lasts_apart", max_retries=0, timeout=300, isolation="process")
def lasts_apart() -> int:
    """Go on for ever in a child process, with a program beside it; the first time."""
    starts = witness("started")
    if starts == 1:
        program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with Path(os.environ["WITNESS"] + ".apart").open("a") as file:
            file.write(f"{os.getpid()} {program.pid}\n")
        time.sleep(600)
    return starts


@job("blocks", max_retries=0, timeout=300)
async def blocks(payload: Block) -> dict[str, int]:
    """Do what an async job must not, the first time."""
    starts = witness("started")
    if starts == 1 and payload.apart:
        await asyncio.gather(_sleep_badly(payload.seconds), asyncio.sleep(0))
    elif starts == 1:
        time.sleep(payload.seconds)  # noqa: ASYNC251 - that is the point
    return {"starts": starts}


async def _sleep_badly(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251 - that is the point
