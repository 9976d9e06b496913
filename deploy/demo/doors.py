"""The doors that the demo finds open: HTTP always, AMQP and SQL where the environment knows their addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from deploy.demo.suppliers import Suppliers
from deploy.servers import addresses
from persistence.store.database import Database
from warren import Client, submit_in
from wire.signature import signature

if TYPE_CHECKING:
    from wire.asked import Said

PATIENCE_SECONDS = 10.0
CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Places:
    """Where one Warren is."""

    url: str
    api_key: str | None
    amqp_url: str | None
    database_url: str | None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Places:
        url = (environ.get("WARREN_URL") or "http://127.0.0.1:8000").rstrip("/")
        key = environ.get("WARREN_API_KEY") or None
        return cls(url, key, addresses.amqp_url(environ), addresses.database_url(environ))


@dataclass(frozen=True, slots=True)
class Doors:
    http: Client
    amqp: Client | None
    database: Database | None
    suppliers: Suppliers | None = None  # whose pages the workers may read
    served: frozenset[str] = frozenset()  # the types that some worker does

    async def sql(self, job_type: str, payload: dict[str, Any], **said: Any) -> UUID:
        """Submit in a transaction, as a service does that shares the database."""
        assert self.database is not None, "only deeds whose door is open are done"
        options: Said = {**said}  # type: ignore[typeddict-item]
        async with self.database.transaction() as connection:
            return UUID(str(await submit_in(connection, job_type, payload, **options)))


@asynccontextmanager
async def opened(places: Places) -> AsyncIterator[Doors]:
    """Nothing connects before it is used: a door whose server is away is a fault of its deeds alone."""
    http = Client(places.url, api_key=places.api_key, patience_seconds=PATIENCE_SECONDS)
    amqp = Client(amqp_url=places.amqp_url, patience_seconds=PATIENCE_SECONDS) if places.amqp_url else None
    database = _database(places.database_url) if places.database_url else None
    try:
        yield Doors(http, amqp, database)
    finally:
        await http.close()
        if amqp:
            await amqp.close()
        if database:
            await database.stop()


def _database(url: str) -> Database:
    return Database(url, signature("demo"), connections=CONNECTIONS, timeout_seconds=PATIENCE_SECONDS)
