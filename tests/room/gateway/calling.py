"""What a caller of the gRPC door has: the stub that everybody gets from the .proto, and how a refusal reads."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # its threads would wake in the children that tests start
import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from gateway.rpc.proto import job_scheduler_pb2 as proto
from gateway.rpc.proto.job_scheduler_pb2_grpc import JobSchedulerServiceStub

__all__ = [
    "ECHO", "SERVICE", "Caller", "ProtoReflectionDescriptorDatabase", "calling", "grpc", "health_pb2",
    "health_pb2_grpc", "proto", "refused",
]  # fmt: skip

SERVICE = "warren.v1.JobSchedulerService"
ECHO = '{"message": "hi"}'


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller is told who is refused."""

    code: str
    sentence: str
    request_id: str
    reason: str
    fields: list[str]
    job_id: str
    retry_seconds: int | None


@asynccontextmanager
async def calling(port: int, **options: Any) -> AsyncIterator[Caller]:
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0), *options.items()]
    ) as channel:
        yield Caller(channel, JobSchedulerServiceStub(channel))


@dataclass(frozen=True, slots=True)
class Caller:
    """A channel to one gateway."""

    channel: Any
    stub: Any

    async def submit(self, payload: str = ECHO, job_type: str = "echo", **fields: Any) -> proto.SubmitJobResponse:
        return await self.stub.SubmitJob(
            proto.SubmitJobRequest(job_type=job_type, payload=payload, **fields), timeout=30
        )

    async def get(self, job_id: str, **fields: Any) -> proto.Job:
        return await self.stub.GetJob(proto.GetJobRequest(job_id=job_id, **fields), timeout=30)

    async def page(self, **fields: Any) -> proto.ListJobsResponse:
        return await self.stub.ListJobs(proto.ListJobsRequest(**fields), timeout=30)

    async def cancel(self, job_id: str) -> proto.Job:
        return await self.stub.CancelJob(proto.CancelJobRequest(job_id=job_id), timeout=30)

    async def raw(self, method: str, message: bytes, **options: Any) -> bytes:
        """These bytes, whatever they are."""
        answer: bytes = await self.channel.unary_unary(f"/{SERVICE}/{method}")(message, timeout=30, **options)
        return answer


async def refused(call: Any) -> Refusal:
    """What this call is refused with."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as e:
        return told(e)
    raise AssertionError(f"it was not refused: {answer}")


def told(error: Any) -> Refusal:
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
    found: dict[type, Any] = {}
    for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
        found[kind] = next((_unpacked(one, kind) for one in status.details if one.Is(kind.DESCRIPTOR)), None)
    info, bad, again = found.values()
    return Refusal(
        error.code().name,
        error.details() or "",
        trailers.get("x-request-id", ""),
        info.reason if info else "",
        [one.field for one in bad.field_violations] if bad else [],
        trailers.get("job-id", ""),
        again.retry_delay.seconds if again else None,
    )


def _unpacked(detail: Any, kind: Any) -> Any:
    message = kind()
    detail.Unpack(message)
    return message
