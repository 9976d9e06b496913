"""The socket of one connection: what comes in goes by our own reader first, and what that leaves to the library's.

Talks TCP or TLS as the library would, through the door that it leaves open for other transports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, SupportsIndex

import aio_pika
from aio_pika.abc import ConnectionParameter
from aio_pika.connection import make_url
from aiormq.connection import TransportFactory
from pamqp.common import FieldTable
from yarl import URL

from wire.rabbitmq.deliveries import Deliveries
from wire.signature import client_properties


async def connect(url: str, name: str, heartbeat_seconds: int, deliveries: Deliveries) -> Connection:
    """A connection whose deliveries are taken out by these."""
    factory = _Transport(deliveries)
    transport: Any = {"transport_factory": factory}  # aio-pika hands on what it does not know by name
    said: FieldTable = {**client_properties(name)}
    connection = Connection(make_url(url, heartbeat=heartbeat_seconds), client_properties=said, **transport)
    await connection.connect()
    assert factory.writer is not None
    connection.writer = factory.writer
    return connection


class Connection(aio_pika.Connection):
    """aio-pika's, which tells what it writes with."""

    writer: asyncio.StreamWriter
    PARAMETERS = (
        *aio_pika.Connection.PARAMETERS,
        ConnectionParameter("transport_factory", parser=lambda factory: factory, is_kwarg=True),
    )

    def __del__(self) -> None:
        """Nothing: who opened it closes it.

        The library's begins a task to close it, on whichever loop it finds while the garbage is collected.
        """


class _Transport(TransportFactory):
    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self.writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        provider, loop = kwargs.pop("ssl_context_provider"), asyncio.get_running_loop()
        secret = await provider.get_context() if url.scheme == "amqps" else None
        reader = _Reader(self._deliveries)
        protocol = asyncio.StreamReaderProtocol(reader)
        make = loop.create_connection(lambda: protocol, url.host or "", url.port or 0, ssl=secret, **kwargs)
        transport, _ = await make
        self.writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return reader, self.writer


class _Reader(asyncio.StreamReader):
    """What asyncio's protocol hands the bytes to, as they come."""

    def __init__(self, deliveries: Deliveries) -> None:
        super().__init__()
        self._deliveries = deliveries

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        super().feed_data(self._deliveries.feed(bytes(data)))
