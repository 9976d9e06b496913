"""The gRPC door: what is submitted there is a job as any other, and what is wrong is refused in the same words."""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.machine.ports import free_port
from gateway.rest.jobs import FILTERS as REST_FILTERS
from gateway.rpc.proto import job_scheduler_pb2 as proto
from gateway.rpc.requests import FILTERS
from tests.eventually import eventually
from tests.room.gateway.calling import ECHO, Caller, calling, refused
from tests.room.gateway.running import Running, gateway
from wire.fields import READERS
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = "01890a5d-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def grpc_port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(stores: Stores, grpc_port: int) -> AsyncIterator[Running]:
    async with gateway(stores, grpc_port=grpc_port) as one:
        await one.topology_stands()
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(running: Running, grpc_port: int) -> AsyncIterator[Caller]:
    async with calling(grpc_port) as one:
        yield one


async def test_what_is_submitted_is_a_row_and_a_message(caller: Caller, running: Running) -> None:
    """
    The payload byte for byte, a number that no double can hold in it; no retries are not the same as none named.
    """
    payload = '{"count": 9007199254740993,  "message": "hü"}'
    answer = await caller.submit(payload, priority=8, max_retries=0, timeout_seconds=0.5, tags=["a", "b"])
    job, told = await running.get(f"/api/v1/jobs/{answer.job_id}"), await caller.get(answer.job_id)

    assert ("queued", False, False) == (answer.state, answer.duplicate, answer.unique)
    assert ("echo", 8, 0, 0.5, ["a", "b"], answer.trace_id) == tuple(
        job[name] for name in ("type", "priority", "max_retries", "timeout_seconds", "tags", "trace_id")
    )
    assert json.loads(payload) == job["payload"]
    assert payload == told.payload
    assert answer.created_at == told.created_at
    await eventually(lambda: _published(running, answer.job_id))


async def _published(running: Running, job_id: str) -> bool:
    return not await running.sql("SELECT FROM warren.outbox WHERE job_id = $1", job_id)


async def test_a_request_as_the_other_system_prints_it(caller: Caller) -> None:
    """
    A type, a payload as a string, a priority, retries and a time limit go in; a job_id comes out.
    """
    answer = await caller.stub.SubmitJob(
        proto.SubmitJobRequest(
            job_type="echo", payload=json.dumps({"message": "Hello"}), priority=5, max_retries=3, timeout_seconds=300
        )
    )
    job = await caller.get(answer.job_id)

    assert ("echo", {"message": "Hello"}, 5, 3, 300.0) == (
        job.job_type, json.loads(job.payload), job.priority, job.max_retries, job.timeout_seconds,
    )  # fmt: skip


async def test_what_is_not_said_is_the_types_own(caller: Caller) -> None:
    job = await caller.get((await caller.submit("{}", "anything")).job_id)

    assert (7, 1, 30.0, "other") == (job.priority, job.max_retries, job.timeout_seconds, job.queue)
    assert not job.HasField("result")
    assert not job.HasField("scheduled_for")


async def test_what_can_be_said_elsewhere_can_be_said_here() -> None:
    """
    But for `v`, which is for bodies that are kept; here the package bears the version.
    """
    theirs = {"job_type": "type", "job_id": "id"}

    assert REST_FILTERS == {name: reader for name, reader in FILTERS.values()}
    assert READERS.keys() - {"v"} == {
        theirs.get(one.name, one.name) for one in proto.SubmitJobRequest.DESCRIPTOR.fields
    }


async def test_it_waits_for_its_time(caller: Caller) -> None:
    at = datetime.now(UTC).replace(microsecond=123_456) + timedelta(hours=1)
    answers = [await caller.submit(run_at=at), await caller.submit(delay=60)]
    jobs = [await caller.get(answer.job_id) for answer in answers]

    assert ["scheduled", "scheduled"] == [answer.state for answer in answers]
    assert at == jobs[0].scheduled_for.ToDatetime(UTC)


async def test_the_same_key_is_the_same_job_at_every_door(caller: Caller, running: Running) -> None:
    key = uuid.uuid4().hex
    first = await caller.submit(idempotency_key=key)
    second = await caller.submit(idempotency_key=key)
    third = await running.submit(Idempotency_Key=key)
    other = await refused(caller.submit('{"message": "other"}', idempotency_key=key))

    assert (False, True, True) == (first.duplicate, second.duplicate, third["duplicate"])
    assert first.job_id == second.job_id == third["id"]
    assert ("ALREADY_EXISTS", "ID_REUSED") == (other.code, other.reason)


async def test_an_earlier_job_stands_for_a_new_one(caller: Caller) -> None:
    work = json.dumps({"message": uuid.uuid4().hex})
    unique = proto.Unique(by=["payload.message"])
    first, second = [await caller.submit(work, unique=unique) for _ in range(2)]

    assert (first.job_id, False, True) == (second.job_id, first.unique, second.unique)


async def test_a_job_of_an_open_batch(caller: Caller, running: Running) -> None:
    batch = await running.open_batch()
    answer = await caller.submit(batch_id=batch)

    assert batch == (await caller.get(answer.job_id)).batch_id
    assert [answer.job_id] == [job.job_id for job in (await caller.page(batch_id=batch)).jobs]


async def test_whoever_waits_is_told_of_the_end(caller: Caller, running: Running) -> None:
    job_id = (await caller.submit()).job_id
    asked = asyncio.create_task(caller.get(job_id, wait_seconds=30))
    await eventually(lambda: len(running.room.waiting._questions) == 1)
    await running.finish(job_id, '{"big":  9007199254740993}')
    job = await asked

    assert ("completed", '{"big":  9007199254740993}') == (job.state, job.result)
    assert job.HasField("finished_at")


async def test_who_gives_up_waiting_is_waited_for_no_longer(caller: Caller, running: Running) -> None:
    job_id = (await caller.submit()).job_id
    call = caller.stub.GetJob(proto.GetJobRequest(job_id=job_id, wait_seconds=60), timeout=0.2)
    late = await refused(call)

    assert "DEADLINE_EXCEEDED" == late.code
    await eventually(lambda: not running.room.waiting._questions)


async def test_a_caller_who_goes_has_submitted_all_the_same(caller: Caller, running: Running) -> None:
    """
    What was begun is carried through: the call is cancelled while Postgres holds its row.
    """
    job_id, tag = str(uuid.uuid4()), uuid.uuid4().hex
    locked = await running.hold_jobs()
    call = caller.stub.SubmitJob(proto.SubmitJobRequest(job_type="echo", payload=ECHO, job_id=job_id, tags=[tag]))
    await eventually(running.waits_for_jobs)
    call.cancel()
    await locked.close()

    await eventually(lambda: _is_there(running, job_id))


async def _is_there(running: Running, job_id: str) -> bool:
    return bool(await running.sql("SELECT FROM warren.jobs WHERE id = $1", job_id))


async def test_cancel_holds_at_once(caller: Caller) -> None:
    """
    And a second time it holds still.
    """
    job_id = (await caller.submit()).job_id

    assert ["cancelled", "cancelled"] == [(await caller.cancel(job_id)).state for _ in range(2)]


async def test_what_has_ended_cannot_be_cancelled(caller: Caller, running: Running) -> None:
    job_id = (await caller.submit()).job_id
    await running.finish(job_id)
    told = await refused(caller.cancel(job_id))

    assert ("FAILED_PRECONDITION", "WRONG_STATE") == (told.code, told.reason)
    assert f"job {job_id} is completed already" == told.sentence


async def test_a_job_that_runs_is_asked_to_end(caller: Caller, running: Running) -> None:
    job_id = (await caller.submit()).job_id
    await running.sql("UPDATE warren.jobs SET state = 'running', lease = 1, started_at = now() WHERE id = $1", job_id)
    job = await caller.cancel(job_id)

    assert ("running", True) == (job.state, job.HasField("cancel_requested_at"))


async def test_pages_lead_from_one_to_the_next(caller: Caller) -> None:
    tag = uuid.uuid4().hex
    sent = [(await caller.submit(tags=[tag])).job_id for _ in range(5)]
    token, seen, sizes = "", [], []
    while not sizes or token:
        page = await caller.page(tag=tag, page_size=2, page_token=token)
        seen += [job.job_id for job in page.jobs]
        sizes.append(len(page.jobs))
        token = page.next_page_token

    assert (sent[::-1], [2, 2, 1]) == (seen, sizes)


async def test_filters_are_those_of_rest(caller: Caller) -> None:
    tag, since = uuid.uuid4().hex, datetime.now(UTC) - timedelta(minutes=1)
    job_id = (await caller.submit("{}", "anything", tags=[tag])).job_id
    wanted: list[dict[str, Any]] = [
        {"state": "queued"}, {"state": "pending"}, {"job_type": "anything"}, {"queue": "other"}, {"since": since},
    ]  # fmt: skip
    unwanted: list[dict[str, Any]] = [
        {"state": "failed"}, {"job_type": "echo"}, {"queue": "default"}, {"since": since + timedelta(hours=1)},
    ]  # fmt: skip

    assert [[job_id]] * len(wanted) == [[j.job_id for j in (await caller.page(tag=tag, **one)).jobs] for one in wanted]
    assert [0] * len(unwanted) == [len((await caller.page(tag=tag, **one)).jobs) for one in unwanted]


async def test_a_page_ends_before_it_outgrows_what_clients_take(caller: Caller) -> None:
    """
    Twenty jobs of 200 KB would be more than the 4 MiB of every client that was not told otherwise.
    """
    tag, payload = uuid.uuid4().hex, json.dumps({"a": "x" * 200_000})
    sent = [(await caller.submit(payload, "anything", tags=[tag])).job_id for _ in range(20)]
    first = await caller.page(tag=tag)
    second = await caller.page(tag=tag, page_token=first.next_page_token)

    assert sent[::-1] == [job.job_id for page in (first, second) for job in page.jobs]
    assert "" == second.next_page_token


@dataclass(frozen=True, slots=True)
class Row:
    """One wrong message, and what its refusal names."""

    what: str
    named: str
    says: str = ""
    method: str = "SubmitJob"
    fields: dict[str, Any] = field(default_factory=dict)
    code: str = "INVALID_ARGUMENT"


def wrong(what: str, named: str, says: str = "", /, **fields: Any) -> Row:
    return Row(what, named, says, fields={"job_type": "echo", "payload": ECHO} | fields)


def asked(what: str, method: str, named: str, says: str = "", code: str = "INVALID_ARGUMENT", **fields: Any) -> Row:
    return Row(what, named, says, method, fields, code)


PAST = datetime(2020, 1, 1, tzinfo=UTC)
ROWS = [
    wrong("no type", "job_type", "is missing", job_type=""),
    wrong("a type that nobody has", "job_type", "echo", job_type="eccho"),
    wrong("a type that is no name", "job_type", "is not a job type's name", job_type="Echo!"),
    wrong("no payload", "payload", "is missing", payload=""),
    wrong("a payload that is no JSON", "payload", "is not JSON", payload="{'message': 'hi'}"),
    wrong("a list", "payload", "must be a JSON object", payload="[]"),
    wrong("a string of a string", "payload", "must be a JSON object", payload='"{}"'),
    wrong("a key twice", "payload", "twice", payload='{"message": "a", "message": "b"}'),
    wrong("NaN", "payload", "NaN", payload='{"message": NaN}'),
    wrong("an escaped NUL", "payload", "NUL", payload='{"message": "\\u0000"}'),
    wrong("a NUL", "request", "NUL", payload='{"message": "\0"}'),
    wrong("a NUL in a tag", "request", "NUL", tags=["a\0"]),
    wrong("a lone surrogate", "payload", "surrogate", payload='{"message": "\\ud800"}'),
    wrong("nested too deep", "payload", "deeper", payload='{"a":' * 101 + "1" + "}" * 101),
    wrong("more behind the payload", "payload", "is not JSON", payload='{}, "priority": 9'),
    wrong("against the schema", "payload.message", payload='{"message": 7}'),
    wrong("priority 0", "priority", "1 (lowest) to 10", priority=0),
    wrong("priority 11", "priority", priority=11),
    wrong("retries below none", "max_retries", max_retries=-1),
    wrong("no time at all", "timeout_seconds", timeout_seconds=0),
    wrong("NaN seconds", "timeout_seconds", "nan", timeout_seconds=math.nan),
    wrong("endless seconds", "delay", "inf", delay=math.inf),
    wrong("both times", "delay", "send one of them", delay=1, run_at=datetime.now(UTC)),
    wrong("a past time", "run_at", "is past", run_at=PAST),
    wrong("an expiry that is past", "expires_at", "is past", expires_at=PAST),
    wrong("no point in time", "run_at", "not a point in time", run_at=Timestamp(seconds=2**62)),
    wrong("too many nanoseconds", "run_at", "not a point in time", run_at=Timestamp(seconds=1, nanos=-5)),
    wrong("a tag of no letter", "tags", tags=[""]),
    wrong("33 tags", "tags", tags=[str(n) for n in range(33)]),
    wrong("a key that is too long", "idempotency_key", idempotency_key="k" * 257),
    wrong("an id that is none", "job_id", "is not a UUID", job_id="seven"),
    wrong("an id and a key", "job_id", "both name the job", job_id=NOWHERE, idempotency_key="k"),
    wrong("a batch that is not there", "batch_id", batch_id=NOWHERE),
    wrong("unique by nothing that is there", "unique.by", unique=proto.Unique(by=["payload.nothing"])),
    wrong("unique in no state", "unique.states", unique=proto.Unique(states=["sleeping"])),
    asked("no id", "GetJob", "job_id", "is missing"),
    asked("an id that is none", "GetJob", "job_id", "is not a UUID", job_id="7"),
    asked("a wait that is too long", "GetJob", "wait_seconds", "0 to 60", job_id=NOWHERE, wait_seconds=61),
    asked("a wait that is no number", "GetJob", "wait_seconds", job_id=NOWHERE, wait_seconds=math.nan),
    asked("nobody's job", "GetJob", "", "there is no job", "NOT_FOUND", job_id=NOWHERE),
    asked("nobody's job to cancel", "CancelJob", "", "there is no job", "NOT_FOUND", job_id=NOWHERE),
    asked("no id to cancel", "CancelJob", "job_id", "is missing"),
    asked("a state that is none", "ListJobs", "state", "use one of", state="sleeping"),
    asked("a type that is no name", "ListJobs", "job_type", job_type="E"),
    asked("a NUL in a queue", "ListJobs", "queue", queue="a\0"),
    asked("a page of nothing", "ListJobs", "page_size", "1 to 500", page_size=0),
    asked("a page below nothing", "ListJobs", "page_size", page_size=-1),
    asked("a token that is cut", "ListJobs", "page_token", "not a cursor", page_token="AAAA"),
    asked("a batch that is no UUID", "ListJobs", "batch_id", batch_id="7"),
    asked("no point in time", "ListJobs", "since", since=Timestamp(seconds=-(2**62))),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method}, {row.what}")
async def test_what_is_wrong_is_refused_by_name(caller: Caller, running: Running, row: Row) -> None:
    request = {"SubmitJob": proto.SubmitJobRequest, "GetJob": proto.GetJobRequest, "ListJobs": proto.ListJobsRequest,
               "CancelJob": proto.CancelJobRequest}[row.method]  # fmt: skip
    before = await running.sql("SELECT count(*) FROM warren.jobs")
    told = await refused(getattr(caller.stub, row.method)(request(**row.fields), timeout=30))

    assert (row.code, [row.named] if row.named else []) == (told.code, told.fields), told.sentence
    assert row.says in told.sentence
    assert told.request_id
    assert before == await running.sql("SELECT count(*) FROM warren.jobs")


async def test_all_faults_of_a_filter_are_told_at_once(caller: Caller) -> None:
    told = await refused(caller.page(state="sleeping", page_size=900))

    assert ["state", "page_size"] == told.fields


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\xff\xff", "is not a warren.v1.SubmitJobRequest"),
        (b"\x0a\x02\xff\xff", "is not a warren.v1.SubmitJobRequest"),
        (b"\x0a\x04echo\xf8\x07\x01", "field 127"),
        (b"\x0a\x04echo\x12\x02{}\x28\x0a", "field 5"),
    ],
    ids=["no message", "text that is not UTF-8", "a field of a later day", "a time limit as another type"],
)
async def test_what_cannot_be_read_is_refused_and_never_dropped(caller: Caller, message: bytes, says: str) -> None:
    told = await refused(caller.raw("SubmitJob", message))

    assert ("INVALID_ARGUMENT", ["request"]) == (told.code, told.fields)
    assert says in told.sentence
