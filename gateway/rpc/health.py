"""grpc.health.v1: what `/health/ready` says, for the whole server and for the service by its name.  Open to probes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2

from gateway.entrance.problems import Refusal
from gateway.health import FRESH_SECONDS, Reporter
from gateway.rpc.door import Call, Method
from gateway.rpc.jobs import SERVICE as JOBS
from gateway.rpc.requests import read
from wire.errors import Refused
from wire.lifecycle import pause

SERVICE: Final = str(health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
KNOWN: Final = ("", JOBS, SERVICE)

Response = health_pb2.HealthCheckResponse


class Health:
    """The methods of the service."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._over = asyncio.Event()

    def methods(self) -> list[Method[health_pb2.HealthCheckRequest]]:
        return [Method("Check", health_pb2.HealthCheckRequest, self.check, open=True, quiet=True)]

    def streams(self) -> dict[str, Any]:
        return {"Watch": grpc.unary_stream_rpc_method_handler(self.watch)}

    async def check(self, asked: health_pb2.HealthCheckRequest, _: Call) -> health_pb2.HealthCheckResponse:
        if asked.service not in KNOWN:
            detail = f"there is no service {asked.service[:100]!r}"
            raise Refusal("not_found", detail, field="service", remedy=f"leave it out, or ask for {JOBS}")
        return Response(status=await self._status())

    async def watch(self, raw: bytes, context: Any) -> AsyncIterator[bytes]:
        """How it stands, and again whenever that changes; a service that is not known may come to be, says gRPC."""
        try:
            asked = read(health_pb2.HealthCheckRequest, raw)
        except Refused as e:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(e))
        last = None
        while not self._over.is_set():
            status = await self._status() if asked.service in KNOWN else Response.SERVICE_UNKNOWN
            if status != last:
                yield Response(status=status).SerializeToString()
            last = status
            await pause(self._over, FRESH_SECONDS)
        yield Response(status=Response.NOT_SERVING).SerializeToString()

    def stop(self) -> None:
        """Let all go who watch."""
        self._over.set()

    async def _status(self) -> Any:
        report = await self._reporter.report()
        return Response.NOT_SERVING if report.status == "down" else Response.SERVING
