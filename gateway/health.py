"""Say how the gateway stands: alive, ready, and each store by name with the time it took to answer.

Open to probes without a key, so it names no hosts and repeats no errors (the log has them), and asks the stores at most
once a second however many probes there are.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web

from persistence.crew import workers
from persistence.declared import pauses
from persistence.declared.pauses import Kind
from persistence.store.database import Database
from wire.errors import Unavailable
from wire.rabbitmq.amqp import Broker
from wire.version import VERSION

FRESH_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 2.0  # a probe that waits longer is taken for dead by most who probe

Status = Literal["ok", "away"]


class Check(msgspec.Struct, frozen=True):
    status: Status
    ms: float


class BrokerCheck(msgspec.Struct, frozen=True):
    """`blocked`: an alarm (memory, disk) keeps RabbitMQ from taking messages."""

    status: Literal["ok", "away", "blocked"]
    ms: float
    version: str | None


class WorkersCheck(msgspec.Struct, frozen=True):
    status: Literal["ok", "none", "unknown"]
    alive: int | None
    consuming: int | None


class PausesCheck(msgspec.Struct, frozen=True):
    """How many stand still; which, by whom and why is told to those with a key."""

    status: Literal["ok", "paused", "unknown"]
    queues: int | None
    types: int | None


class Checks(msgspec.Struct, frozen=True):
    database: Check
    broker: BrokerCheck
    workers: WorkersCheck
    pauses: PausesCheck


class Health(msgspec.Struct, frozen=True):
    """`down`: not ready.  `degraded`: ready, but no worker consumes.  A pause is somebody's will and no fault."""

    status: Annotated[Literal["ok", "degraded", "down"], msgspec.Meta(description="down also answers 503")]
    version: str
    time: datetime
    uptime_seconds: float
    checks: Checks


class Alive(msgspec.Struct, frozen=True):
    status: Literal["ok"] = "ok"


class Reporter:
    """Asks the stores, and remembers the answer for a moment."""

    def __init__(self, database: Database, broker: Broker, lease_seconds: float) -> None:
        self._database, self._broker, self._lease_seconds = database, broker, lease_seconds
        self._asking = asyncio.Lock()
        self._began, self._asked_at = time.monotonic(), float("-inf")
        self._last: Health | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health/live", self.live),
            web.get("/health/ready", self.ready),
            web.get("/health", self.ready),
        ]

    async def live(self, _: web.Request) -> web.Response:
        """200 as long as this process answers."""
        return _response(Alive(), 200)

    async def ready(self, _: web.Request) -> web.Response:
        """200 when Postgres and RabbitMQ are reachable and no alarm blocks us, else 503; the checks either way."""
        health = await self.report()
        return _response(health, 503 if health.status == "down" else 200)

    async def report(self) -> Health:
        async with self._asking:
            if self._last is None or time.monotonic() - self._asked_at > FRESH_SECONDS or self._is_refuted(self._last):
                self._asked_at = time.monotonic()
                self._last = await self._ask()
            return self._last

    def _is_refuted(self, last: Health) -> bool:
        """Whether it said that all is well, and a store has been lost since: whoever believed it would meet a 503."""
        lost = self._database.lost_since(self._asked_at) or not self._broker.connected
        return lost and last.status != "down"

    async def _ask(self) -> Health:
        (database, crew, paused), broker = await asyncio.gather(self._ask_database(), self._ask_broker())
        checks = Checks(database, broker, crew, paused)
        uptime_seconds = round(time.monotonic() - self._began, 1)
        return Health(status_of(checks), VERSION, datetime.now(UTC), uptime_seconds, checks)

    async def _ask_database(self) -> tuple[Check, WorkersCheck, PausesCheck]:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                alive, consuming = await workers.count_alive(self._database, self._lease_seconds)
                stand_still = Counter(one.kind for one in await pauses.every(self._database))
        except (Unavailable, TimeoutError):
            unknown = WorkersCheck("unknown", None, None), PausesCheck("unknown", None, None)
            return Check("away", _since(started)), *unknown
        crew = WorkersCheck("ok" if consuming else "none", alive, consuming)
        queues, types = stand_still[Kind.QUEUE], stand_still[Kind.TYPE]
        return Check("ok", _since(started)), crew, PausesCheck("paused" if stand_still else "ok", queues, types)

    async def _ask_broker(self) -> BrokerCheck:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._broker.ping()
        except (Unavailable, TimeoutError):
            return BrokerCheck("away", _since(started), None)
        return BrokerCheck("blocked" if self._broker.blocked else "ok", _since(started), self._broker.version)


def status_of(checks: Checks) -> Literal["ok", "degraded", "down"]:
    """What these come to."""
    if (checks.database.status, checks.broker.status) != ("ok", "ok"):
        return "down"
    return "ok" if checks.workers.consuming else "degraded"


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _response(health: Health | Alive, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(health), status=status, content_type="application/json")
