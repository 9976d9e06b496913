"""A gateway is killed under gRPC callers: what was answered is there, and the same calls again make no second job.

A caller without an answer knows nothing, so it sends the same again, through the channel that it has.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from tests.eventually import eventually
from tests.faults.ledger import completed, ledger
from tests.faults.witness import Witness
from tests.journey.api import Api
from tests.journey.stack import Stack
from tests.room.gateway.calling import Caller, calling, grpc, proto

CALLERS: Final = 32
BACK_SOON: Final = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 500}
STEP: Final = '{"seconds": 0.01}'


async def test_a_gateway_killed_under_grpc_callers_makes_one_job_of_each_key(
    api: Api, stack: Stack, tell: Callable[[str], None], long: bool
) -> None:
    """
    Every caller has a call under way when it dies; afterwards all calls are made again, the answered ones too.
    """
    kills, calls = (6, 1_000) if long else (2, 200)
    witness, run = Witness(stack.timeline), f"rpc-{uuid.uuid4().hex}"
    answered, unanswered, kept = dict[str, str](), list[str](), 0
    async with calling(stack.grpc_port, **BACK_SOON) as caller:
        for kill in range(1, kills + 1):
            await caller.channel.channel_ready()
            callers = [asyncio.create_task(_until_unanswered(caller, run, answered)) for _ in range(CALLERS)]
            await eventually(lambda: len(answered) >= kill * calls, within=60)  # noqa: B023 - of this turn
            stack.kill("gateway")
            unanswered += await asyncio.gather(*callers)
            stack.start("gateway")
        kept = len(await _jobs(api, run)) - len(answered)
        again = await _again(caller, run, [*answered, *unanswered])
    await api.sql("UPDATE outbox SET publish_after = clock_timestamp()")  # the sweep leaves it ten seconds else
    ids = await _jobs(api, run)
    await eventually(lambda: witness.look().ended() >= ids, within=60)
    await eventually(lambda: completed(api, ids), within=60)
    found = await ledger(api, witness, ids)
    line = f"{found.line()}; {len(unanswered)} calls unanswered, {kept} of them kept"
    tell(f"gateway killed {kills} times under gRPC callers: {line}")

    assert kills * CALLERS == len(unanswered)
    assert answered == {key: again[key].job_id for key in answered}
    assert all(again[key].duplicate for key in answered)
    assert ids == {told.job_id for told in again.values()}
    assert len(answered) + len(unanswered) == len(ids)
    assert ({}, 0) == (found.faults, found.ran_twice)


async def _until_unanswered(caller: Caller, run: str, answered: dict[str, str]) -> str:
    """Call with one key after the other; the key of the call that nobody answered."""
    while True:
        key = str(uuid.uuid4())
        try:
            answered[key] = (await _submit(caller, run, key)).job_id
        except grpc.aio.AioRpcError as e:
            if e.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return key


async def _again(caller: Caller, run: str, keys: Sequence[str]) -> dict[str, proto.SubmitJobResponse]:
    """What each of these calls is answered, as soon as somebody is there."""
    told = await asyncio.gather(*(_submit(caller, run, key, wait_for_ready=True) for key in keys))
    return dict(zip(keys, told, strict=True))


async def _submit(caller: Caller, run: str, key: str, **options: bool) -> proto.SubmitJobResponse:
    request = proto.SubmitJobRequest(job_type="step", payload=STEP, tags=[run], idempotency_key=key)
    return await caller.stub.SubmitJob(request, timeout=60, **options)


async def _jobs(api: Api, run: str) -> set[str]:
    """All that were made for these callers."""
    return {str(row["id"]) for row in await api.sql("SELECT id FROM jobs WHERE tags @> ARRAY[$1]", run)}
