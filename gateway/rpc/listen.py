"""Open the port of gRPC, if there is to be one, and close it after the calls under way.

gRPC is loaded here, and only when a port is opened: it is 8 MB, and its threads are none of anybody else's business.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, Final

import structlog

from gateway.entrance.listen import DRAIN_SECONDS, told
from gateway.rpc.parts import Parts
from wire.errors import SettingsError
from wire.lifecycle import Service
from wire.settings import Gateway

log = structlog.get_logger()

SETTING: Final = "WARREN_GRPC_PORT"


class RpcListener:
    """The port as a service; with port 0 there is none."""

    def __init__(self, settings: Gateway, parts: Parts, held: Sequence[Service]) -> None:
        self._host, self._port, self.parts, self._held = settings.host, settings.grpc_port, parts, held
        self._server: Any = None

    async def start(self) -> None:
        if not self._port:
            return
        await self._refuse_a_taken_port()
        # gRPC's threads would wake in a child that somebody forks; and what its core has to say is no line of our log
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from gateway.rpc.server import Server  # noqa: PLC0415 - see above

        server = self._server = Server(self.parts)
        try:
            await server.start(f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}")
        except RuntimeError as e:  # taken a moment ago
            raise SettingsError([f"port {self._port} on {self._host} cannot be opened for gRPC: {SETTING}"]) from e
        log.info("listening_for_grpc", host=self._host, port=self._port)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for one in self._held:
            await one.stop()  # before the drain, which would else last as long as the longest wait_seconds
        await server.stop(DRAIN_SECONDS)

    async def _refuse_a_taken_port(self) -> None:
        """Tried by ourselves first: gRPC would not say what is wrong."""
        loop = asyncio.get_running_loop()
        try:
            probe = await loop.create_server(asyncio.Protocol, self._host, self._port, start_serving=False)
        except OSError as e:
            raise SettingsError([told(e, self._host, self._port, SETTING)]) from e
        probe.close()
        await probe.wait_closed()
