"""Job types that submit others, for the journeys about children.

Each run is written to the witness file, one line an event: a second opinion beside Postgres.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from pydantic import BaseModel

from warren import PermanentError, Snooze, context, job, submit, submit_now


class Name(BaseModel):
    name: str = ""


class Family(BaseModel):
    """How many children, and how the attempts of the parent end: a word for each, the last one for all that follow."""

    children: int = 1
    ends: list[str] = ["complete"]
    now: bool = False
    seconds: float = 0.0  # before anything is submitted


def witness(event: str) -> int:
    """Write down that this job did this; says how often it has done so."""
    line = f"{context().job_id} {event}\n"
    with open(os.environ["WITNESS"], "a+") as file:
        file.write(line)
        file.flush()
        file.seek(0)
        return file.read().count(line)


@job("child", queue="children")
async def child(payload: Name) -> dict[str, str]:
    """Say that it ran, and in which trace."""
    witness(f"ran {payload.name}")
    return {"trace_id": context().trace.trace_id}


@job("parent", timeout=60, max_retries=2, retry_base_seconds=0.1)
async def parent(payload: Family) -> object:
    """Submit the children, then end this attempt as its word says."""
    starts = witness("started")
    await asyncio.sleep(payload.seconds)
    ids = [str(await _one(payload, number)) for number in range(payload.children)]
    return await _end(payload.ends[min(starts, len(payload.ends)) - 1]) or ids


async def _one(payload: Family, number: int) -> object:
    name = {"name": f"of {context().job_id} number {number}"}
    return await submit_now("child", name) if payload.now else submit(child, name)


async def _end(word: str) -> object:
    """Nothing for `complete`."""
    match word:
        case "fail":
            raise PermanentError("no children, please")
        case "retry":
            raise ConnectionError("another time")
        case "snooze":
            raise Snooze(0.1)
        case "hang":
            await asyncio.sleep(600)
        case "unstorable":
            return float("nan")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
    return None


@job("sync_parent", max_retries=0)
def sync_parent(payload: Family) -> list[str]:
    """The same call in a sync actor, from a thread of its own too."""
    ids = [submit("child", {"name": "from the actor"})]
    sent = submit_now("child", {"name": "at once"}, key="now")
    return [str(job_id) for job_id in (*ids, sent.wait())]


@job("careless", max_retries=0)
async def careless() -> str:
    """Sends at once, and does not wait for the word that it is safe."""
    return str(submit_now("child", {"name": "careless"}).id)


@job("thrifty", max_retries=0)
async def thrifty(payload: Name) -> list[str]:
    """Asks for the same work three times: twice at once, and with its own end."""
    name, unique = {"name": payload.name}, {"by": ["payload.name"]}
    ids = [await submit_now("child", name, delay=60, unique=unique) for _ in range(2)]
    submit("child", name, delay=60, unique=unique)
    return [str(job_id) for job_id in ids]


@job("mover", queue=os.environ.get("MOVER_QUEUE", "default"), retry_base_seconds=0.5)
async def mover(payload: Family) -> str:
    """Its queue is another one in another version of this module."""
    starts = witness("started")
    await asyncio.sleep(payload.seconds)
    await _end(payload.ends[min(starts, len(payload.ends)) - 1])
    return context().queue


if "NEWCOMER" in os.environ:

    @job("newcomer")
    async def newcomer(payload: Name) -> None:
        """The younger version of this module has a type more."""
        witness("started")


@job("orphaned_thread", max_retries=0)
def orphaned_thread() -> str:
    """A thread that was started without its job is told so."""
    heard: list[str] = []

    def work() -> None:
        try:
            submit("child")
        except RuntimeError as e:
            heard.append(str(e))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return heard[0]
