"""Say how the gateway stands: alive, ready, and each store by name with the time it took to answer.

Open to probes without a key, so it names no hosts and repeats no errors (the log has them), and asks the stores at most
once a second however many probes there are.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web

from persistence import workers
from persistence.database import Database
from wire.amqp import Broker
from wire.errors import Unavailable
from wire.version import VERSION

FRESH_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 2.0  # a probe that waits longer is taken for dead by most who probe

Status = Literal["ok", "away"]


class Check(msgspec.Struct, frozen=True):
    status: Status
    ms: float


class BrokerCheck(msgspec.Struct, frozen=True):
    status: Status
    ms: float
    version: str | None


class WorkersCheck(msgspec.Struct, frozen=True):
    status: Literal["ok", "none", "unknown"]
    alive: int | None
    consuming: int | None


class Checks(msgspec.Struct, frozen=True):
    database: Check
    broker: BrokerCheck
    workers: WorkersCheck


class Health(msgspec.Struct, frozen=True):
    """`down`: not ready.  `degraded`: ready, but no worker consumes."""

    status: Annotated[Literal["ok", "degraded", "down"], msgspec.Meta(description="down also answers 503")]
    version: str
    time: datetime
    checks: Checks


class Alive(msgspec.Struct, frozen=True):
    status: Literal["ok"] = "ok"


class Reporter:
    """Asks the stores, and remembers the answer for a moment."""

    def __init__(self, database: Database, broker: Broker, lease_seconds: float) -> None:
        self._database, self._broker, self._lease_seconds = database, broker, lease_seconds
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
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
        """200 when Postgres and RabbitMQ are reachable, else 503; the checks either way."""
        health = await self.report()
        return _response(health, 503 if health.status == "down" else 200)

    async def report(self) -> Health:
        async with self._asking:
            if self._last is None or time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._last = await self._ask()
                self._asked_at = time.monotonic()
            return self._last

    async def _ask(self) -> Health:
        (database, crew), broker = await asyncio.gather(self._ask_database(), self._ask_broker())
        away = "away" in (database.status, broker.status)
        status: Literal["ok", "degraded", "down"] = "down" if away else "ok" if crew.consuming else "degraded"
        return Health(status, VERSION, datetime.now(UTC), Checks(database, broker, crew))

    async def _ask_database(self) -> tuple[Check, WorkersCheck]:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                alive, consuming = await workers.count_alive(self._database, self._lease_seconds)
        except (Unavailable, TimeoutError):
            return Check("away", _since(started)), WorkersCheck("unknown", None, None)
        return Check("ok", _since(started)), WorkersCheck("ok" if consuming else "none", alive, consuming)

    async def _ask_broker(self) -> BrokerCheck:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._broker.ping()
        except (Unavailable, TimeoutError):
            return BrokerCheck("away", _since(started), None)
        return BrokerCheck("ok", _since(started), self._broker.version)


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _response(health: Health | Alive, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(health), status=status, content_type="application/json")
