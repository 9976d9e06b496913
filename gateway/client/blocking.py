"""`SyncClient`: the same calls for programs without a loop.

Each is made of the one in `calls`, with its arguments and types, and runs on a loop of the client's own, on a thread.
Any thread may call.  A process that was forked makes a new loop and new connections, so a web server may make its
client before it forks.  On a running loop a call would hold up everything else there, and is refused.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from gateway.client.calls import PATIENCE_SECONDS, Client
from gateway.client.replies import LogLine

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def _blocking(
    call: Callable[Concatenate[Client, Arguments], Coroutine[Any, Any, Answer]],
) -> Callable[Concatenate[SyncClient, Arguments], Answer]:
    @functools.wraps(call)
    def blocking(self: SyncClient, /, *words: Arguments.args, **named: Arguments.kwargs) -> Answer:
        _refuse_a_loop(call.__name__)
        side = self._side
        return side.run(call(side.client, *words, **named))

    return blocking


class SyncClient:
    """A gateway to talk to, with the arguments of `Client`."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        amqp_url: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._make = functools.partial(
            Client, url, api_key=api_key, amqp_url=amqp_url, patience_seconds=patience_seconds
        )
        self._lock = threading.Lock()
        self._made: _Side | None = None

    submit = _blocking(Client.submit)
    submit_many = _blocking(Client.submit_many)
    get = _blocking(Client.get)
    wait = _blocking(Client.wait)
    list = _blocking(Client.list)
    cancel = _blocking(Client.cancel)
    retry = _blocking(Client.retry)
    attempts = _blocking(Client.attempts)
    logs = _blocking(Client.logs)
    why = _blocking(Client.why)
    timeline = _blocking(Client.timeline)
    delete = _blocking(Client.delete)
    dead_letters = _blocking(Client.dead_letters)
    dead_letter = _blocking(Client.dead_letter)
    redrive = _blocking(Client.redrive)
    discard = _blocking(Client.discard)
    job_types = _blocking(Client.job_types)
    job_type = _blocking(Client.job_type)
    artifacts = _blocking(Client.artifacts)
    read_artifact = _blocking(Client.read_artifact)
    download_artifact = _blocking(Client.download_artifact)
    delete_artifact = _blocking(Client.delete_artifact)
    submit_batch = _blocking(Client.submit_batch)
    add_to_batch = _blocking(Client.add_to_batch)
    close_batch = _blocking(Client.close_batch)
    batch = _blocking(Client.batch)
    batches = _blocking(Client.batches)
    wait_for_batch = _blocking(Client.wait_for_batch)
    cancel_batch = _blocking(Client.cancel_batch)
    retry_batch = _blocking(Client.retry_batch)
    delete_batch = _blocking(Client.delete_batch)
    crawl = _blocking(Client.crawl)
    crawl_status = _blocking(Client.crawl_status)
    crawl_results = _blocking(Client.crawl_results)
    wait_for_crawl = _blocking(Client.wait_for_crawl)
    delete_crawl = _blocking(Client.delete_crawl)
    make_schedule = _blocking(Client.make_schedule)
    schedule = _blocking(Client.schedule)
    schedules = _blocking(Client.schedules)
    edit_schedule = _blocking(Client.edit_schedule)
    delete_schedule = _blocking(Client.delete_schedule)
    pause_schedule = _blocking(Client.pause_schedule)
    resume_schedule = _blocking(Client.resume_schedule)
    trigger_schedule = _blocking(Client.trigger_schedule)
    backfill_schedule = _blocking(Client.backfill_schedule)
    schedule_runs = _blocking(Client.schedule_runs)
    preview_schedule = _blocking(Client.preview_schedule)

    def follow_logs(
        self, job_id: UUID | str, *, attempt: int | None = None, limit: int | None = None
    ) -> Generator[LogLine, None, None]:
        """The last lines that there are, then each that comes, until the job has ended or is deleted."""
        _refuse_a_loop("follow_logs")
        side = self._side
        lines, turn = side.client.follow_logs(job_id, attempt=attempt, limit=limit), asyncio.Lock()

        async def following() -> LogLine | None:
            async with turn:
                return await anext(lines, None)

        async def ending() -> None:
            async with turn:  # a wait that was interrupted has to be over: a generator that runs cannot be closed
                await lines.aclose()

        try:
            while (line := side.run(following())) is not None:
                yield line
        finally:
            if not side.over:
                side.run(ending())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the thread; a call after it opens them again."""
        with self._lock:
            side, self._made = self._made, None
        if side is not None and side.process == os.getpid():
            side.end()

    @property
    def _side(self) -> _Side:
        with self._lock:
            if self._made is None or self._made.process != os.getpid():
                self._made = _Side(self._make())
            return self._made


class _Side:
    """A loop on a thread of its own, and the client that lives there."""

    def __init__(self, client: Client) -> None:
        self.client, self.process = client, os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="warren client", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        return self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # whoever waited was interrupted: nobody waits for the rest of it
            raise

    def end(self) -> None:
        self.run(self.client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _refuse_a_loop(name: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"SyncClient.{name}() would hold up this loop and everything on it; use Client and await")
