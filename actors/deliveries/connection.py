"""pika's connection to RabbitMQ, with the deliveries taken out before pika reads them (wire/rabbitmq/deliveries.py).

pika makes an object of each of a delivery's three frames, reads 4 KB at a time and copies what is left of them once a
frame: 15 µs a job, as much as to run it.  Everything else is pika's, untouched and in its order.
"""

from __future__ import annotations

from typing import Any, Final

from pika.adapters.asyncio_connection import AsyncioConnection
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from wire.rabbitmq.deliveries import Deliveries

READ_BYTES: Final = 64 * 1024  # at once; pika's 4 KB are ten messages


class Connection(AsyncioConnection):  # type: ignore[misc]
    """Takes bytes where pika takes them."""

    def __init__(self, deliveries: Deliveries, *arguments: Any, **named: Any) -> None:
        self._deliveries = deliveries
        super().__init__(*arguments, **named)

    def _proto_connection_made(self, transport: Any) -> None:
        transport._MAX_RECV_BYTES = READ_BYTES
        if isinstance(transport, _AsyncPlaintextTransport):  # what TLS has unpacked already would not wake us again
            transport._MAX_CONSUME_BYTES = 1  # a read a turn: to be told that there is no more costs one as well
        super()._proto_connection_made(transport)

    def _on_data_available(self, data_in: bytes) -> None:
        super()._on_data_available(self._deliveries.feed(data_in))
