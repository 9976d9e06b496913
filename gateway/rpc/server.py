"""The server of gRPC with all its services; loaded when a port is opened, and not before."""

from __future__ import annotations

from typing import Any, Final

import grpc.aio
from grpc_reflection.v1alpha import reflection

from gateway.rpc import health, jobs
from gateway.rpc.door import Door
from gateway.rpc.health import Health
from gateway.rpc.jobs import Jobs
from gateway.rpc.parts import Parts

MOST_CALLS: Final = 2_000  # at once, those that wait for a job's end with them
MOST_CONNECTIONS: Final = 2_000
BESIDE_BYTES: Final = 65_536  # that much more than a job may have is read, so that the refusal can name the limit
HANDSHAKE_SECONDS: Final = 15
IDLE_SECONDS: Final = 900  # a connection without calls is closed then; clients open another by themselves


class Server:
    """All services behind one port."""

    def __init__(self, parts: Parts, most_calls: int = MOST_CALLS) -> None:
        self._door, self._health = Door(parts.access), Health(parts.reporter)
        service = Jobs(parts.submitter, parts.acceptor, parts.standing, parts.cancelling, parts.trace_url)
        self._server: Any = grpc.aio.server(
            maximum_concurrent_rpcs=most_calls,
            options=[
                ("grpc.so_reuseport", 0),  # or two Warrens would share a port and know nothing of each other
                ("grpc.max_receive_message_length", parts.max_bytes + BESIDE_BYTES),
                ("grpc.max_allowed_incoming_connections", MOST_CONNECTIONS),
                ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
                ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1000),
            ],
        )
        self._server.add_generic_rpc_handlers((
            self._door.service(jobs.SERVICE, *service.methods()),
            self._door.service(health.SERVICE, *self._health.methods(), **self._health.streams()),
        ))  # fmt: skip
        reflection.enable_server_reflection((jobs.SERVICE, health.SERVICE, reflection.SERVICE_NAME), self._server)

    async def start(self, address: str) -> None:
        """Listen there; RuntimeError if that cannot be."""
        self._server.add_insecure_port(address)
        await self._server.start()

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls, and let those under way end."""
        self._health.stop()
        await self._server.stop(grace_seconds)
        await self._door.stop()
