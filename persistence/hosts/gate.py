"""The gate through which a process's jobs come to a turn: whatever asks or leaves at a moment goes in one transaction.

Hosts are locked in the order of their names, so that two processes never wait for each other crosswise.  With Postgres
away who asks waits and who has left is not forgotten: until that is written the host has no turn for anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import structlog

from persistence.accepting.outbox import Post
from persistence.hosts import calls, turns
from persistence.hosts.turns import Asking, Leaving, Left, Turn
from persistence.store.database import COLLIDED, Database
from wire.errors import DatabaseUnavailable
from wire.lifecycle import ended, lasting
from wire.metrics import table as metrics
from wire.rabbitmq.backoff import waits
from wire.settings import Politeness

log = structlog.get_logger()

GROUP: Final = 200
GRACE_SECONDS: Final = 2.0  # at the end, to tell of the last visits; what is not told ends by its deadline
Key = tuple[str, UUID]
T = TypeVar("T")


class Turns(Protocol):
    """What a visit needs of a gate; a child process has one that leads to its worker's."""

    @property
    def settings(self) -> Politeness: ...
    @property
    def database(self) -> Database: ...

    async def ask(self, asking: Asking) -> Turn: ...

    def leave(self, leaving: Leaving) -> asyncio.Future[Left]: ...


class Gate:
    """One a lane; `publish` takes the messages of those that are called."""

    def __init__(self, database: Database, publish: Callable[[Sequence[Post]], None], settings: Politeness) -> None:
        self.database, self.settings, self._publish = database, settings, publish
        self._asking: dict[Key, tuple[Asking, asyncio.Future[Turn]]] = {}
        self._leaving: list[tuple[Leaving, asyncio.Future[Left]]] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = lasting(self._work(), "gate")

    async def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        task, self._task = self._task, None
        await ended(task, GRACE_SECONDS)

    async def ask(self, asking: Asking) -> Turn:
        """The answer to one job, which must ask a host once at a time; who does not wait for it gives its turn back."""
        key = asking.host, asking.job_id
        answer: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._asking[key] = asking, answer
        self._wake.set()
        try:
            turn = await answer
        except BaseException:
            if self._asking.pop(key, None) is None:
                self.leave(Leaving(asking.host, asking.job_id, asking.lease, seconds=0.0, used=False))
            raise
        metrics.HOST_TURNS.add("given" if turn.begins else "promised" if turn.ahead is None else "in_line")
        return turn

    def leave(self, leaving: Leaving) -> asyncio.Future[Left]:
        """A request has ended.  Nobody has to wait for that to be written."""
        left: asyncio.Future[Left] = asyncio.get_running_loop().create_future()
        self._leaving.append((leaving, left))
        self._wake.set()
        return left

    async def _work(self) -> None:
        while not self._stopping or self._leaving:
            await self._wake.wait()
            self._wake.clear()
            while self._leaving or self._asking:  # no linger: a group is what has come during the previous one
                if self._leaving:  # first: who leaves and asks again must not be in his own way
                    await self._leave_all(self._leaving[:GROUP])
                else:
                    await self._ask_all([self._asking.pop(key) for key in list(self._asking)[:GROUP]])

    async def _leave_all(self, group: list[tuple[Leaving, asyncio.Future[Left]]]) -> None:
        if not group:
            return
        try:
            with metrics.batch("leave", len(group)):
                left, posts = await _until_done(partial(self._left, [leaving for leaving, _ in group]), "leave")
        except Exception as e:  # noqa: BLE001 - not foreseen: their turns end by their deadlines
            _fail(group, e, "leave")
            return
        finally:
            del self._leaving[: len(group)]
        self._publish(posts)
        for leaving, future in group:
            if not future.done():
                future.set_result(left[leaving.host])

    async def _left(self, group: Sequence[Leaving]) -> tuple[dict[str, Left], list[Post]]:
        async with self.database.transaction() as transaction:
            await turns.lock_known(transaction, sorted({one.host for one in group}))
            left = await turns.leave(transaction, _each_once(group), self.settings.longest_delay_seconds)
            lines = [host for host, how in left.items() if how.has_line]
            posts = await calls.call(transaction, lines) if lines else []
        for host, how in left.items():
            if how.slowed_to > how.slowed_from:
                metrics.HOST_SLOWDOWNS.add("refused" if any(o.refused for o in group if o.host == host) else "slow")
        return left, posts

    async def _ask_all(self, group: list[tuple[Asking, asyncio.Future[Turn]]]) -> None:
        group = [(asking, answer) for asking, answer in group if not answer.cancelled()]
        if not group:
            return
        try:
            with metrics.batch("ask", len(group)):
                given = await _until_done(partial(self._asked, [asking for asking, _ in group]), "ask")
        except Exception as e:  # noqa: BLE001 - not foreseen: these attempts fail, and the process goes on
            _fail(group, e, "ask")
            return
        for asking, answer in group:
            if not answer.done():
                answer.set_result(given[asking.host, asking.job_id])

    async def _asked(self, group: Sequence[Asking]) -> dict[Key, Turn]:
        delays = {asking.host: asking.delay_seconds for asking in sorted(group, key=lambda one: one.host)}
        async with self.database.transaction() as transaction:
            await turns.lock(transaction, delays, self.settings.concurrency)
            return await turns.ask(transaction, group)


def _each_once(group: Iterable[Leaving]) -> list[Leaving]:
    """A job that has left a host twice since then is told of by what it did last."""
    return list({(one.host, one.job_id): one for one in group}.values())


async def _until_done(step: Callable[[], Awaitable[T]], name: str) -> T:
    for seconds in waits():
        try:
            return await step()
        except (DatabaseUnavailable, *COLLIDED) as e:
            log.warning("gate_waits_for_database", step=name, error=str(e))
            await asyncio.sleep(seconds)
    raise AssertionError("waits() never ends")


def _fail(group: Sequence[tuple[object, asyncio.Future[Any]]], error: Exception, step: str) -> None:
    log.error("gate_failed", step=step, visits=len(group), exc_info=error)
    for _, future in group:
        if not future.done():
            future.set_exception(error)
            future.exception()  # seen here: nobody may be waiting for it
