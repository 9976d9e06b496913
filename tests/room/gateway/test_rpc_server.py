"""The server of gRPC: who may come in, what is too much, how it says that it stands, and how it goes."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.machine.ports import free_port, free_ports
from gateway.entrance.problems import KINDS
from gateway.rpc.proto import job_scheduler_pb2 as proto
from tests.eventually import eventually
from tests.room.gateway.calling import (
    ECHO,
    SERVICE,
    Caller,
    ProtoReflectionDescriptorDatabase,
    calling,
    grpc,
    health_pb2,
    health_pb2_grpc,
    refused,
)
from tests.room.gateway.running import Running, gateway
from wire.envelope import MAX_BYTES
from wire.errors import SettingsError
from wire.metrics import table as metrics
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[3]
KEY = "a-key"
WITH_KEY = ("x-api-key", KEY)
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
def grpc_port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(stores: Stores, grpc_port: int) -> AsyncIterator[Running]:
    """A gateway with keys."""
    async with gateway(stores, grpc_port=grpc_port, api_keys=(KEY, "another")) as one:
        await one.topology_stands()
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(running: Running, grpc_port: int) -> AsyncIterator[Caller]:
    async with calling(grpc_port) as one:
        yield one


def submit(caller: Caller, *metadata: tuple[str, str], **fields: Any) -> Any:
    request = proto.SubmitJobRequest(**{"job_type": "echo", "payload": ECHO, **fields})
    return caller.stub.SubmitJob(request, metadata=metadata, timeout=30)


@pytest.mark.parametrize(
    "metadata", [("authorization", f"Bearer {KEY}"), ("authorization", "bearer another"), WITH_KEY], ids=str
)
async def test_who_has_a_key_comes_in(caller: Caller, metadata: tuple[str, str]) -> None:
    assert (await submit(caller, metadata)).job_id


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ((), "an API key is required"),
        ((("x-api-key", "a-kez"),), "this API key is not known"),
        ((("authorization", f"Basic {KEY}"),), "an API key is required"),
        ((("x-api-key-bin", KEY.encode()),), "an API key is required"),
    ],
    ids=["none", "wrong", "another scheme", "bytes"],
)
@pytest.mark.parametrize("method", ["SubmitJob", "GetJob", "ListJobs", "CancelJob"])
async def test_who_has_none_is_refused_before_his_message_is_read(
    caller: Caller, method: str, metadata: Any, says: str
) -> None:
    told = await refused(caller.raw(method, b"\xff", metadata=metadata))

    assert ("UNAUTHENTICATED", "UNAUTHORIZED") == (told.code, told.reason)
    assert told.sentence.startswith(f"{says}; send Authorization: Bearer")


async def test_keys_of_idempotency_are_each_callers_own(caller: Caller) -> None:
    ids = [(await submit(caller, ("x-api-key", key), idempotency_key="k")).job_id for key in (KEY, "another", KEY)]

    assert ids[0] == ids[2] != ids[1]


async def test_a_job_may_be_as_large_as_at_every_other_door(caller: Caller, running: Running) -> None:
    """
    Its quotes are not counted twice, though the payload is a string in the message; one byte more is too many.
    """
    brief = await submit(caller, WITH_KEY, job_type="anything", payload='{"a":""}')
    (kept,) = await running.sql("SELECT octet_length(body) AS size FROM warren.jobs WHERE id = $1", brief.job_id)
    filling = '\\"' * 100_000 + "x" * (MAX_BYTES - kept["size"] - 200_000)
    largest = await submit(caller, WITH_KEY, job_type="anything", payload=f'{{"a":"{filling}"}}')
    told = await refused(submit(caller, WITH_KEY, job_type="anything", payload=f'{{"a":"{filling}x"}}'))

    assert largest.job_id
    assert ("RESOURCE_EXHAUSTED", "TOO_LARGE") == (told.code, told.reason)
    assert f"at most {MAX_BYTES} are taken; send a reference" in told.sentence


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=str)
async def test_a_message_without_bounds_is_not_read(caller: Caller, compression: Any) -> None:
    """
    Nor unpacked: 60 MB of blanks are 60 KB on their way.
    """
    request = proto.SubmitJobRequest(job_type="anything", payload=" " * 60_000_000)
    told = await refused(caller.stub.SubmitJob(request, metadata=(WITH_KEY,), compression=compression, timeout=30))

    assert "RESOURCE_EXHAUSTED" == told.code
    assert (await submit(caller, WITH_KEY)).job_id


async def test_a_method_that_is_not_there(caller: Caller) -> None:
    assert "UNIMPLEMENTED" == (await refused(caller.raw("DropAllJobs", b""))).code


async def test_the_request_has_an_id(caller: Caller) -> None:
    """
    The caller's own, if it is a decent one.
    """
    calls = [submit(caller, WITH_KEY, ("x-request-id", given)) for given in ("mine-7", "x" * 200)]
    given, made = [dict(await call.trailing_metadata())["x-request-id"] for call in calls]
    told = await refused(submit(caller, ("x-request-id", "mine-8")))

    assert ("mine-7", 32, "mine-8") == (given, len(made), told.request_id)


async def test_the_job_is_of_the_callers_trace(caller: Caller) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    answer = await submit(caller, WITH_KEY, ("traceparent", f"00-{trace_id}-b7ad6b7169203331-01"))
    other = await submit(caller, WITH_KEY, ("traceparent", "nonsense"))

    assert trace_id == answer.trace_id
    assert re.fullmatch("[0-9a-f]{32}", other.trace_id)


async def test_calls_are_counted(caller: Caller) -> None:
    path, codes = f"{SERVICE}/SubmitJob", ("OK", "UNAUTHENTICATED")
    before = dict(metrics.CALLS.values)
    await submit(caller, WITH_KEY)
    await refused(submit(caller))

    assert [1.0, 1.0] == [metrics.CALLS.values[path, code] - before.get((path, code), 0) for code in codes]
    assert sum(metrics.CALL_SECONDS.of(path)[1:]) >= 2


async def test_every_kind_of_refusal_that_a_call_can_meet_has_its_status() -> None:
    """
    The others are of HTTP itself, or of routes that are not served here.
    """
    from gateway.rpc.statuses import CODES  # noqa: PLC0415 - it loads gRPC

    of_http = {
        "changed", "method_not_allowed", "unsupported_media", "slow_body", "bad_range", "bad_http", "bad_expectation",
        "foreign_host", "foreign_origin",
    }  # fmt: skip

    assert KINDS.keys() == of_http | CODES.keys()
    assert not of_http & CODES.keys()


@pytest.mark.parametrize("service", ["", SERVICE, "grpc.health.v1.Health"])
async def test_probes_are_told_that_it_serves(caller: Caller, service: str) -> None:
    """
    Without a key.
    """
    stub = health_pb2_grpc.HealthStub(caller.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)

    assert SERVING == answer.status


async def test_a_service_that_nobody_knows_has_no_health(caller: Caller) -> None:
    stub = health_pb2_grpc.HealthStub(caller.channel)
    told = await refused(stub.Check(health_pb2.HealthCheckRequest(service="shop"), timeout=30))
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="shop"), timeout=30)
    first = await watch.read()
    watch.cancel()

    assert "NOT_FOUND" == told.code
    assert health_pb2.HealthCheckResponse.SERVICE_UNKNOWN == first.status


async def test_a_watch_that_cannot_be_read_is_refused(caller: Caller) -> None:
    watch = caller.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff", timeout=30)

    assert "INVALID_ARGUMENT" == (await refused(watch.read())).code


async def test_a_caller_too_many_is_told_so(running: Running) -> None:
    """
    Two watch where two may call at once; when they have gone there is room again.
    """
    from gateway.rpc.server import Server  # noqa: PLC0415 - it loads gRPC

    port, small = free_port(), Server(running.room.rpc.parts, most_calls=2)
    await small.start(f"127.0.0.1:{port}")
    async with calling(port) as caller:
        watches = [caller.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60) for _ in range(2)]
        await asyncio.gather(*(watch.read() for watch in watches))
        told = await refused(submit(caller, WITH_KEY))
        for watch in watches:
            watch.cancel()
        await eventually(lambda: _comes_in(caller))
    await small.stop(10)

    assert "RESOURCE_EXHAUSTED" == told.code


async def _comes_in(caller: Caller) -> bool:
    try:
        return bool((await submit(caller, WITH_KEY)).job_id)
    except grpc.aio.AioRpcError:
        return False


async def test_reflection_shows_the_services(running: Running, grpc_port: int) -> None:
    """
    As grpcurl asks for them, without a key.
    """

    def ask() -> tuple[set[str], list[str]]:
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            found = ProtoReflectionDescriptorDatabase(channel)
            file = found.FindFileContainingSymbol(SERVICE)
            return set(found.get_services()), [method.name for method in file.service[0].method]

    services, methods = await asyncio.to_thread(ask)

    assert {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} == services
    assert ["SubmitJob", "GetJob", "ListJobs", "CancelJob"] == methods


async def test_a_port_that_is_taken_is_a_fault_of_the_settings(
    running: Running, stores: Stores, grpc_port: int
) -> None:
    """
    Two servers must not share one and know nothing of each other.
    """
    with pytest.raises(SettingsError, match=f"port {grpc_port} on 127.0.0.1 is in use; .* WARREN_GRPC_PORT"):
        async with gateway(stores, grpc_port=grpc_port):
            pass


async def test_with_both_stores_away_it_says_so() -> None:
    """
    No job type was ever seen, so nothing can be accepted; probes are told, and nobody sees a stack trace.
    """
    amqp, database, port = free_ports(["amqp", "database", "grpc"], {}).values()
    nowhere = Stores(amqp_url=f"amqp://127.0.0.1:{amqp}/", database_url=f"postgresql://127.0.0.1:{database}/x")
    async with gateway(nowhere, grpc_port=port), calling(port) as caller:
        told = await refused(caller.submit())
        health = await health_pb2_grpc.HealthStub(caller.channel).Check(health_pb2.HealthCheckRequest(), timeout=30)

    assert ("UNAVAILABLE", "UNAVAILABLE", 2, "a store is away; send it again") == (
        told.code, told.reason, told.retry_seconds, told.sentence,
    )  # fmt: skip
    assert NOT_SERVING == health.status


async def test_a_fault_of_ours_is_told_without_its_trace(running: Running, caller: Caller) -> None:
    """
    The log has it, under the request's id.
    """
    job_id = (await submit(caller, WITH_KEY)).job_id
    await running.sql("UPDATE warren.jobs SET state = 'failed', reason = 'a later word' WHERE id = $1", job_id)
    told = await refused(caller.stub.GetJob(proto.GetJobRequest(job_id=job_id), metadata=(WITH_KEY,), timeout=30))
    await running.sql("DELETE FROM warren.jobs WHERE id = $1", job_id)

    assert ("INTERNAL", "INTERNAL", "the call failed") == (told.code, told.reason, told.sentence)
    assert told.request_id


async def test_a_stop_answers_who_waits_and_tells_who_watches(stores: Stores) -> None:
    """
    Who waits for a job is told how it stands; nobody waits for the end of the drain.
    """
    port = free_port()
    async with gateway(stores, grpc_port=port) as one, calling(port) as caller:
        await one.topology_stands()
        job_id = (await caller.submit()).job_id
        watch = health_pb2_grpc.HealthStub(caller.channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        first = await watch.read()
        asked = asyncio.create_task(caller.get(job_id, wait_seconds=60))
        await eventually(lambda: len(one.room.waiting._questions) == 1)
        async with asyncio.timeout(10):
            await one.room.doors.stop()
        job, last = await asked, await watch.read()
        after = await refused(caller.submit())

    assert ("queued", SERVING, NOT_SERVING) == (job.state, first.status, last.status)
    assert "UNAVAILABLE" == after.code


async def test_without_a_port_nothing_of_grpc_is_loaded() -> None:
    """
    Its threads and its memory are for those who want it.
    """
    code = "import gateway.app, sys; print([n for n in sys.modules if n.split('.')[0] in ('grpc', 'google')])"
    said = await asyncio.to_thread(subprocess.check_output, [sys.executable, "-c", code], cwd=ROOT, text=True)

    assert "[]" == said.strip()


async def test_what_is_generated_is_of_this_proto(tmp_path: Path) -> None:
    """
    If it is not: gateway/rpc/proto/generate.
    """
    folder = ROOT / "gateway/rpc/proto"
    environment = {"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"}
    await asyncio.to_thread(subprocess.check_call, [folder / "generate", tmp_path], env=environment)
    made = {path.name: path.read_text() for path in (tmp_path / "gateway/rpc/proto").iterdir()}

    assert 3 == len(made)
    assert made == {name: (folder / name).read_text() for name in made}
