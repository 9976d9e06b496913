"""The figures of the whole cluster, told by one scheduler: the one that holds the lead.

They are read when somebody scrapes, at most once in a few seconds, so a cluster that nobody watches pays nothing.  All
schedulers must be scraped: another one takes the lead over when the first has gone, and until then the others tell
nothing of the cluster.  A store that is away takes its figures with it, for an old one would look like a good one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from persistence.crew import workforce
from persistence.crew.workforce import Standing
from persistence.declared import job_types, pauses
from persistence.declared.pauses import Kind
from persistence.questions import census, counts
from persistence.schedules import census as schedules
from persistence.store.database import COLLIDED, Database
from persistence.store.lead import Lead
from wire import ladder
from wire.errors import Unavailable
from wire.metrics import table
from wire.metrics.kinds import Gauge, Labels
from wire.rabbitmq.amqp import Broker
from wire.signature import signature
from wire.states import WAITING, State
from wire.topology import BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE, work_queue

log = structlog.get_logger()

FRESH_SECONDS: Final = 2.0  # less than anybody's time between two scrapes
# By when each has answered, from the first question on: a store that hangs must not cost a scrape, which has five
LEADS_BY, POSTGRES_BY, RABBITMQ_BY = 1.0, 3.0, 4.0
OF_POSTGRES: Final[tuple[Gauge, ...]] = (
    table.QUEUE_SIZE, table.QUEUE_OLDEST, table.QUEUE_PAUSED, table.QUEUE_CONSUMERS, table.JOBS, table.ACTIVE_WORKERS,
    table.WORKERS_CONSUMING, table.CLUSTER_SLOTS, table.CLUSTER_SLOTS_FREE, table.LETTERS, table.OUTBOX_ROWS,
    table.OUTBOX_OLDEST, table.SCHEDULES, table.SCHEDULES_BEHIND, table.DATABASE_SESSIONS,
    table.DATABASE_SESSIONS_MOST, table.DATABASE_BYTES,
)  # fmt: skip
OF_RABBITMQ: Final[tuple[Gauge, ...]] = (table.BROKER_READY, table.LADDER, table.DELAYED)


class Figures:
    """Of Postgres and of RabbitMQ, as far as each answers."""

    def __init__(self, database: Database, broker: Broker, lease_seconds: float) -> None:
        self._database, self._broker, self._lease_seconds = database, broker, lease_seconds
        self.lead = Lead(database, census.LOCK, signature("scheduler", "lead"))
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._queues: Sequence[str] = ()
        self._levels: set[tuple[str, str]] = set()  # that have had a job: an empty one is told as 0, not left out

    async def gather(self) -> None:
        """Have them stand in the table, or nothing where this scheduler does not lead."""
        async with self._asking:
            if time.monotonic() - self._asked_at < FRESH_SECONDS:
                return
            self._asked_at = time.monotonic()
            leads = await self._answers(self._leads, LEADS_BY, ())
            table.LEADS.set(leads)
            if leads:
                await self._answers(self._ask_postgres, POSTGRES_BY, OF_POSTGRES)  # first: it knows the queues
                await self._answers(self._ask_rabbitmq, RABBITMQ_BY, OF_RABBITMQ)
            else:
                _forget(OF_POSTGRES + OF_RABBITMQ)

    async def _answers(self, ask: Callable[[], Awaitable[bool]], by: float, gauges: Sequence[Gauge]) -> bool:
        try:
            async with asyncio.timeout(self._asked_at + by - time.monotonic()):
                return await ask()
        except (Unavailable, TimeoutError, *COLLIDED) as e:
            log.warning("figures_not_read", error=str(e) or "no answer in time")
            _forget(gauges)
            return False

    async def _leads(self) -> bool:
        return await self.lead.held()

    async def _ask_postgres(self) -> bool:
        types = await job_types.known(self._database, self._lease_seconds)
        self._queues = sorted({job_type.queue for job_type in types})
        await self._ask_for_jobs()
        await self._ask_for_workers()
        letters = [found for found in await counts.letters(self._database) if not found.redriven]
        table.LETTERS.replace({(found.reason,): found.letters for found in letters})
        _tell_census(await census.census(self._database))
        await self._ask_for_schedules()
        return True

    async def _ask_for_jobs(self) -> None:
        by_state, queued, levels = Counter[Labels](), Counter[Labels](), set[tuple[str, int]]()
        for found in await counts.jobs(self._database):
            by_state[found.type, found.state.value] += found.jobs
            if found.state is State.QUEUED:
                queued[found.queue, str(found.priority)] += found.jobs
            if found.state in WAITING:
                levels.add((found.queue, found.priority))
        oldest = await counts.oldest(self._database, sorted(levels))
        self._levels |= {(queue, str(priority)) for queue, priority in levels}
        shown = {level for level in self._levels if level[0] in self._queues} | {(queue, "5") for queue in self._queues}
        table.JOBS.replace(by_state)
        table.QUEUE_SIZE.replace({level: queued[level] for level in shown | set(queued)})
        table.QUEUE_OLDEST.replace({level: oldest.get((level[0], int(level[1])), 0.0) for level in shown})

    async def _ask_for_workers(self) -> None:
        strength = await workforce.strength(self._database, self._lease_seconds)
        table.ACTIVE_WORKERS.set(strength.alive)
        table.WORKERS_CONSUMING.set(strength.consuming)
        table.CLUSTER_SLOTS.set(strength.slots)
        table.CLUSTER_SLOTS_FREE.set(strength.free_slots)
        consumers = Counter[Labels]({(queue,): 0 for queue in self._queues})
        for member in await workforce.members(self._database, self._lease_seconds):
            if member.consuming and member.standing is not Standing.SILENT:
                consumers.update((queue,) for queue in member.queues if queue not in member.paused)
        table.QUEUE_CONSUMERS.replace(consumers)
        paused = [found.name for found in await pauses.every(self._database) if found.kind is Kind.QUEUE]
        table.QUEUE_PAUSED.replace({(queue,): queue in paused for queue in {*self._queues, *paused}})

    async def _ask_for_schedules(self) -> None:
        found = await schedules.census(self._database)
        table.SCHEDULES.replace({(standing,): number for standing, number in found.schedules.items()})
        table.SCHEDULES_BEHIND.set(found.behind_seconds)

    async def _ask_rabbitmq(self) -> bool:
        levels = {ladder.level_name(level): f"{level:02}" for level in range(ladder.LEVELS)}
        queues = [BIRTHS, DEAD_QUEUE, UNROUTED_QUEUE, *map(work_queue, self._queues)]
        depths = await self._broker.depths([*queues, *levels])
        table.BROKER_READY.replace({(queue,): depths[queue] for queue in queues if queue in depths})
        table.LADDER.replace({(level,): depths[queue] for queue, level in levels.items() if queue in depths})
        table.DELAYED.set(sum(depths.get(queue, 0) for queue in levels))
        return True


def _tell_census(found: census.Census) -> None:
    table.OUTBOX_ROWS.set(found.outbox_rows)
    table.OUTBOX_OLDEST.set(found.outbox_oldest_seconds)
    table.DATABASE_SESSIONS.replace({(state,): sessions for state, sessions in found.sessions.items()})
    table.DATABASE_SESSIONS_MOST.set(found.sessions_limit)
    table.DATABASE_BYTES.set(found.bytes)


def _forget(gauges: Sequence[Gauge]) -> None:
    for gauge in gauges:
        gauge.clear()
